<?php
namespace Stockd\Site;

/** Who may do what: the super admin, or a sub-admin by the menu's own r/w/d. */
final class Rights
{
    /** Ends the request with the core's notice unless the visitor has $right on $page. */
    public static function need(string $page, string $right)
    {
        global $auth;
        auth_check_menu(is_array($auth) ? $auth : array(), Menu::id($page), $right);
    }

    public static function has(string $page, string $right): bool
    {
        global $auth;
        return !auth_check_menu(is_array($auth) ? $auth : array(), Menu::id($page), $right, true);
    }

    /** $is_admin is also 'board' or 'group' by request parameters alone, so only this one counts. */
    public static function super(): bool
    {
        global $is_admin;
        return $is_admin === 'super';
    }

    public static function member(): string
    {
        global $member;
        return isset($member['mb_id']) ? (string) $member['mb_id'] : '';
    }

    /** Whether $typed is the visitor's own password. */
    public static function password(string $typed): bool
    {
        global $member;
        // the core hashes what addslashes made of the password, so it is compared in that form
        return $typed !== '' && !empty($member['mb_password']) && check_password(addslashes($typed), $member['mb_password']);
    }
}
