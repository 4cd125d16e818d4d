<?php
// The few core names the plugin uses (manifest.json), as Gnuboard5 gives them: nothing more.

/** Hooks: tag => callables. @return array<string,callable[]> */
function &devhost_hooks()
{
    static $hooks = array();
    return $hooks;
}

function add_event($tag, $func, $priority = 8, $args = 0)
{
    $hooks = &devhost_hooks();
    $hooks[$tag][] = array($func, $args);
}

function add_replace($tag, $func, $priority = 8, $args = 0)
{
    add_event($tag, $func, $priority, $args);
}

function run_event($tag)
{
    $given = array_slice(func_get_args(), 1);
    foreach (devhost_hooks()[$tag] ?? array() as $hook) {
        call_user_func_array($hook[0], array_slice($given, 0, $hook[1]));
    }
}

function run_replace($tag, $value)
{
    foreach (devhost_hooks()[$tag] ?? array() as $hook) {
        $changed = call_user_func($hook[0], $value);
        $value = $changed === null ? $value : $changed;
    }
    return $value;
}

function get_session($name)
{
    return $_SESSION[$name] ?? '';
}

function set_session($name, $value)
{
    $_SESSION[$name] = $value;
}

/** @return array<string,mixed> the member's row, empty when there is none */
function get_member($mb_id)
{
    global $members;
    return $members[$mb_id] ?? array();
}

function check_password($pass, $hash)
{
    return hash_equals($hash, devhost_hash($pass));
}

function devhost_hash($pass)
{
    return hash_hmac('sha256', $pass, 'devhost');
}

function goto_url($url)
{
    header('Location: ' . $url);
    exit;
}

/** A refusal is an HTTP 200 page with a script, as in the core. */
function alert($msg = '', $url = '')
{
    $flags = JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS | JSON_HEX_QUOT | JSON_UNESCAPED_UNICODE;
    $go = $url === '' ? 'history.back()' : 'location.replace(' . json_encode($url, $flags) . ')';
    header('Content-Type: text/html; charset=utf-8');
    echo '<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>오류안내 페이지</title></head><body><script>alert(',
        json_encode(html_entity_decode(strip_tags($msg), ENT_QUOTES), $flags), ');', $go, ';</script><noscript><p>', htmlspecialchars(strip_tags($msg), ENT_QUOTES, 'UTF-8', false), '</p></noscript></body></html>';
    exit;
}

function auth_check_menu($auth, $sub_menu, $attr, $return = false)
{
    global $is_admin;
    if ($is_admin === 'super' || strpos($auth[$sub_menu] ?? '', $attr) !== false) {
        return null;
    }
    $words = '이 메뉴에는 접근 권한이 없습니다.';
    if ($return) {
        return $words;
    }
    alert($words);
}

/** Tags for the head: @return string[] */
function &devhost_head()
{
    static $tags = array();
    return $tags;
}

function add_stylesheet($tag, $order = 0)
{
    $tags = &devhost_head();
    $tags[] = $tag;
}

function add_javascript($tag, $order = 0)
{
    add_stylesheet($tag, $order);
}
