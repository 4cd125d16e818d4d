<?php
namespace Stockd\Site;

if (!defined('_GNUBOARD_')) {
    exit;
}
?>
<div class="stockd" data-stockd="live" data-url="<?php echo Html::h($view['url']); ?>" data-conditions="<?php echo Html::h($view['conditions']); ?>">
    <?php if ($view['said'] !== '') { ?><div class="sd-alert sd-alert-good" role="status"><?php echo Html::h($view['said']); ?></div><?php } ?>
    <div class="sd-top">
        <p class="sd-pulse" data-pulse role="status" aria-live="polite">불러오는 중…</p>
        <?php require __DIR__ . '/halt.php'; ?>
        <?php if ($view['may_resume']) { ?><a class="btn btn_02 sd-btn" data-resume href="<?php echo Html::h($view['settings']); ?>"<?php echo $view['halt'] === null ? ' hidden' : ''; ?>>재개하러 가기</a><?php } ?>
    </div>
    <section class="sd-tiles" data-tiles aria-label="자산"></section>
    <div class="sd-grid">
        <section class="sd-card sd-market" aria-labelledby="sd_h_market">
            <div class="sd-card-head"><h2 class="sd-title" id="sd_h_market">시세 <small data-count="market"></small></h2>
                <input type="search" class="frm_input sd-input" data-filter placeholder="종목 찾기" aria-label="시세에서 종목 찾기"></div>
            <div class="sd-scroll sd-tall" tabindex="0" role="region" aria-label="시세 표"><table class="sd-table sd-sortable" data-market><caption class="sound_only">시세. 제목을 누르면 정렬합니다.</caption>
                <thead><tr><?php foreach (array('종목', '현재가', '대비', '등락률', '거래량', '대금(백만)', '시각') as $n => $words) { ?><th scope="col"><button type="button" data-sort="<?php echo $n; ?>"><?php echo $words; ?></button></th><?php } ?></tr></thead>
                <tbody></tbody></table></div>
        </section>
        <div class="sd-stack">
            <section class="sd-card" aria-labelledby="sd_h_chart">
                <div class="sd-card-head"><h2 class="sd-title" id="sd_h_chart"><span data-chart-name>종목을 고르십시오</span></h2>
                    <div class="sd-minutes" role="group" aria-label="봉 길이"><?php foreach (Live::MINUTES as $minutes) { ?><button type="button" data-minutes="<?php echo $minutes; ?>"<?php echo $minutes === 1 ? ' aria-pressed="true"' : ' aria-pressed="false"'; ?>><?php echo $minutes === 1440 ? '일' : $minutes . '분'; ?></button><?php } ?></div></div>
                <div class="sd-chart" data-chart role="img" aria-label="봉 차트"></div>
                <p class="sd-memo" data-chart-note></p>
            </section>
            <section class="sd-card" aria-labelledby="sd_h_positions"><h2 class="sd-title" id="sd_h_positions">보유종목 <small data-count="positions"></small></h2>
                <div class="sd-scroll" tabindex="0" role="region" aria-label="보유종목 표"><table class="sd-table" data-positions><caption class="sound_only">보유종목</caption>
                    <thead><tr><th scope="col">종목</th><th scope="col">수량</th><th scope="col">평균가</th><th scope="col">현재가</th><th scope="col">평가금액</th><th scope="col">손익</th><th scope="col">수익률</th></tr></thead><tbody></tbody></table></div></section>
        </div>
    </div>
    <div class="sd-grid sd-grid-even">
        <section class="sd-card" aria-labelledby="sd_h_strikes"><h2 class="sd-title" id="sd_h_strikes">오늘 주문 <small data-count="strikes"></small></h2>
            <div class="sd-scroll sd-short" tabindex="0" role="region" aria-label="오늘 주문 표"><table class="sd-table" data-strikes><caption class="sound_only">오늘 주문</caption>
                <thead><tr><th scope="col">시각</th><th scope="col">종목</th><th scope="col">구분</th><th scope="col">수량</th><th scope="col">가격</th><th scope="col">상태</th><th scope="col">주문번호</th></tr></thead><tbody></tbody></table></div></section>
        <section class="sd-card" aria-labelledby="sd_h_fills"><h2 class="sd-title" id="sd_h_fills">오늘 체결 <small data-count="fills"></small></h2>
            <div class="sd-scroll sd-short" tabindex="0" role="region" aria-label="오늘 체결 표"><table class="sd-table" data-fills><caption class="sound_only">오늘 체결</caption>
                <thead><tr><th scope="col">시각</th><th scope="col">종목</th><th scope="col">구분</th><th scope="col">수량</th><th scope="col">가격</th><th scope="col">주문번호</th></tr></thead><tbody></tbody></table></div></section>
        <section class="sd-card" aria-labelledby="sd_h_daemons"><h2 class="sd-title" id="sd_h_daemons">데몬</h2><ul class="sd-daemons" data-daemons></ul></section>
        <section class="sd-card" aria-labelledby="sd_h_lanes"><h2 class="sd-title" id="sd_h_lanes">호출 차선 <small>초당 자리</small></h2>
            <div class="sd-scroll sd-short" tabindex="0" role="region" aria-label="호출 차선 표"><table class="sd-table" data-lanes><caption class="sound_only">앱키마다 호출 차선: 찬 자리와 자리, 대기, 들어간 호출과 거절 누계</caption>
                <thead><tr><th scope="col">앱키</th><th scope="col">차선</th><th scope="col">사용</th><th scope="col">대기</th><th scope="col">허용 누계</th><th scope="col">거절 누계</th></tr></thead><tbody></tbody></table></div>
            <p class="sd-memo" data-lanes-note role="status"></p></section>
    </div>
</div>
