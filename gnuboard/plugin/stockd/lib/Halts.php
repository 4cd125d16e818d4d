<?php
namespace Stockd\Site;

/** The stop switch: append-only rows, the last one counts. Only a person resumes. */
final class Halts
{
    /** @return array{reason:string,actor:string,source:string,at:string,cancel_open:int}|null the halt in force */
    public static function current(Db $db)
    {
        $row = $db->one('SELECT action, reason, actor, source, cancel_open, at FROM ' . $db->table('halt') . ' ORDER BY id DESC LIMIT 1');
        return $row !== null && $row['action'] === 'HALT' ? $row : null;
    }

    /** @return array<int,array<string,mixed>> newest first */
    public static function history(Db $db, int $count): array
    {
        return $db->rows('SELECT action, reason, actor, source, cancel_open, at FROM ' . $db->table('halt') . ' ORDER BY id DESC LIMIT ?', array($count));
    }

    /** Always writes, also when already halted: a second press is never wrong. @throws Refusal */
    public static function halt(Db $db, string $reason, string $actor, bool $cancel_open)
    {
        self::write($db, 'HALT', $reason === '' ? '페이지의 정지 단추' : $reason, $actor, $cancel_open);
    }

    /** @throws Refusal without a reason */
    public static function resume(Db $db, string $reason, string $actor)
    {
        if ($reason === '') {
            throw new Refusal('재개하는 이유를 적어 주십시오.');
        }
        if (self::current($db) !== null) {
            self::write($db, 'RESUME', $reason, $actor, false);
        }
    }

    private static function write(Db $db, string $action, string $reason, string $actor, bool $cancel_open)
    {
        if (preg_match('/^.{201}/us', $reason) || preg_match('/[\x00-\x1f]/', $reason)) {
            throw new Refusal('이유는 제어 문자 없이 200자까지 적습니다.');
        }
        $db->change(
            'INSERT INTO ' . $db->table('halt') . " (action, reason, actor, source, cancel_open, at) VALUES (?, ?, ?, 'PLUGIN', ?, NOW(6))",
            array($action, $reason, $actor, (int) $cancel_open)
        );
    }
}
