/* Candles of one stock, red up and blue down, with fills as arrows and armed conditions as lines. */
(function () {
  'use strict';
  window.stockdChart = function (box, note) {
    var lib = window.LightweightCharts, style = getComputedStyle(box), chart, bars, volume, marks, lines = [], strikes = [], last = null, key = '';
    function colour(name) { return style.getPropertyValue(name).trim(); }
    if (!lib) { note.textContent = '차트 파일을 읽지 못했습니다.'; return null; }
    var up = colour('--sd-up'), down = colour('--sd-down');
    function paper() { // what depends on light and dark
      var line = colour('--sd-line');
      return { layout: { background: { color: 'transparent' }, textColor: colour('--sd-dim'), attributionLogo: true, fontSize: 11 },
        grid: { vertLines: { color: line }, horzLines: { color: line } }, rightPriceScale: { borderColor: line }, timeScale: { borderColor: line } };
    }
    chart = lib.createChart(box, {
      autoSize: true,
      timeScale: { timeVisible: true, secondsVisible: false },
      localization: { locale: 'ko-KR', priceFormatter: function (p) { return Math.round(p).toLocaleString('ko-KR'); } }
    });
    chart.applyOptions(paper());
    box.closest('[data-stockd]').addEventListener('stockd:theme', function () { chart.applyOptions(paper()); });
    bars = chart.addSeries(lib.CandlestickSeries, { upColor: up, wickUpColor: up, borderUpColor: up, downColor: down, wickDownColor: down, borderDownColor: down,
      autoscaleInfoProvider: function (original) { // armed lines near the candles stay in sight
        var info = original();
        if (!info || !info.priceRange) { return info; }
        var range = info.priceRange, low = range.minValue, high = range.maxValue, reach = high * 0.05;
        strikes.forEach(function (price) {
          if (price > low - reach && price < high + reach) { range.minValue = Math.min(range.minValue, price); range.maxValue = Math.max(range.maxValue, price); }
        });
        return info;
      } });
    bars.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.24 } });
    volume = chart.addSeries(lib.HistogramSeries, { priceScaleId: '', priceFormat: { type: 'volume' }, priceLineVisible: false, lastValueVisible: false });
    volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    marks = lib.createSeriesMarkers(bars, []);

    function slot(at, minutes) { return minutes === 1440 ? at - at % 86400 : at - at % (minutes * 60); }

    return {
      /** The answer of ask=candles. */
      show: function (data) {
        var fresh = data.symbol + '/' + data.minutes, gaps = 0;
        bars.setData(data.bars.map(function (b) { return { time: b[0], open: b[1], high: b[2], low: b[3], close: b[4] }; }));
        volume.setData(data.bars.map(function (b) { gaps += b[6] ? 1 : 0; return { time: b[0], value: b[5], color: b[4] >= b[1] ? up + '55' : down + '55' }; }));
        last = data.bars.length ? data.bars[data.bars.length - 1].slice() : null;
        lines.forEach(function (line) { bars.removePriceLine(line); });
        strikes = data.lines.filter(function (l) { return l[3]; }).map(function (l) { return l[0]; });
        lines = data.lines.map(function (l) {
          return bars.createPriceLine({ price: l[0], color: l[1] === 'BUY' ? up : down, lineWidth: l[3] ? 2 : 1, lineStyle: l[3] ? 0 : 2, axisLabelVisible: true,
            title: '#' + l[4] + (l[1] === 'BUY' ? ' 매수' : ' 매도') + (l[3] ? '' : ' (꺼짐)') });
        });
        var first = data.bars.length ? data.bars[0][0] : 0;
        marks.setMarkers(data.fills.filter(function (f) { return f[0] >= first; }).map(function (f) {
          return { time: slot(f[0], data.minutes), position: f[1] === 'BUY' ? 'belowBar' : 'aboveBar', color: f[1] === 'BUY' ? up : down,
            shape: f[1] === 'BUY' ? 'arrowUp' : 'arrowDown', text: (f[1] === 'BUY' ? '매수 ' : '매도 ') + f[3] };
        }).sort(function (a, b) { return a.time - b.time; }));
        note.textContent = (data.bars.length ? '' : '아직 봉이 없습니다. ') + (gaps ? '수신이 끊긴 구간이 있는 봉 ' + gaps + '개' : '');
        if (fresh !== key) { key = fresh; chart.timeScale().fitContent(); if (data.bars.length > 90) { chart.timeScale().setVisibleLogicalRange({ from: data.bars.length - 90, to: data.bars.length + 3 }); } }
      },
      /** The running candle, from the last price of the feed. */
      tick: function (price, nowMs, minutes) {
        if (!last || !price) { return; }
        var at = slot(Math.floor(nowMs / 1000) + 32400, minutes);
        if (at < last[0]) { return; }
        if (at > last[0]) { last = [at, price, price, price, price, 0, 0]; }
        last[2] = Math.max(last[2], price); last[3] = Math.min(last[3], price); last[4] = price;
        bars.update({ time: last[0], open: last[1], high: last[2], low: last[3], close: last[4] });
      }
    };
  };
})();
