<?php
namespace Stockd\Site;

if (!defined('_GNUBOARD_')) {
    exit;
}
require __DIR__ . '/parts.php';
$here = static function (array $change) use ($view): string {
    $query = array_filter($change + array('q' => $view['search'], 'state' => $view['state'], 'sort' => $view['sort'], 'dir' => $view['dir']), 'strlen');
    return $view['url'] . ($query ? (strpos($view['url'], '?') === false ? '?' : '&') . http_build_query($query) : '');
};
$head = static function (string $key, string $words) use ($view, $here) {
    $on = $view['sort'] === $key;
    $dir = $on && $view['dir'] === 'asc' ? 'desc' : 'asc';
    echo '<th scope="col"', $on ? ' aria-sort="' . ($view['dir'] === 'asc' ? 'ascending' : 'descending') . '"' : '', '><a href="',
        Html::h($here(array('sort' => $key, 'dir' => $dir))), '">', $words, $on ? ($view['dir'] === 'asc' ? ' ▲' : ' ▼') : '', '</a></th>';
};
?>
<div class="stockd" data-stockd="conditions" data-url="<?php echo Html::h($view['url']); ?>">
    <?php if ($view['halt'] !== null) { ?>
    <div class="sd-alert sd-alert-bad" role="alert"><strong>정지 중입니다.</strong> 장전해도 주문은 나가지 않습니다. 이유: <?php echo Html::h($view['halt']['reason']); ?> (<?php echo Html::h($view['halt']['actor']); ?>, <?php echo Html::h(substr($view['halt']['at'], 0, 19)); ?>)</div>
    <?php } ?>
    <?php if ($view['said'] !== '') { ?><div class="sd-alert sd-alert-good" role="status"><?php echo Html::h($view['said']); ?></div><?php } ?>
    <?php if ($view['may_write']) {
        require __DIR__ . '/form.php';
    } ?>
    <div class="sd-bar">
        <p class="local_ov01 local_ov"><span class="btn_ov01"><span class="ov_txt">전체</span><span class="ov_num"> <?php echo Html::won($view['total']); ?>건</span></span>
            <span class="btn_ov01"><span class="ov_txt">장전</span><span class="ov_num"> <?php echo Html::won($view['armed']); ?>건</span></span></p>
        <form method="get" action="<?php echo Html::h(strtok($view['url'], '?')); ?>" class="sd-search" role="search">
            <?php if (strpos($view['url'], 'call=') !== false) { ?><input type="hidden" name="call" value="stockd_conditions"><?php } ?>
            <select name="state" class="sd-input" aria-label="상태"><?php foreach (array('' => '모두', 'armed' => '장전', 'off' => '꺼짐') as $value => $words) { ?>
                <option value="<?php echo $value; ?>"<?php echo $view['state'] === $value ? ' selected' : ''; ?>><?php echo $words; ?></option><?php } ?></select>
            <input type="search" name="q" value="<?php echo Html::h($view['search']); ?>" class="frm_input sd-input" placeholder="종목, 메모, 회원" aria-label="찾기">
            <a class="btn btn_02 sd-btn" role="button" tabindex="0" data-search>찾기</a>
        </form>
        <?php if ($view['may_write'] && $view['armed']) { ?>
        <form method="post" action="<?php echo Html::h($view['url']); ?>" data-confirm="보이는 것과 보이지 않는 것 모두, 장전된 조건 <?php echo (int) $view['armed']; ?>개를 해제합니다.">
            <?php $hidden('disarm_all', array('id' => 0, 'rev' => 0)); ?><button type="submit" class="btn btn_01 sd-btn">모두 해제</button>
        </form>
        <?php } ?>
    </div>
    <div class="tbl_head01 tbl_wrap sd-scroll" tabindex="0" role="region" aria-label="조건 목록">
        <table class="sd-table">
            <caption class="sound_only">매매 조건 목록</caption>
            <thead><tr>
                <?php if ($view['may_write']) { ?><th scope="col"><input type="checkbox" data-tick-all aria-label="모두 고르기"></th><?php } ?>
                <?php $head('id', '번호'); $head('name', '종목'); $head('side', '구분'); $head('strike', '타격 가격'); ?>
                <th scope="col">현재가</th><th scope="col">수량·종류</th><?php $head('armed', '장전'); ?><th scope="col">기계가 본 상태</th>
                <?php if ($view['everyone']) { $head('owner', '회원'); } $head('updated', '바뀐 때'); ?><th scope="col">관리</th>
            </tr></thead>
            <tbody>
            <?php foreach ($view['rows'] as $n => $row) {
                list($mark, $state, $why) = ConditionList::words($row);
                $enabled = (int) $row['enabled'];
                ?>
                <tr class="bg<?php echo $n % 2; ?> sd-<?php echo strtolower($row['side']); ?><?php echo $enabled ? ' sd-armed' : ''; ?>" data-id="<?php echo (int) $row['id']; ?>" data-rev="<?php echo (int) $row['rev']; ?>"
                    data-op="<?php echo Html::h($row['trigger_op']); ?>" data-strike="<?php echo (int) $row['strike_price']; ?>" data-waits="<?php echo $row['arms_after'] !== null || $row['trail_percent'] !== null ? 1 : 0; ?>">
                    <?php if ($view['may_write']) { ?><td class="td_chk"><input type="checkbox" value="<?php echo (int) $row['id']; ?>" data-tick aria-label="#<?php echo (int) $row['id']; ?> 고르기"></td><?php } ?>
                    <td class="td_num"><?php echo (int) $row['id']; ?></td>
                    <td class="td_left"><strong><?php echo Html::h($row['name'] !== null ? $row['name'] : $row['symbol']); ?></strong> <span class="sd-code"><?php echo Html::h($row['symbol']); ?></span>
                        <?php if ($row['memo'] !== '') { ?><br><span class="sd-memo"><?php echo Html::h($row['memo']); ?></span><?php } ?></td>
                    <td><span class="sd-side"><?php echo Words::SIDE[$row['side']]; ?></span></td>
                    <td class="sd-num"><strong><?php echo Html::won($row['strike_price']); ?></strong> <?php echo Words::OP[$row['trigger_op']]; ?>
                        <?php if ($row['trail_percent'] !== null) { ?><br><span class="sd-memo">트레일링 <?php echo Html::h(rtrim(rtrim($row['trail_percent'], '0'), '.')); ?>%</span><?php } ?>
                        <?php if ($row['arms_after'] !== null) { ?><br><span class="sd-memo">#<?php echo (int) $row['arms_after']; ?> 체결 뒤</span><?php } ?></td>
                    <td class="sd-num" data-price><?php echo (int) $row['price'] ? Html::won($row['price']) : '–'; ?></td>
                    <td class="sd-num"><?php echo $row['quantity'] !== null ? Html::won($row['quantity']) . '주' : Html::won($row['amount']) . '원어치'; ?>
                        <br><span class="sd-memo"><?php echo Html::h(Validate::KINDS[$row['order_kind']]); ?> <?php echo $row['limit_price'] !== null ? Html::won($row['limit_price']) . ' ' : ''; ?>· <?php echo Html::h($row['venue']); ?></span></td>
                    <td data-armed><?php echo $enabled ? '<span class="sd-chip sd-chip-on">장전</span>' : '<span class="sd-chip">꺼짐</span>'; ?></td>
                    <td data-machine><span class="sd-chip sd-state-<?php echo Html::h($mark); ?>"><?php echo Html::h($state); ?></span><?php echo $why === '' ? '' : '<br><span class="sd-memo">' . Html::h($why) . '</span>'; ?></td>
                    <?php if ($view['everyone']) { ?><td><?php echo Html::h($row['owner']); ?></td><?php } ?>
                    <td class="td_datetime"><?php echo Html::h(substr($row['updated_at'], 5, 11)); ?></td>
                    <td class="td_mng sd-acts">
                        <?php if ($view['may_write']) { ?>
                        <form method="post" action="<?php echo Html::h($view['url']); ?>" data-act="<?php echo $enabled ? 'disarm' : 'arm'; ?>" data-name="<?php echo Html::h(($row['name'] !== null ? $row['name'] : $row['symbol']) . ' ' . Words::SIDE[$row['side']] . ' ' . Html::won($row['strike_price']) . '원 ' . Words::OP[$row['trigger_op']] . ' ' . ($row['quantity'] !== null ? Html::won($row['quantity']) . '주' : Html::won($row['amount']) . '원어치')); ?>">
                            <?php $hidden($enabled ? 'disarm' : 'arm', $row); ?>
                            <button type="submit" class="btn sd-btn <?php echo $enabled ? 'btn_02' : 'btn_01'; ?>"><?php echo $enabled ? '해제' : '장전'; ?></button>
                        </form>
                        <a class="btn btn_03 sd-btn" href="<?php echo Html::h($here(array('edit' => (string) $row['id'], 'page' => (string) $view['number']))); ?>">수정</a>
                        <form method="post" action="<?php echo Html::h($view['url']); ?>"><?php $hidden('copy', $row); ?><button type="submit" class="btn btn_02 sd-btn">복사</button></form>
                        <?php } ?>
                        <button type="button" class="btn btn_02 sd-btn" data-history="<?php echo (int) $row['id']; ?>">이력</button>
                        <?php if ($view['may_remove']) { ?>
                        <form method="post" action="<?php echo Html::h($view['url']); ?>" data-confirm="조건 #<?php echo (int) $row['id']; ?> 을(를) 지웁니다. 이력은 남습니다."><?php $hidden('remove', $row); ?><button type="submit" class="btn btn_02 sd-btn">삭제</button></form>
                        <?php } ?>
                    </td>
                </tr>
            <?php } ?>
            <?php if (!$view['rows']) { ?><tr><td colspan="12" class="empty_table">조건이 없습니다.</td></tr><?php } ?>
            </tbody>
        </table>
    </div>
    <?php if ($view['may_write']) { ?>
    <form method="post" action="<?php echo Html::h($view['url']); ?>" class="btn_list sd-ticked" id="sd_ticked" data-confirm="고른 조건을 해제합니다."><?php $hidden('disarm_ticked', array('id' => 0, 'rev' => 0)); ?>
        <button type="submit" class="btn btn_02 sd-btn">고른 것 해제</button></form>
    <?php } ?>
    <?php if ($view['pages'] > 1) { ?>
    <nav class="sd-pages" aria-label="쪽"><?php for ($p = 1; $p <= $view['pages']; $p++) { ?>
        <a href="<?php echo Html::h($here(array('page' => (string) $p))); ?>"<?php echo $p === $view['number'] ? ' aria-current="page"' : ''; ?>><?php echo $p; ?></a><?php } ?></nav>
    <?php } ?>
    <dialog class="sd-dialog" id="sd_arm" aria-labelledby="sd_arm_title">
        <form method="dialog">
            <h2 id="sd_arm_title">장전</h2>
            <p data-what></p>
            <p class="sd-alert sd-alert-bad" data-now hidden><strong>지금 발동됩니다.</strong> 현재가가 이미 조건을 채웠습니다. 장전하는 대로 주문이 나갑니다.</p>
            <?php if ($view['ask_password']) { ?><p><label for="sd_password">비밀번호</label> <input type="password" id="sd_password" class="frm_input sd-input" autocomplete="current-password"></p><?php } ?>
            <p class="sd-dialog-acts"><button value="no" type="button" class="btn btn_02 sd-btn" data-no>그만두기</button> <button value="yes" type="button" class="btn btn_01 sd-btn" data-yes>장전</button></p>
        </form>
    </dialog>
    <dialog class="sd-dialog sd-dialog-wide" id="sd_history" aria-labelledby="sd_history_title"><h2 id="sd_history_title">이력</h2><div data-rows></div>
        <p class="sd-dialog-acts"><button type="button" class="btn btn_02 sd-btn" data-no>닫기</button></p></dialog>
</div>
