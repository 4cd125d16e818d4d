<?php
if (!defined('_GNUBOARD_')) {
    exit;
}
?>
<div class="stockd" data-stockd>
    <div class="sd-alert sd-alert-bad" role="alert">
        <strong>데이터베이스에 닿지 않습니다.</strong>
        <?php if ($view['why'] === 'config') { ?>
        <p>연결 설정이 없습니다. 서버에서 <code>stockd gnuboard install 사이트경로</code> 를 실행하십시오.</p>
        <?php } else { ?>
        <p>MariaDB 가 켜져 있는지, <code>stockd gnuboard check 사이트경로</code> 가 무엇이라 하는지 보십시오. 자세한 까닭은 PHP 오류 기록에 있습니다.</p>
        <?php } ?>
    </div>
</div>
