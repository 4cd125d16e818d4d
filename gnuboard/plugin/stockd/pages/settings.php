<?php
namespace Stockd\Site;

if (!defined('_GNUBOARD_')) {
    exit;
}
$options = $view['options'];
?>
<div class="stockd" data-stockd="settings">
    <?php if ($view['said'] !== '') { ?><div class="sd-alert sd-alert-good" role="status"><?php echo Html::h($view['said']); ?></div><?php } ?>
    <?php if ($view['missing']) { ?>
    <div class="sd-alert sd-alert-bad" role="alert"><strong>없는 표나 열이 있습니다:</strong> <?php echo Html::h(implode(', ', $view['missing'])); ?>
        <p>서버에서 <code>stockd gnuboard install</code> 을 다시 실행하거나, 환경설정 &gt; DB업그레이드 를 누르십시오.</p></div>
    <?php } ?>
    <section class="sd-card"><h2 class="sd-title">정지 스위치</h2>
        <?php require __DIR__ . '/halt.php'; ?>
        <?php if ($view['halt'] !== null && $view['may_write']) { ?>
        <form method="post" action="<?php echo Html::h($view['url']); ?>" class="sd-line"><input type="hidden" name="act" value="resume"><?php echo Csrf::field($view['member']); ?>
            <div class="sd-field sd-field-wide"><label for="sd_reason">재개하는 이유</label><input type="text" id="sd_reason" name="reason" maxlength="200" required class="frm_input sd-input"></div>
            <?php if ($options['password_on_arm']) { ?><div class="sd-field"><label for="sd_pw">비밀번호</label><input type="password" id="sd_pw" name="password" class="frm_input sd-input" autocomplete="current-password"></div><?php } ?>
            <div class="sd-field sd-field-send"><button type="submit" class="btn btn_03 sd-btn sd-btn-main">재개</button></div></form>
        <?php } ?>
        <p class="sd-memo">정지하면 1초 안에 새 주문이 멈추고, 다시 켜도 풀리지 않습니다. 사람만 풀 수 있습니다.</p>
        <div class="tbl_head01 tbl_wrap sd-scroll"><table class="sd-table"><caption class="sound_only">정지 이력</caption><thead><tr><th scope="col">때</th><th scope="col">무엇</th><th scope="col">이유</th><th scope="col">누가</th><th scope="col">어디서</th></tr></thead><tbody>
        <?php foreach ($view['history'] as $n => $row) { ?><tr class="bg<?php echo $n % 2; ?>"><td><?php echo Html::h(substr($row['at'], 0, 19)); ?></td><td><span class="sd-chip<?php echo $row['action'] === 'HALT' ? ' sd-state-bad' : ' sd-chip-on'; ?>"><?php echo $row['action'] === 'HALT' ? '정지' : '재개'; ?></span></td><td class="td_left"><?php echo Html::h($row['reason']); ?></td><td><?php echo Html::h($row['actor']); ?></td><td><?php echo Html::h($row['source']); ?></td></tr><?php } ?>
        <?php if (!$view['history']) { ?><tr><td colspan="5" class="empty_table">정지한 적이 없습니다.</td></tr><?php } ?>
        </tbody></table></div></section>
    <section class="sd-card"><h2 class="sd-title">설정</h2>
        <form method="post" action="<?php echo Html::h($view['url']); ?>"><input type="hidden" name="act" value="options"><?php echo Csrf::field($view['member']); ?>
            <fieldset<?php echo $view['super'] ? '' : ' disabled'; ?>>
                <legend class="sound_only">플러그인 설정</legend>
                <p><label class="sd-check"><input type="checkbox" name="password_on_arm" value="1"<?php echo $options['password_on_arm'] ? ' checked' : ''; ?>> 장전할 때 비밀번호를 다시 묻습니다</label></p>
                <p><label class="sd-check"><input type="checkbox" name="member_page" value="1"<?php echo $options['member_page'] ? ' checked' : ''; ?>> 회원 페이지를 엽니다 (<?php echo Html::h(G5_PLUGIN_URL . '/stockd/index.php'); ?>). 회원은 자기 조건만 봅니다. 주문은 이 기계의 계좌로 나갑니다.</label></p>
                <p><label for="sd_level">회원 페이지를 볼 등급</label> <input type="number" id="sd_level" name="member_level" min="2" max="10" value="<?php echo (int) $options['member_level']; ?>" class="frm_input sd-input sd-tiny"> 이상</p>
                <p><label for="sd_own">내 비밀번호</label> <input type="password" id="sd_own" name="password" class="frm_input sd-input" autocomplete="current-password"> <button type="submit" class="btn btn_03 sd-btn">저장</button></p>
            </fieldset></form>
        <?php if (!$view['super']) { ?><p class="sd-memo">최고관리자만 바꿀 수 있습니다.</p><?php } ?></section>
</div>
