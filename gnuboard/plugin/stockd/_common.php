<?php
// alert() of the core includes ./_common.php of the calling script's folder
if (!defined('_GNUBOARD_')) {
    include_once dirname(__DIR__, 2) . '/common.php';
}
