<?php
// Who is asking and from where: constants, session, member, escaped input. Loopback only.

if (!in_array($_SERVER['REMOTE_ADDR'] ?? '', array('127.0.0.1', '::1'), true)
    || !preg_match('/^(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?$/', $_SERVER['HTTP_HOST'] ?? '')) {
    http_response_code(403);
    exit('devhost: loopback only');
}
$password = (string) getenv('DEVHOST_PASSWORD');
if ($password === '') {
    http_response_code(500);
    exit('devhost: DEVHOST_PASSWORD is not set');
}
date_default_timezone_set('Asia/Seoul');

define('_GNUBOARD_', true);
define('G5_PATH', __DIR__);
define('G5_URL', 'http://' . $_SERVER['HTTP_HOST']);
define('G5_ADMIN_URL', G5_URL . '/adm');
define('G5_BBS_URL', G5_URL . '/bbs');
define('G5_PLUGIN_URL', G5_URL . '/plugin');
define('G5_DATA_PATH', getenv('DEVHOST_DATA') ?: sys_get_temp_dir() . '/stockd-devhost-' . $_SERVER['SERVER_PORT']);
foreach (array(G5_DATA_PATH, G5_DATA_PATH . '/session') as $folder) {
    if (!is_dir($folder)) {
        @mkdir($folder, 0700, true);
    }
}
$conf = G5_DATA_PATH . '/stockd.config.php';
if (!is_file($conf)) { // no secret on disk: it points back at the environment
    file_put_contents($conf, '<?php return require ' . var_export(__DIR__ . '/config_from_env.php', true) . ';');
}

session_save_path(G5_DATA_PATH . '/session');
session_set_cookie_params(array('path' => '/', 'httponly' => true, 'samesite' => 'Lax'));
session_start();

// the core runs addslashes over all input; so does this host, to catch a plugin that forgets
array_walk_recursive($_POST, static function (&$value) {
    $value = addslashes($value);
});
array_walk_recursive($_GET, static function (&$value) {
    $value = addslashes($value);
});

$members = array('admin' => array('mb_id' => 'admin', 'mb_nick' => '최고관리자', 'mb_level' => 10, 'mb_password' => devhost_hash(addslashes($password)), 'auth' => array()));
$more = getenv('DEVHOST_MEMBERS'); // a JSON file: [{"mb_id", "mb_level", "password", "auth": {"770100": "rw"}}]
if ($more && is_file($more)) {
    foreach (json_decode(file_get_contents($more), true) as $one) {
        $members[$one['mb_id']] = array('mb_id' => $one['mb_id'], 'mb_nick' => $one['mb_id'], 'mb_level' => $one['mb_level'] ?? 2,
            'mb_password' => devhost_hash(addslashes($one['password'])), 'auth' => $one['auth'] ?? array());
    }
}
$g5 = array('title' => '');
$member = $members[get_session('ss_mb_id')] ?? array('mb_id' => '', 'mb_level' => 1, 'mb_password' => '', 'auth' => array());
$is_member = $member['mb_id'] !== '';
$is_admin = $member['mb_id'] === 'admin' ? 'super' : '';
$auth = $member['auth'];
