<?php
namespace Stockd\Site;

/** A member who was deleted or left: his conditions are disarmed. The core only logs him out. */
final class Leaving
{
    /** @param mixed $mb_id */
    public static function deleted($mb_id)
    {
        self::disarm(is_string($mb_id) ? $mb_id : '', '회원 삭제');
    }

    /** @param mixed $member */
    public static function left($member)
    {
        self::disarm(is_array($member) && isset($member['mb_id']) ? (string) $member['mb_id'] : '', '회원 탈퇴');
    }

    private static function disarm(string $mb_id, string $why)
    {
        if ($mb_id === '') {
            return;
        }
        try {
            $conditions = new Conditions(Db::shared(), $why, '', $mb_id);
            $conditions->disarmAll();
        } catch (\Throwable $error) {
            // leaving the site must work without our database; the log says that rows may be armed
            error_log('stockd plugin: ' . $mb_id . ' left, conditions not disarmed: ' . $error->getMessage());
        }
    }
}
