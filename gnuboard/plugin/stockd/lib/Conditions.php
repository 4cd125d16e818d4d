<?php
namespace Stockd\Site;

/**
 * Changes to conditions, each with its line of history in the same transaction. $owner narrows every
 * statement to one member's own rows; null sees all. Editing an armed condition disarms it; what needs
 * the current revision says so, disarming never does: switching off must not fail because of a stale page.
 */
final class Conditions
{
    /** @var Db */
    private $db;
    /** @var string */
    private $actor;
    /** @var string */
    private $ip;
    /** @var string|null */
    private $owner;

    public function __construct(Db $db, string $actor, string $ip, $owner = null)
    {
        $this->db = $db;
        $this->actor = substr($actor, 0, 20);
        $this->ip = substr($ip, 0, 45);
        $this->owner = $owner;
    }

    /** @return array<string,mixed>|null a condition that is not removed */
    public function find(int $id)
    {
        list($scope, $values) = $this->scope();
        return $this->db->one("SELECT * FROM {$this->table()} WHERE id = ? AND deleted_at IS NULL" . $scope, array_merge(array($id), $values));
    }

    /**
     * Adds a condition, disarmed, and for a buy its exit pair: $exits is side => price of 'profit' and
     * 'stop'; they wait for this condition's fill and end each other.
     */
    public function add(array $made, array $exits, Context $context): int
    {
        $this->own($made);
        return $this->db->together(function () use ($made, $exits, $context) {
            $id = $this->insert($made);
            $shares = (string) Validate::orderQuantity($made, (int) $made['strike_price']);
            foreach ($exits as $what => $price) {
                $this->insert(Validate::row(array(
                    'symbol' => $made['symbol'], 'side' => 'SELL', 'trigger_op' => $what === 'profit' ? 'GE' : 'LE',
                    'strike_price' => $price, 'venue' => $made['venue'], 'quantity' => $shares,
                    // the stop must get out whatever the price is by then
                    'order_kind' => $what === 'profit' ? 'LIMIT' : ($made['venue'] === 'NXT' ? 'BEST' : 'MARKET'),
                    'memo' => ($what === 'profit' ? '익절' : '손절') . ' #' . $id,
                    'arms_after' => (string) $id, 'oco_group' => (string) $id,
                ), $context));
            }
            return $id;
        });
    }

    /** @throws Refusal when $rev is not the row's */
    public function edit(int $id, int $rev, array $made)
    {
        $this->own($made);
        $this->db->together(function () use ($id, $rev, $made) {
            $this->current($id, $rev);
            $sets = array();
            foreach (Validate::FIELDS as $field) {
                $sets[] = "$field = ?";
            }
            $values = array_map(static function ($field) use ($made) {
                return $made[$field];
            }, Validate::FIELDS);
            $this->write($id, 'EDIT', implode(', ', $sets) . ', enabled = 0', $values);
        });
    }

    /** Arms a condition and the exits that wait for it. @return int how many were armed @throws Refusal */
    public function arm(int $id, int $rev): int
    {
        return $this->db->together(function () use ($id, $rev) {
            $row = $this->current($id, $rev);
            if ($row['enabled']) {
                throw new Refusal('이미 장전되어 있습니다.');
            }
            $this->write($id, 'ARM', 'enabled = 1, arm_no = arm_no + 1', array());
            return 1 + $this->each($this->waiting($id, 0), 'ARM', 'enabled = 1, arm_no = arm_no + 1');
        });
    }

    /** Disarms a condition; its exits too unless it has struck, for then they guard what was bought. */
    public function disarm(int $id): int
    {
        return $this->db->together(function () use ($id) {
            $row = $this->locked($id);
            if ($row === null) {
                throw new Refusal('그런 조건이 없습니다.');
            }
            if (!$row['enabled']) {
                return 0;
            }
            $this->write($id, 'DISARM', 'enabled = 0', array());
            $struck = $this->db->one('SELECT 1 AS struck FROM ' . $this->db->view('v_strike') . ' WHERE condition_id = ? AND arm_no = ? LIMIT 1', array($id, (int) $row['arm_no']));
            return 1 + ($struck ? 0 : $this->each($this->waiting($id, 1), 'DISARM', 'enabled = 0'));
        });
    }

    /** Disarms everything armed in sight. @param int[]|null $only @return int how many */
    public function disarmAll($only = null): int
    {
        return $this->db->together(function () use ($only) {
            list($scope, $values) = $this->scope();
            $ids = array();
            foreach ($this->db->rows("SELECT id FROM {$this->table()} WHERE enabled = 1 AND deleted_at IS NULL$scope FOR UPDATE", $values) as $row) {
                if ($only === null || in_array((int) $row['id'], $only, true)) {
                    $ids[] = (int) $row['id'];
                }
            }
            return $this->each($ids, 'DISARM', 'enabled = 0');
        });
    }

    /** Marks as removed (the row stays), with the exits that still wait for it. @throws Refusal */
    public function remove(int $id, int $rev)
    {
        $this->db->together(function () use ($id, $rev) {
            $this->current($id, $rev);
            $this->write($id, 'REMOVE', 'enabled = 0, deleted_at = NOW(6)', array());
            $struck = $this->db->one('SELECT 1 AS struck FROM ' . $this->db->view('v_strike') . ' WHERE condition_id = ? LIMIT 1', array($id));
            if (!$struck) {
                $this->each($this->waiting($id, null), 'REMOVE', 'enabled = 0, deleted_at = NOW(6)');
            }
        });
    }

