<?php
// 자동매매(stockd) 플러그인을 부른다. 플러그인이 깨져도 사이트는 떠야 하므로 모든 오류를 여기서 삼킨다.
if (!defined('_GNUBOARD_')) {
    exit;
}

(static function () {
    $bootstrap = dirname(__DIR__) . '/plugin/stockd/bootstrap.php';
    if (!is_file($bootstrap)) {
        return;
    }
    try {
        require_once $bootstrap;
    } catch (\Throwable $error) {
        error_log('stockd plugin: ' . $error->getMessage() . ' at ' . $error->getFile() . ':' . $error->getLine());
    }
})();
