<?php
require __DIR__ . '/sub.head.php';
?>
<header id="hd"><div id="hd_top"><strong id="logo">stockd <small>개발용 사이트</small></strong>
    <span class="tnb"><?php echo htmlspecialchars($member['mb_id']); ?>님 · <a href="/bbs/logout.php">로그아웃</a></span></div></header>
<div id="wrapper"><div id="container" class="front"><h1 id="container_title"><?php echo htmlspecialchars($g5['title']); ?></h1><div class="container_wr">
