<?php
namespace Stockd\Site;

/** A member who was deleted, left or was blocked (차단): his conditions are disarmed. The core only logs him out. */
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

    /** After 회원관리 > 수정. @param mixed $w @param mixed $mb_id */
    public static function edited($w, $mb_id)
    {
        self::disarmIfOut(is_string($mb_id) ? $mb_id : '');
    }

    /** After 회원관리 > 선택수정·선택삭제. @param mixed $act @param mixed $members rows as they were before */
    public static function listed($act, $members)
    {
        foreach (is_array($members) ? $members : array() as $one) {
            self::disarmIfOut(is_array($one) && isset($one['mb_id']) ? (string) $one['mb_id'] : '');
        }
    }

    private static function disarmIfOut(string $mb_id)
    {
        $now = $mb_id === '' ? null : get_member($mb_id);
        if (empty($now['mb_id'])) {
            return;
        }
        if (!empty($now['mb_intercept_date'])) {
            self::disarm($mb_id, '회원 차단');
        } elseif (!empty($now['mb_leave_date'])) {
            self::disarm($mb_id, '회원 탈퇴');
        }
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
