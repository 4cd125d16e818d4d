<?php
if (!defined('_GNUBOARD_')) {
    exit;
}
header('Content-Type: text/html; charset=utf-8');
?>
<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title><?php echo htmlspecialchars($g5['title'] === '' ? '자동매매' : $g5['title'] . ' | 자동매매'); ?></title>
<script>if (matchMedia('(prefers-color-scheme: dark)').matches) { document.documentElement.dataset.theme = 'dark'; }</script>
<link rel="stylesheet" href="/devhost.css">
<?php echo implode("\n", devhost_head()); ?>
</head>
<body>
