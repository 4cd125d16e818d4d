<?php
namespace Stockd\Site;

/** The one place where text becomes HTML or JSON. */
final class Html
{
    /** @param mixed $text */
    public static function h($text): string
    {
        return htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
    }

    /** Whole won or shares with commas; '' for null. @param mixed $number */
    public static function won($number): string
    {
        return $number === null ? '' : number_format((int) $number);
    }

    /** @param mixed $value */
    public static function json($value): string
    {
        $flags = JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;
        return (string) json_encode($value, $flags);
    }

    /** Sends headers that no page of ours goes without. */
    public static function headers()
    {
        header('X-Frame-Options: SAMEORIGIN');
        header('X-Content-Type-Options: nosniff');
        header('Referrer-Policy: same-origin');
        header('Cache-Control: private, no-store');
    }

    /** Answers with JSON and ends the request; 304 when the reader already has it. @param mixed $value */
    public static function answer($value, bool $tagged = false)
    {
        $body = self::json($value);
        self::headers();
        header('Content-Type: application/json; charset=utf-8');
        header('X-Stockd-Now: ' . round(microtime(true) * 1000));
        header(sprintf('Server-Timing: answer;dur=%.2f', (microtime(true) - $_SERVER['REQUEST_TIME_FLOAT']) * 1000));
        if ($tagged) {
            $tag = '"' . md5($body) . '"';
            header('Cache-Control: private, no-cache');
            header('ETag: ' . $tag);
            if (isset($_SERVER['HTTP_IF_NONE_MATCH']) && $_SERVER['HTTP_IF_NONE_MATCH'] === $tag) {
                http_response_code(304);
                exit;
            }
        }
        echo $body;
        exit;
    }
}
