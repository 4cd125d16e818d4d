<?php
require __DIR__ . '/sub.head.php';
?>
<header id="hd"><div id="hd_top"><strong id="logo">stockd <small>개발용 사이트</small></strong>
    <span class="tnb"><?php echo htmlspecialchars($member['mb_nick']); ?>님 · <a href="/bbs/logout.php">로그아웃</a></span></div>
    <nav id="gnb" aria-label="관리자 주메뉴"><ul><?php
    foreach ($menu as $rows) {
        foreach ($rows as $n => $row) {
            if ($n === 0) {
                echo '<li class="gnb_head">', htmlspecialchars($row[1]), '</li>';
            } elseif ($is_admin === 'super' || strpos($auth[$row[0]] ?? '', 'r') !== false) {
                echo '<li><a href="', htmlspecialchars($row[2]), '"', $row[0] === $sub_menu ? ' class="on" aria-current="page"' : '', '>', htmlspecialchars($row[1]), '</a></li>';
            }
        }
    } ?></ul></nav></header>
<div id="wrapper"><div id="container"><h1 id="container_title"><?php echo htmlspecialchars($g5['title']); ?></h1><div class="container_wr">
