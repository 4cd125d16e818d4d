<?php
namespace Stockd\Site;

if (!defined('_GNUBOARD_')) {
    exit;
}
require __DIR__ . '/parts.php';
$form = $view['form'];
$editing = $view['editing'];
$problem = $view['problem'];
$more = array('limit_price', 'amount', 'valid_from', 'valid_until', 'window_from', 'window_until', 'max_age_ms', 'day_amount_cap', 'day_strike_cap', 'trail_percent', 'arms_after', 'oco_group', 'exit_profit', 'exit_stop');
$open = $problem !== null && in_array($problem->field, $more, true);
foreach ($more as $name) {
    $open = $open || ($form[$name] !== '' && !($name === 'max_age_ms' && $form[$name] === '3000'));
}
?>
<form method="post" action="<?php echo Html::h($view['url']); ?>" class="sd-card sd-form" id="sd_form" autocomplete="off" novalidate>
    <input type="hidden" name="act" value="<?php echo $editing === null ? 'add' : 'edit'; ?>">
    <input type="hidden" name="id" value="<?php echo $editing === null ? '' : (int) $editing['id']; ?>">
    <input type="hidden" name="rev" value="<?php echo $editing === null ? '' : (int) $editing['rev']; ?>">
    <?php echo Csrf::field($view['member']); ?>
    <h2 class="sd-title"><?php echo $editing === null ? '새 조건' : '조건 #' . (int) $editing['id'] . ' 고치기'; ?>
        <?php if ($editing !== null && (int) $editing['enabled']) { ?><span class="sd-chip sd-chip-warn">장전됨 · 저장하면 해제됩니다</span><?php } ?></h2>
    <div class="sd-line">
        <div class="sd-field sd-field-stock<?php echo $problem !== null && $problem->field === 'symbol' ? ' sd-wrong' : ''; ?>" data-field="symbol">
            <label for="sd_symbol">종목</label>
            <input type="text" name="symbol" id="sd_symbol" class="frm_input sd-input" value="<?php echo Html::h($form['symbol']); ?>" placeholder="이름 또는 코드" maxlength="40" required
                role="combobox" aria-autocomplete="list" aria-expanded="false" aria-controls="sd_found">
            <ul id="sd_found" role="listbox" aria-label="찾은 종목" hidden></ul>
        </div>
        <div class="sd-field" data-field="side"><label for="sd_side">구분</label><?php $select('side', Words::SIDE, $form['side'] === '' ? 'BUY' : $form['side'], '구분'); ?></div>
        <?php $field('strike_price', '원', 'text', 'inputmode="numeric" maxlength="15" required'); ?>
        <div class="sd-field" data-field="trigger_op"><label for="sd_trigger_op">방향</label><?php $select('trigger_op', array('' => '자동', 'LE' => '이하이면', 'GE' => '이상이면'), $form['trigger_op'], '방향'); ?></div>
        <?php $field('quantity', '주', 'text', 'inputmode="numeric" maxlength="15"'); ?>
        <div class="sd-field" data-field="order_kind"><label for="sd_order_kind">주문 종류</label><?php $select('order_kind', Validate::KINDS, $form['order_kind'] === '' ? 'LIMIT' : $form['order_kind'], '주문 종류'); ?></div>
        <div class="sd-field" data-field="venue"><label for="sd_venue">거래소</label><?php $select('venue', array_combine(Validate::VENUES, Validate::VENUES), $form['venue'] === '' ? 'KRX' : $form['venue'], '거래소'); ?></div>
        <div class="sd-field sd-field-send"><button type="submit" class="btn btn_03 sd-btn sd-btn-main"><?php echo $editing === null ? '추가' : '저장'; ?></button>
            <?php if ($editing !== null) { ?><a href="<?php echo Html::h($view['url']); ?>" class="btn btn_02 sd-btn">그만두기</a><?php } ?></div>
    </div>
    <p class="sd-hint" id="sd_quote" aria-live="polite"></p>
    <p class="sd-hint<?php echo $problem === null ? '' : ' sd-hint-bad'; ?>" id="sd_problem" role="status"><?php
        echo $problem === null ? '' : Html::h(Fields::label($problem->field) . ': ' . $problem->getMessage()); ?></p>
    <details class="sd-more"<?php echo $open ? ' open' : ''; ?>>
        <summary>자세히: 금액, 청산 한 쌍, 기간·시간대, 한도, 트레일링</summary>
        <div class="sd-line">
            <?php
            $field('limit_price', '원', 'text', 'inputmode="numeric" maxlength="15" placeholder="비우면 타격 가격"');
            $field('amount', '원', 'text', 'inputmode="numeric" maxlength="15" placeholder="수량 대신"');
            if ($editing === null) {
                $field('exit_profit', '원', 'text', 'inputmode="numeric" maxlength="15" placeholder="매수 뒤 익절"');
                $field('exit_stop', '원', 'text', 'inputmode="numeric" maxlength="15" placeholder="매수 뒤 손절"');
            }
            $field('trail_percent', '%', 'text', 'inputmode="decimal" maxlength="6"');
            $field('valid_from', '', 'datetime-local', '');
            $field('valid_until', '', 'datetime-local', '');
            $field('window_from', '', 'time', '');
            $field('window_until', '', 'time', '');
            $field('max_age_ms', 'ms', 'text', 'inputmode="numeric" maxlength="5" placeholder="3000"');
            $field('day_amount_cap', '원', 'text', 'inputmode="numeric" maxlength="15"');
            $field('day_strike_cap', '회', 'text', 'inputmode="numeric" maxlength="5"');
            $field('arms_after', '#', 'text', 'inputmode="numeric" maxlength="15" placeholder="조건 번호"');
            $field('oco_group', '#', 'text', 'inputmode="numeric" maxlength="15"');
            ?>
        </div>
    </details>
    <?php $field('memo', '', 'text', 'maxlength="200" placeholder="왜 이 조건을 두는지"'); ?>
</form>
