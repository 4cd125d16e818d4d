<?php
namespace Stockd\Site;

/**
 * What the visitor sent. The core runs addslashes over GET and POST, so the slashes come off here, once;
 * arrays where text is expected, broken UTF-8 and NUL are refused.
 */
final class Input
{
    /** @throws BadCondition */
    public static function post(string $name): string
    {
        return self::clean($name, isset($_POST[$name]) ? $_POST[$name] : '');
    }

    /** @throws BadCondition */
    public static function get(string $name): string
    {
        return self::clean($name, isset($_GET[$name]) ? $_GET[$name] : '');
    }

    /** A stock's code, '' when $text is none: an ASCII column compared with other letters is an error of the server. */
    public static function symbol(string $text): string
    {
        return preg_match('/^[A-Z0-9]{6,9}$/D', $text) ? $text : '';
    }

    /** A positive whole number, 0 when it is none. */
    public static function number(string $text): int
    {
        return preg_match('/^[0-9]{1,15}$/D', $text) ? (int) $text : 0;
    }

    /** @return array<string,string> the condition's fields as typed */
    public static function condition(array $names): array
    {
        $row = array();
        foreach ($names as $name) {
            $row[$name] = $_SERVER['REQUEST_METHOD'] === 'POST' ? self::post($name) : self::get($name);
        }
        return $row;
    }

    /** Ids ticked in a list. @return int[] */
    public static function ids(string $name): array
    {
        $given = isset($_POST[$name]) && is_array($_POST[$name]) ? $_POST[$name] : array();
        $ids = array();
        foreach (array_slice($given, 0, 200) as $one) {
            if (is_string($one) && self::number($one) > 0) {
                $ids[] = self::number($one);
            }
        }
        return $ids;
    }

    private static function clean(string $name, $value): string
    {
        if (!is_string($value)) {
            throw new BadCondition($name, '', 'not_text', '한 가지 값만 받습니다');
        }
        $value = stripslashes($value);
        if (!preg_match('//u', $value) || strpos($value, "\0") !== false) {
            throw new BadCondition($name, '', 'bad_characters', '읽을 수 없는 글자가 있습니다');
        }
        return $value;
    }
}
