<?php
namespace Stockd\Site;

/**
 * Our own form token: HMAC over member and time with a key of the session, taken from $_POST alone.
 *
 * The core's check_token() accepts anything up to 5.6.25, and its admin token is one value a session,
 * burnt by any other tab: with a live page open, the stop button of a second tab would be refused.
 */
final class Csrf
{
    const FIELD = 'stockd_token';
    const LIVES = 7200; // seconds
    const KEY = 'ss_stockd_key';

    public static function token(string $member, int $now): string
    {
        return $now . '.' . hash_hmac('sha256', $member . '|' . $now, self::key());
    }

    /** Whether $given was made for $member in this session within the last two hours. */
    public static function holds(string $given, string $member, int $now): bool
    {
        if (!preg_match('/^([0-9]{9,11})\.[0-9a-f]{64}$/D', $given, $m) || get_session(self::KEY) === '') {
            return false;
        }
        $made = (int) $m[1];
        if ($made > $now || $made < $now - self::LIVES) {
            return false;
        }
        return hash_equals(self::token($member, $made), $given);
    }

    public static function field(string $member): string
    {
        return '<input type="hidden" name="' . self::FIELD . '" value="' . Html::h(self::token($member, time())) . '">';
    }

    private static function key(): string
    {
        $key = (string) get_session(self::KEY);
        if ($key === '') {
            $key = bin2hex(random_bytes(32));
            set_session(self::KEY, $key);
        }
        return $key;
    }
}
