<?php
namespace Stockd\Site;

/** The one JSON answer a second of the live page, and the candles of one stock. */
final class Live
{
    const MINUTES = array(1, 3, 5, 10, 15, 30, 60, 1440);

    /** Lists of lists for what repeats, to stay small at 200 stocks; the page knows the order. */
    public static function feed(Db $db): array
    {
        return array(
            'market' => self::lists($db, 'SELECT symbol, name, price, price_change, day_open, day_high, day_low, day_volume, day_turnover, halted, hour_class, drift,'
                . " DATE_FORMAT(traded_at, '%H:%i:%s') FROM " . $db->view('v_market') . ' ORDER BY symbol'),
            'balances' => $db->rows('SELECT account, deposit, deposit_d2, orderable_cash, securities_value, total_value, net_assets, cost, profit, realized_profit,'
                . " DATE_FORMAT(received_at, '%H:%i:%s') AS at, UNIX_TIMESTAMP(received_at) * 1000 AS ms FROM " . $db->view('v_asset_balance') . ' ORDER BY account'),
            'positions' => self::lists($db, 'SELECT symbol, name, quantity, sellable, average_price, cost, price, value, profit FROM ' . $db->view('v_asset_position') . ' ORDER BY value DESC, symbol'),
            'strikes' => self::strikes($db, 30),
            'fills' => self::fills($db, 30),
            'daemons' => $db->rows("SELECT name, state, DATE_FORMAT(progress_at, '%H:%i:%s') AS at, CAST(UNIX_TIMESTAMP(progress_at) * 1000 AS SIGNED) AS ms, detail FROM " . $db->view('v_daemon') . ' ORDER BY name'),
            'lanes' => self::lanes($db),
            'halt' => Halts::current($db),
            'armed' => (int) $db->one('SELECT COUNT(*) AS n FROM ' . $db->table('condition') . ' WHERE enabled = 1 AND deleted_at IS NULL')['n'],
        );
    }

    /** Candles of a stock with its fills and strike lines. Times are KST seconds as if UTC, as the chart shows them. */
    public static function candles(Db $db, string $symbol, int $minutes): array
    {
        $minutes = in_array($minutes, self::MINUTES, true) ? $minutes : 1;
        $at = 'CAST(UNIX_TIMESTAMP(%s) + 32400 AS SIGNED)';
        $bars = self::lists($db, 'SELECT ' . sprintf($at, 'at') . ', open, high, low, close, volume, gap FROM ' . $db->view('v_bar')
            . ' WHERE symbol = ? AND minutes = ? ORDER BY at DESC LIMIT 400', array($symbol, $minutes));
        return array(
            'symbol' => $symbol,
            'minutes' => $minutes,
            'quote' => Machine::quote($db, $symbol),
            'bars' => array_reverse($bars),
            'fills' => self::lists($db, 'SELECT ' . sprintf($at, 'at') . ', side, price, quantity FROM ' . $db->view('v_fill')
                . ' WHERE symbol = ? AND quantity > 0 ORDER BY at DESC LIMIT 100', array($symbol)),
            'lines' => self::lists($db, 'SELECT strike_price, side, trigger_op, enabled, id FROM ' . $db->table('condition')
                . ' WHERE symbol = ? AND deleted_at IS NULL ORDER BY enabled DESC, id DESC LIMIT 20', array($symbol)),
        );
    }

    /** Strikes of a day (today), newest first. */
    public static function strikes(Db $db, int $count, string $day = ''): array
    {
        list($from, $values) = self::day('fired_at', $day);
        return $db->rows("SELECT k.id, k.condition_id, k.symbol, l.name, k.side, k.order_kind, k.venue, k.quantity, k.price, k.trigger_op, k.strike_price, k.tick_price, k.state, k.reason,"
            . " k.order_no, k.filled, k.filled_amount, DATE_FORMAT(k.fired_at, '%H:%i:%s.%f') AS fired FROM " . $db->view('v_strike') . ' k LEFT JOIN '
            . $db->view('v_listing') . " l ON l.symbol = k.symbol WHERE $from ORDER BY k.id DESC LIMIT ?", array_merge($values, array($count)));
    }

    /** Fills of a day (today), newest first. */
    public static function fills(Db $db, int $count, string $day = ''): array
    {
        list($from, $values) = self::day('f.at', $day);
        return $db->rows("SELECT f.id, f.symbol, l.name, f.side, f.quantity, f.price, f.order_no, f.source, DATE_FORMAT(f.at, '%H:%i:%s') AS clock FROM "
            . $db->view('v_fill') . ' f LEFT JOIN ' . $db->view('v_listing') . " l ON l.symbol = f.symbol WHERE $from ORDER BY f.id DESC LIMIT ?", array_merge($values, array($count)));
    }

    private static function day(string $column, string $day): array
    {
        if ($day === '') {
            return array("$column >= CURDATE()", array());
        }
        return array("$column >= ? AND $column < ? + INTERVAL 1 DAY", array($day, $day));
    }

    /**
     * The call lanes as the watchdog wrote them; null where the machine is older than the view.
     * @return array{ms:int,rows:array<int,array<int,mixed>>}|null rows: label, lane, places, used, waiting, granted, refused, opens_in_ms
     */
    private static function lanes(Db $db)
    {
        try {
            $rows = self::lists($db, 'SELECT label, lane, places, used, waiting, granted, refused, opens_in_ms, CAST(UNIX_TIMESTAMP(updated_at) * 1000 AS SIGNED) FROM '
                . $db->view('v_lane') . " ORDER BY label, FIELD(lane, 'all', 'order', 'confirm', 'assets', 'spare', 'sweep')");
        } catch (DbError $error) {
            return null;
        }
        $ms = $rows ? max(array_column($rows, 8)) : 0;
        return array('ms' => (int) $ms, 'rows' => array_map(static function (array $row): array {
            return array_slice($row, 0, 8);
        }, $rows));
    }

    private static function lists(Db $db, string $sql, array $values = array()): array
    {
        return array_map('array_values', $db->rows($sql, $values));
    }
}
