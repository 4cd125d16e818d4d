<?php
namespace Stockd\Site;

if (!defined('_GNUBOARD_')) {
    exit;
}
?>
<div class="stockd" data-stockd="orders">
    <form method="get" class="local_sch01 local_sch sd-search" action="<?php echo Html::h(strtok(Menu::url('orders'), '?')); ?>"><input type="hidden" name="call" value="stockd_orders">
        <label for="sd_day">날짜</label> <input type="date" id="sd_day" name="day" value="<?php echo Html::h($view['day']); ?>" class="frm_input sd-input" onchange="this.form.submit()"></form>
    <section class="sd-card"><h2 class="sd-title">주문 <small><?php echo count($view['strikes']); ?>건</small></h2>
    <div class="tbl_head01 tbl_wrap sd-scroll" tabindex="0" role="region" aria-label="주문 표"><table class="sd-table"><caption class="sound_only">주문</caption><thead><tr>
        <th scope="col">발동</th><th scope="col">조건</th><th scope="col">종목</th><th scope="col">구분</th><th scope="col">타격</th><th scope="col">발동 체결가</th><th scope="col">주문</th><th scope="col">상태</th><th scope="col">주문번호</th><th scope="col">체결</th><th scope="col">까닭</th></tr></thead><tbody>
    <?php foreach ($view['strikes'] as $n => $row) { ?>
        <tr class="bg<?php echo $n % 2; ?> sd-<?php echo strtolower($row['side']); ?>"><td><?php echo Html::h(substr($row['fired'], 0, 12)); ?></td><td>#<?php echo (int) $row['condition_id']; ?></td>
            <td class="td_left"><?php echo Html::h($row['name'] !== null ? $row['name'] : ''); ?> <span class="sd-code"><?php echo Html::h($row['symbol']); ?></span></td>
            <td><span class="sd-side"><?php echo Words::SIDE[$row['side']]; ?></span></td><td class="sd-num"><?php echo Html::won($row['strike_price']), ' ', Words::OP[$row['trigger_op']]; ?></td>
            <td class="sd-num"><?php echo Html::won($row['tick_price']); ?></td><td class="sd-num"><?php echo Html::won($row['quantity']), '주 ', (int) $row['price'] ? Html::won($row['price']) . '원' : '시장가'; ?></td>
            <td><span class="sd-chip sd-state-<?php echo Html::h(strtolower($row['state'])); ?>"><?php echo Html::h(Words::strike($row['state'])); ?></span></td><td><?php echo Html::h($row['order_no']); ?></td>
            <td class="sd-num"><?php echo (int) $row['filled'] ? Html::won($row['filled']) . '주 ' . Html::won($row['filled_amount']) . '원' : ''; ?></td><td class="td_left"><?php echo Html::h($row['reason']); ?></td></tr>
    <?php } if (!$view['strikes']) { ?><tr><td colspan="11" class="empty_table">이 날의 주문이 없습니다.</td></tr><?php } ?>
    </tbody></table></div></section>
    <section class="sd-card"><h2 class="sd-title">체결 <small><?php echo count($view['fills']); ?>건</small></h2>
    <div class="tbl_head01 tbl_wrap sd-scroll" tabindex="0" role="region" aria-label="체결 표"><table class="sd-table"><caption class="sound_only">체결</caption><thead><tr>
        <th scope="col">시각</th><th scope="col">종목</th><th scope="col">구분</th><th scope="col">수량</th><th scope="col">가격</th><th scope="col">주문번호</th><th scope="col">출처</th></tr></thead><tbody>
    <?php foreach ($view['fills'] as $n => $row) { ?>
        <tr class="bg<?php echo $n % 2; ?> sd-<?php echo strtolower($row['side']); ?>"><td><?php echo Html::h($row['clock']); ?></td><td class="td_left"><?php echo Html::h($row['name'] !== null ? $row['name'] : ''); ?> <span class="sd-code"><?php echo Html::h($row['symbol']); ?></span></td>
            <td><span class="sd-side"><?php echo Words::SIDE[$row['side']]; ?></span></td><td class="sd-num"><?php echo Html::won($row['quantity']); ?></td><td class="sd-num"><?php echo Html::won($row['price']); ?></td>
            <td><?php echo Html::h($row['order_no']); ?></td><td><?php echo $row['source'] === 'NOTICE' ? '체결통보' : '조회'; ?></td></tr>
    <?php } if (!$view['fills']) { ?><tr><td colspan="7" class="empty_table">이 날의 체결이 없습니다.</td></tr><?php } ?>
    </tbody></table></div></section>
</div>
