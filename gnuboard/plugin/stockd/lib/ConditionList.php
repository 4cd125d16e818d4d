<?php
namespace Stockd\Site;

/** The list of conditions with what the machine makes of each: search, sort, paging. */
final class ConditionList
{
    const PER_PAGE = 30;
    const SORTS = array(
        'id' => 'c.id', 'symbol' => 'c.symbol', 'name' => 'name', 'side' => 'c.side', 'strike' => 'c.strike_price',
        'armed' => 'c.enabled', 'updated' => 'c.updated_at', 'owner' => 'c.owner',
    );

    /** @return array{rows:array<int,array<string,mixed>>,total:int,armed:int} */
    public static function page(Db $db, $owner, string $search, string $state, string $sort, string $dir, int $page): array
    {
        $where = 'c.deleted_at IS NULL';
        $values = array();
        if ($owner !== null) {
            $where .= ' AND c.owner = ?';
            $values[] = $owner;
        }
        $armed = $db->one('SELECT COUNT(*) AS n FROM ' . $db->table('condition') . " c WHERE $where AND c.enabled = 1", $values);
        if ($state === 'armed' || $state === 'off') {
            $where .= ' AND c.enabled = ' . ($state === 'armed' ? '1' : '0');
        }
        if ($search !== '') {
            $like = '%' . addcslashes($search, '%_\\') . '%';
            $where .= ' AND (CONVERT(c.symbol USING utf8mb4) LIKE ? OR l.name LIKE ? OR c.memo LIKE ? OR c.owner LIKE ?)';
            array_push($values, $like, $like, $like, $like);
        }
        $order = isset(self::SORTS[$sort]) ? self::SORTS[$sort] : 'c.id';
        $way = $dir === 'asc' ? 'ASC' : 'DESC';
        $from = ' FROM ' . $db->table('condition') . ' c LEFT JOIN ' . $db->view('v_listing') . ' l ON l.symbol = c.symbol';
        $total = $db->one("SELECT COUNT(*) AS n$from WHERE $where", $values);
        $rows = $db->rows(
            self::COLUMNS . $from . self::joins($db) . " WHERE $where ORDER BY $order $way, c.id DESC LIMIT ? OFFSET ?",
            array_merge($values, array(self::PER_PAGE, (max(1, $page) - 1) * self::PER_PAGE))
        );
        return array('rows' => $rows, 'total' => (int) $total['n'], 'armed' => (int) $armed['n']);
    }

    /** What changes by itself, for the rows on the page. @param int[] $ids */
    public static function states(Db $db, $owner, array $ids): array
    {
        if (!$ids) {
            return array();
        }
        $marks = implode(', ', array_fill(0, count($ids), '?'));
        $scope = $owner === null ? '' : ' AND c.owner = ?';
        $rows = $db->rows(
            self::COLUMNS . ' FROM ' . $db->table('condition') . ' c LEFT JOIN ' . $db->view('v_listing') . ' l ON l.symbol = c.symbol'
            . self::joins($db) . " WHERE c.id IN ($marks)$scope",
            array_merge($ids, $owner === null ? array() : array($owner))
        );
        $states = array();
        foreach ($rows as $row) {
            $states[] = array(
                'id' => (int) $row['id'], 'rev' => (int) $row['rev'], 'enabled' => (int) $row['enabled'],
                'price' => (int) $row['price'], 'change' => (int) $row['price_change'], 'machine' => self::words($row),
            );
        }
        return $states;
    }

    /** @return array{0:string,1:string,2:string} css mark, state, why: how the machine sees a row */
    public static function words(array $row): array
    {
        if ($row['strike_state'] !== null) {
            $done = (int) $row['filled'] > 0 ? '체결 ' . Html::won($row['filled']) . '주' : '';
            $order = $row['order_no'] !== null ? '주문 ' . $row['order_no'] : '';
            $why = implode(' · ', array_filter(array($order, $done, (string) $row['strike_reason'])));
            return array(strtolower($row['strike_state']), Words::strike($row['strike_state']), $why);
        }
        if (!(int) $row['enabled']) {
            return array('off', '꺼짐', '');
        }
        if ($row['seen_rev'] === null || (int) $row['seen_rev'] < (int) $row['rev']) {
            return array('unseen', '기계가 아직 못 봄', $row['seen_rev'] === null ? '' : '본 개정 ' . $row['seen_rev']);
        }
        return array(strtolower($row['machine_state']), Words::condition($row['machine_state']), (string) $row['machine_reason']);
    }

    const COLUMNS = 'SELECT c.*, l.name, l.last_close, m.price, m.price_change, m.halted, s.seen_rev, s.state AS machine_state,'
        . ' s.reason AS machine_reason, k.id AS strike_id, k.state AS strike_state, k.reason AS strike_reason, k.order_no, k.filled, k.quantity AS ordered';

    private static function joins(Db $db): string
    {
        return ' LEFT JOIN ' . $db->view('v_market') . ' m ON m.symbol = c.symbol'
            . ' LEFT JOIN ' . $db->view('v_condition_state') . ' s ON s.condition_id = c.id'
            . ' LEFT JOIN ' . $db->view('v_strike') . ' k ON k.condition_id = c.id AND k.arm_no = c.arm_no';
    }
}
