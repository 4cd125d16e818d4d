<?php
if (!defined('_GNUBOARD_')) {
    exit;
}
if ($path === '/bbs/logout.php') {
    $_SESSION = array();
    goto_url(G5_URL . '/bbs/login.php');
}
if ($path === '/bbs/login_check.php') {
    $who = is_string($_POST['mb_id'] ?? null) ? $_POST['mb_id'] : '';
    $pass = is_string($_POST['mb_password'] ?? null) ? $_POST['mb_password'] : '';
    if ($_SERVER['REQUEST_METHOD'] !== 'POST' || !isset($members[$who]) || !check_password($pass, $members[$who]['mb_password'])) {
        alert('가입된 회원아이디가 아니거나 비밀번호가 틀립니다.', G5_BBS_URL . '/login.php');
    }
    session_regenerate_id(true);
    set_session('ss_mb_id', $who);
    $url = is_string($_POST['url'] ?? null) ? stripslashes($_POST['url']) : '';
    goto_url(preg_match('#^/[A-Za-z0-9_/.?=&%-]*$#D', $url) && strpos($url, '//') === false ? G5_URL . $url : G5_URL . '/');
}
$g5['title'] = '로그인';
$url = is_string($_GET['url'] ?? null) ? stripslashes($_GET['url']) : '';
require __DIR__ . '/sub.head.php';
?>
<main id="login"><h1>stockd <small>개발용 사이트</small></h1>
<form method="post" action="/bbs/login_check.php">
    <input type="hidden" name="url" value="<?php echo htmlspecialchars($url, ENT_QUOTES); ?>">
    <label for="login_id">아이디</label><input type="text" name="mb_id" id="login_id" value="admin" required autocomplete="username">
    <label for="login_pw">비밀번호</label><input type="password" name="mb_password" id="login_pw" required autofocus autocomplete="current-password">
    <button type="submit">로그인</button>
</form></main>
</body>
</html>
