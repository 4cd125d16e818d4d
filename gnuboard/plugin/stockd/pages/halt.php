<?php
namespace Stockd\Site;

if (!defined('_GNUBOARD_')) {
    exit;
}
?>
<div class="sd-halt" data-halt="<?php echo $view['halt'] !== null ? 1 : 0; ?>">
    <div class="sd-halt-on" data-halted<?php echo $view['halt'] === null ? ' hidden' : ''; ?> role="alert">
        <strong>정지 중</strong> <span data-halt-why><?php echo $view['halt'] === null ? '' : Html::h($view['halt']['reason'] . ' · ' . $view['halt']['actor'] . ' · ' . substr($view['halt']['at'], 0, 19)); ?></span>
    </div>
    <?php if ($view['may_halt']) { ?>
    <form method="post" action="<?php echo Html::h($view['url']); ?>" class="sd-halt-form" data-halt-form<?php echo $view['halt'] !== null ? ' hidden' : ''; ?>>
        <input type="hidden" name="act" value="halt"><?php echo Csrf::field($view['member']); ?>
        <input type="text" name="reason" class="frm_input sd-input" maxlength="200" placeholder="이유 (비워도 됩니다)" aria-label="정지하는 이유">
        <label class="sd-check"><input type="checkbox" name="cancel_open" value="1"> 미체결도 취소</label>
        <button type="submit" class="sd-stop">정지</button>
    </form>
    <?php } ?>
</div>
