<?php
// adm/view.php as the core has it: menu, right to be here at all, request handler, head, body, tail.
if (!defined('_GNUBOARD_')) {
    exit;
}
if (!$is_member) {
    alert('로그인 하십시오.', G5_BBS_URL . '/login.php?url=' . rawurlencode(stripslashes($_SERVER['REQUEST_URI'])));
}
if ($is_admin !== 'super' && !$auth) {
    alert('최고관리자 또는 관리권한이 있는 회원만 접근 가능합니다.', G5_BBS_URL . '/login.php');
}
$amenu = run_replace('admin_amenu', array());
$menu = run_replace('admin_menu', array());
$call = strtolower(preg_replace('/[^a-z0-9_]/i', '', is_string($_GET['call'] ?? null) ? $_GET['call'] : ''));
$sub_menu = '';
foreach ($menu as $rows) {
    foreach ($rows as $row) {
        if ($row[3] === $call) {
            list($sub_menu, $g5['title']) = $row;
        }
    }
}
if ($sub_menu === '') {
    return;
}
run_event('admin_request_handler_' . $call);
require __DIR__ . '/admin.head.php';
run_event('admin_get_page_' . $call);
require __DIR__ . '/admin.tail.php';
