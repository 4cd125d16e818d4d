<?php
// A small stand-in for a Gnuboard5 site, for the demo and the tests: php -S 127.0.0.1:PORT gnuboard/devhost/router.php
// Environment: DEVHOST_PASSWORD (for `admin`), DEVHOST_DB_{HOST,PORT,SOCKET,USER,PASSWORD,NAME},
// DEVHOST_PREFIX, DEVHOST_MACHINE_DB, DEVHOST_DATA (folder), DEVHOST_MEMBERS (JSON file).

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);

if (preg_match('#^/(plugin/stockd/assets/[A-Za-z0-9_./-]+|devhost\.css)$#', $path) && strpos($path, '..') === false) {
    $file = $path === '/devhost.css' ? __DIR__ . $path : dirname(__DIR__) . $path;
    $types = array('css' => 'text/css', 'js' => 'text/javascript');
    $type = $types[pathinfo($file, PATHINFO_EXTENSION)] ?? 'text/plain';
    if (is_file($file)) {
        header("Content-Type: $type; charset=utf-8");
        header('Cache-Control: max-age=3600');
        readfile($file);
        return true;
    }
}

require __DIR__ . '/core.php';
if (strpos($path, '/adm/') === 0) {
    define('G5_IS_ADMIN', true);
}
require __DIR__ . '/boot.php';
require dirname(__DIR__) . '/extend/stockd.extend.php';

switch ($path) {
    case '/':
    case '/adm/':
        // whoever is not signed in is shown the door, not an alert
        goto_url($is_member ? G5_ADMIN_URL . '/view.php?call=stockd_live' : G5_BBS_URL . '/login.php');
        // no break: goto_url ends the request
    case '/bbs/login.php':
    case '/bbs/login_check.php':
    case '/bbs/logout.php':
        require __DIR__ . '/login.php';
        return true;
    case '/adm/view.php':
        require __DIR__ . '/view.php';
        return true;
    case '/plugin/stockd/index.php':
    case '/plugin/stockd/':
        chdir(dirname(__DIR__) . '/plugin/stockd');
        require dirname(__DIR__) . '/plugin/stockd/index.php';
        return true;
    case '/favicon.ico':
        http_response_code(204);
        return true;
}
http_response_code(404);
echo 'devhost: 없는 페이지';
return true;
