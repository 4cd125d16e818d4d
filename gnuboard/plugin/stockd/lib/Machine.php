<?php
namespace Stockd\Site;

/** What the machine shows the site: read-only, through its v_ views alone. */
final class Machine
{
    /** symbols are ASCII columns: compared with Korean as they are, the server refuses the mix of collations */
    const UTF8 = 'CONVERT(l.symbol USING utf8mb4)';

    /** Stocks whose code begins with, or name contains, $text. @return array<int,array<string,mixed>> */
    public static function find(Db $db, string $text): array
    {
        $text = trim($text);
        if ($text === '') {
            return array();
        }
        $plain = addcslashes($text, '%_\\');
        return $db->rows(
            'SELECT l.symbol, l.name, l.market, l.last_close, m.price FROM ' . $db->view('v_listing') . ' l LEFT JOIN ' . $db->view('v_market')
            . ' m ON m.symbol = l.symbol WHERE ' . self::UTF8 . ' LIKE ? OR l.name LIKE ? ORDER BY ' . self::UTF8 . ' = ? DESC, l.name = ? DESC, l.name LIKE ? DESC, l.name LIMIT 12',
            array(strtoupper($plain) . '%', '%' . $plain . '%', strtoupper($text), $text, $plain . '%')
        );
    }

    /** @return array{name:string,price:int,change:int,close:int,limits:array<int,int>|null} */
    public static function quote(Db $db, string $symbol): array
    {
        $market = $db->one('SELECT name, price, price_change FROM ' . $db->view('v_market') . ' WHERE symbol = ?', array($symbol));
        $listed = $db->one('SELECT name, last_close FROM ' . $db->view('v_listing') . ' WHERE symbol = ?', array($symbol));
        $swept = $db->one('SELECT name, price, price_change, upper_limit, lower_limit FROM ' . $db->view('v_sweep_quote') . ' WHERE symbol = ? AND missing_since IS NULL', array($symbol));
        $day = self::today($db, $symbol);
        $limits = $day !== null && (int) $day['upper_limit'] > 0 ? $day : $swept;
        $live = $market !== null && $market['price'] > 0 ? $market : $swept;
        $name = '';
        foreach (array($listed, $market, $swept) as $row) {
            $name = $name === '' && $row !== null ? (string) $row['name'] : $name;
        }
        return array(
            'name' => $name,
            'price' => $live !== null ? (int) $live['price'] : 0,
            'change' => $live !== null ? (int) $live['price_change'] : 0,
            'close' => $listed !== null ? (int) $listed['last_close'] : 0,
            'limits' => $limits !== null ? array((int) $limits['upper_limit'], (int) $limits['lower_limit']) : null,
        );
    }

    /** Limits and designations of today, null when they have not been read. */
    private static function today(Db $db, string $symbol)
    {
        return $db->one('SELECT no_buy, upper_limit, lower_limit FROM ' . $db->view('v_stock_day') . ' WHERE symbol = ? AND day = CURDATE()', array($symbol));
    }

    /** What is known now about $symbol and the account, for judging a condition. */
    public static function context(Db $db, string $symbol): Context
    {
        $now = $db->one('SELECT DATE_FORMAT(NOW(), \'%Y-%m-%d %H:%i:%s\') AS now, EXISTS (SELECT 1 FROM ' . $db->view('v_listing') . ') AS listings');
        $known = array('now' => $now['now']);
        if ($symbol === '' || !preg_match('/^[A-Z0-9]{6,9}$/D', $symbol)) {
            return new Context($known);
        }
        if ((int) $now['listings']) {
            $listed = $db->one('SELECT 1 AS l FROM ' . $db->view('v_listing') . ' WHERE symbol = ?', array($symbol));
            $known['listed'] = $listed !== null;
        }
        $market = $db->one('SELECT halted FROM ' . $db->view('v_market') . ' WHERE symbol = ?', array($symbol));
        $known['halted'] = $market !== null ? (bool) $market['halted'] : null;
        $day = self::today($db, $symbol);
        $known['no_buy'] = $day !== null ? (string) $day['no_buy'] : null;
        $limits = $day !== null && (int) $day['upper_limit'] > 0 ? $day
            : $db->one('SELECT upper_limit, lower_limit FROM ' . $db->view('v_sweep_quote') . ' WHERE symbol = ? AND missing_since IS NULL AND received_at >= CURDATE() AND upper_limit > 0', array($symbol));
        if ($limits !== null) {
            $known['upper_limit'] = (int) $limits['upper_limit'];
            $known['lower_limit'] = (int) $limits['lower_limit'];
        }
        $balance = $db->one('SELECT COUNT(*) AS n, SUM(orderable_cash) AS cash FROM ' . $db->view('v_asset_balance'));
        if ((int) $balance['n'] > 0) {
            $known['cash'] = $balance['cash'] === null ? null : (int) $balance['cash'];
            $held = $db->one('SELECT SUM(sellable) AS n FROM ' . $db->view('v_asset_position') . ' WHERE symbol = ?', array($symbol));
            $known['sellable'] = (int) $held['n'];
        }
        return new Context($known);
    }
}
