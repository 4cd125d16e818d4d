<?php
// 회원 페이지 (설정에서 켠 때만): each member his own conditions only.
include_once './_common.php';
if (!defined('_GNUBOARD_')) {
    exit;
}
if (!class_exists('Stockd\\Site\\MemberPage')) {
    exit; // the loader in extend/ is gone
}
Stockd\Site\MemberPage::request();
include_once G5_PATH . '/head.php';
Stockd\Site\MemberPage::body();
include_once G5_PATH . '/tail.php';