    /** A disarmed copy. @throws Refusal */
    public function copy(int $id): int
    {
        $row = $this->find($id);
        if ($row === null) {
            throw new Refusal('그런 조건이 없습니다.');
        }
        return $this->db->together(function () use ($row) {
            return $this->insert($row);
        });
    }

    /** @return array<int,array<string,mixed>> who changed it, when, from where, to what; newest first */
    public function history(int $id): array
    {
        list($scope, $values) = $this->scope();
        $there = $this->db->one("SELECT id FROM {$this->table()} WHERE id = ?" . $scope, array_merge(array($id), $values));
        if ($there === null) {
            return array();
        }
        return $this->db->rows('SELECT rev, action, actor, actor_ip, row_json, at FROM ' . $this->db->table('condition_log') . ' WHERE condition_id = ? ORDER BY id DESC LIMIT 100', array($id));
    }

    private function table(): string
    {
        return $this->db->table('condition');
    }

    private function scope(): array
    {
        return $this->owner === null ? array('', array()) : array(' AND owner = ?', array($this->owner));
    }

    /** References must point at conditions the writer may see; else a member could end another's. */
    private function own(array $made)
    {
        if ($made['arms_after'] !== null && $this->find((int) $made['arms_after']) === null) {
            throw new BadCondition('arms_after', (string) $made['arms_after'], 'unknown_condition', '그런 조건이 없습니다');
        }
        if ($made['oco_group'] !== null && $this->owner !== null) {
            $foreign = $this->db->one("SELECT 1 AS f FROM {$this->table()} WHERE oco_group = ? AND owner <> ? LIMIT 1", array((int) $made['oco_group'], $this->owner));
            if ($foreign !== null) {
                throw new BadCondition('oco_group', (string) $made['oco_group'], 'unknown_condition', '쓸 수 없는 묶음 번호입니다');
            }
        }
    }

    private function insert(array $made): int
    {
        $names = Validate::FIELDS;
        $values = array_map(static function ($field) use ($made) {
            return $made[$field];
        }, $names);
        $names = implode(', ', $names) . ', owner, enabled, created_by, updated_by, created_at, updated_at';
        $marks = implode(', ', array_fill(0, count($values) + 1, '?')) . ', 0, ?, ?, NOW(6), NOW(6)';
        $owner = $this->owner !== null ? $this->owner : (isset($made['owner']) ? $made['owner'] : $this->actor);
        array_push($values, $owner, $this->actor, $this->actor);
        $this->db->change("INSERT INTO {$this->table()} ($names) VALUES ($marks)", $values);
        $id = $this->db->newId();
        $this->log($id, 'ADD');
        return $id;
    }

    /** @return array<string,mixed>|null */
    private function locked(int $id)
    {
        list($scope, $values) = $this->scope();
        return $this->db->one("SELECT * FROM {$this->table()} WHERE id = ? AND deleted_at IS NULL$scope FOR UPDATE", array_merge(array($id), $values));
    }

    /** @return array<string,mixed> @throws Refusal */
    private function current(int $id, int $rev): array
    {
        $row = $this->locked($id);
        if ($row === null) {
            throw new Refusal('그런 조건이 없습니다.');
        }
        if ((int) $row['rev'] !== $rev) {
            throw new Refusal('그 사이 다른 곳에서 변경되었습니다. 목록을 새로 열어 주십시오.');
        }
        return $row;
    }

    /** @return int[] exits waiting for condition $id; $enabled null: armed or not */
    private function waiting(int $id, $enabled): array
    {
        list($scope, $values) = $this->scope();
        $state = $enabled === null ? '' : ' AND enabled = ' . (int) $enabled;
        $rows = $this->db->rows("SELECT id FROM {$this->table()} WHERE arms_after = ? AND deleted_at IS NULL$state$scope FOR UPDATE", array_merge(array($id), $values));
        return array_map('intval', array_column($rows, 'id'));
    }

    /** @param int[] $ids */
    private function each(array $ids, string $action, string $sets): int
    {
        foreach ($ids as $id) {
            $this->write($id, $action, $sets, array());
        }
        return count($ids);
    }

    private function write(int $id, string $action, string $sets, array $values)
    {
        $changed = $this->db->change(
            "UPDATE {$this->table()} SET $sets, rev = rev + 1, updated_by = ?, updated_at = NOW(6) WHERE id = ?",
            array_merge($values, array($this->actor, $id))
        );
        if ($changed !== 1) {
            throw new DbError("condition $id: $action changed $changed rows");
        }
        $this->log($id, $action);
    }

    private function log(int $id, string $action)
    {
        $row = $this->db->one("SELECT * FROM {$this->table()} WHERE id = ?", array($id));
        $this->db->change(
            'INSERT INTO ' . $this->db->table('condition_log') . ' (condition_id, rev, action, actor, actor_ip, row_json, at) VALUES (?, ?, ?, ?, ?, ?, NOW(6))',
            array($id, (int) $row['rev'], $action, $this->actor, $this->ip, json_encode($row, JSON_UNESCAPED_UNICODE))
        );
    }
}
