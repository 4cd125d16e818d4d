<?php
// Runs inside a real Gnuboard from the command line: core_cli.php ROOT seed JSON | core_cli.php ROOT leave MEMBER
$_SERVER += array(
    'HTTP_HOST' => '127.0.0.1', 'REMOTE_ADDR' => '127.0.0.1', 'SERVER_NAME' => '127.0.0.1', 'SERVER_PORT' => '80',
    'REQUEST_URI' => '/', 'SERVER_SOFTWARE' => 'test', 'HTTP_USER_AGENT' => 'test',
);
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/core_cli.php';
chdir($argv[1]);
include './common.php';
if ($argv[2] === 'leave') {
    run_event('member_delete_after', $argv[3]);
    exit;
}
foreach (json_decode($argv[3], true) as $one) {
    $hash = get_encrypt_string($one['password']);
    $level = isset($one['mb_level']) ? (int) $one['mb_level'] : 2;
    $id = $one['mb_id'];
    sql_query("INSERT INTO {$g5['member_table']} SET mb_id = '$id', mb_password = '$hash', mb_name = '$id', mb_nick = '$id',
        mb_email = '$id@example.invalid', mb_level = '$level', mb_datetime = NOW(), mb_email_certify = NOW(),
        mb_signature = '', mb_memo = '', mb_profile = ''", true);
    foreach (isset($one['auth']) ? $one['auth'] : array() as $menu => $rights) {
        sql_query("INSERT INTO {$g5['auth_table']} SET mb_id = '$id', au_menu = '$menu', au_auth = '$rights'", true);
    }
}
echo 'seeded';
