/* 현황: one JSON answer a second (ETag), nothing while the tab is hidden, and a word when it is stale. */
(function () {
  'use strict';
  var sd, root, url, tag = null, data = null, failing = 0, nowMs = 0, asking = false;
  var sort = { column: 5, down: true }, filter = '', rowsOf = {}, prices = {};
  var chosen = null, minutes = 1, chart = null, chartTag = null;
  var STALE_MS = 10000; // the market daemon's progress is older than that: say so

  function $(selector) { return root.querySelector(selector); }
  function cell(text, name) { return sd.el('td', text, name); }
  function count(name, n) { var at = $('[data-count=' + name + ']'); if (at) { at.textContent = n + '건'; } }
  function rate(row) { var base = row[2] - row[3]; return base > 0 ? row[3] / base : 0; }

  /* --- market --- */
  var KEYS = [function (r) { return r[1] || r[0]; }, function (r) { return r[2]; }, function (r) { return r[3]; }, rate, function (r) { return r[7]; }, function (r) { return r[8]; }, function (r) { return r[12] || ''; }];
  function current(tr) { if (tr.dataset.symbol === chosen) { tr.setAttribute('aria-current', 'true'); } else { tr.removeAttribute('aria-current'); } }
  function market(rows) {
    var focused = document.activeElement, body = $('[data-market] tbody'), key = KEYS[sort.column], way = sort.down ? -1 : 1;
    var shown = rows.filter(function (r) { return !filter || r[0].indexOf(filter.toUpperCase()) === 0 || (r[1] || '').toLowerCase().indexOf(filter) >= 0; });
    shown.sort(function (a, b) { var x = key(a), y = key(b); return x < y ? -way : x > y ? way : a[0] < b[0] ? -1 : 1; });
    shown.forEach(function (r, n) {
      var tr = rowsOf[r[0]];
      if (!tr) {
        tr = rowsOf[r[0]] = sd.el('tr', null, '', [sd.el('td', null, '', [sd.el('button', r[1] || r[0]), document.createTextNode(' '), sd.el('span', r[0], 'sd-code')]), cell(), cell(), cell(), cell(), cell(), cell()]);
        tr.firstChild.firstChild.type = 'button';
        tr.dataset.symbol = r[0];
      }
      var tone = sd.tone(r[3]), cells = tr.children, moved = prices[r[0]] !== undefined && prices[r[0]] !== r[2];
      var texts = [null, sd.won(r[2]), sd.signed(r[3]), sd.percent(r[3], r[2] - r[3]), sd.won(r[7]), sd.won(Math.round(r[8] / 1e6)), (r[9] ? '정지 ' : '') + (r[10] === 'C' ? 'VI ' : '') + (r[11] ? '확인 필요 ' : '') + (r[12] || '')];
      for (var i = 1; i < 7; i++) {
        if (cells[i].textContent !== texts[i]) { cells[i].textContent = texts[i]; }
        if (i < 4 && cells[i].className !== tone) { cells[i].className = tone; }
      }
      if (moved) { cells[1].className = tone; void cells[1].offsetWidth; cells[1].className = tone + ' sd-blink'; }
      prices[r[0]] = r[2];
      current(tr);
      if (body.children[n] !== tr) { body.insertBefore(tr, body.children[n] || null); }
    });
    while (body.children.length > shown.length) { body.removeChild(body.lastChild); }
    // a row that moved lost the focus: whoever steers by keyboard must not be thrown out each second
    if (focused !== document.activeElement && body.contains(focused)) { focused.focus({ preventScroll: true }); }
    if (!shown.length) { body.appendChild(empty(7, rows.length ? '찾는 종목이 없습니다.' : '받은 시세가 없습니다.')); }
    count('market', rows.length);
    if (!chosen && shown.length) { choose(data.positions.length ? data.positions[0][0] : shown[0][0]); }
  }
  function empty(span, words) { var td = cell(words, 'sd-empty'); td.colSpan = span; return sd.el('tr', null, '', [td]); }

  /* --- assets --- */
  function tile(label, text, tone, extra) { return sd.el('div', null, 'sd-tile', [sd.el('span', label), sd.el('b', text, tone), sd.el('em', extra || '', tone)]); }
  function assets(d) {
    var into = $('[data-tiles]'), profit = 0, cost = 0, value = 0;
    d.positions.forEach(function (p) { profit += p[8]; cost += p[5]; value += p[7]; });
    into.textContent = '';
    d.balances.forEach(function (b) {
      var one = d.balances.length === 1, total = one ? value + b.deposit_d2 : b.total_value;
      into.appendChild(tile((one ? '' : b.account + ' ') + '총평가금액', sd.won(total) + '원'));
      into.appendChild(tile('예수금 D+2', sd.won(b.deposit_d2) + '원'));
      into.appendChild(tile('주문가능', b.orderable_cash === null ? '–' : sd.won(b.orderable_cash) + '원'));
      into.appendChild(tile('오늘 실현손익', b.realized_profit === null ? '–' : sd.signed(b.realized_profit) + '원', sd.tone(b.realized_profit)));
    });
    into.appendChild(tile('평가손익', sd.signed(profit) + '원', sd.tone(profit), sd.percent(profit, cost)));
    into.appendChild(tile('장전된 조건', sd.won(d.armed) + '건'));
    if (d.balances.length) { into.appendChild(tile('자산 조회', d.balances[0].at)); }
    var body = $('[data-positions] tbody');
    body.textContent = '';
    d.positions.forEach(function (p) {
      var tone = sd.tone(p[8]);
      body.appendChild(sd.el('tr', null, '', [sd.el('td', null, '', [sd.el('span', p[1] || p[0]), document.createTextNode(' '), sd.el('span', p[0], 'sd-code')]), cell(sd.won(p[2])), cell(sd.won(Math.round(p[4]))),
        cell(sd.won(p[6])), cell(sd.won(p[7])), cell(sd.signed(p[8]), tone), cell(sd.percent(p[8], p[5]), tone)]));
    });
    if (!d.positions.length) { body.appendChild(empty(7, '보유종목이 없습니다.')); }
    count('positions', d.positions.length);
  }

  /* --- orders, fills, daemons, lanes --- */
  var STATES = { CLAIMED: '대기', SENDING: '전송 중', ACCEPTED: '접수', REJECTED: '거부', UNKNOWN: '결과 불명', PART_FILLED: '일부 체결', FILLED: '체결', CANCELLED: '취소', EXPIRED: '만료', DENIED: '차단', NOT_SENT: '미전송' };
  function side(s) { var td = cell(null); td.appendChild(sd.el('span', s === 'BUY' ? '매수' : '매도', 'sd-side')); return td; }
  function rowOf(s, cells) { return sd.el('tr', null, s === 'BUY' ? 'sd-buy' : 'sd-sell', cells); }
  function orders(d) {
    var strikes = $('[data-strikes] tbody'), fills = $('[data-fills] tbody');
    strikes.textContent = fills.textContent = '';
    d.strikes.forEach(function (k) {
      var state = cell(null);
      state.appendChild(sd.el('span', STATES[k.state] || k.state, 'sd-chip sd-state-' + k.state.toLowerCase()));
      if (k.reason) { state.title = k.reason; state.appendChild(sd.el('span', ' ' + k.reason, 'sd-memo')); }
      strikes.appendChild(rowOf(k.side, [cell(k.fired.slice(0, 8)), cell((k.name || k.symbol) + ' #' + k.condition_id), side(k.side), cell(sd.won(k.filled) + ' / ' + sd.won(k.quantity)), cell(k.price ? sd.won(k.price) : '시장가'), state, cell(k.order_no || '')]));
    });
    d.fills.forEach(function (f) {
      fills.appendChild(rowOf(f.side, [cell(f.clock), cell(f.name || f.symbol), side(f.side), cell(sd.won(f.quantity)), cell(sd.won(f.price)), cell(f.order_no)]));
    });
    if (!d.strikes.length) { strikes.appendChild(empty(7, '오늘 주문이 없습니다.')); }
    if (!d.fills.length) { fills.appendChild(empty(6, '오늘 체결이 없습니다.')); }
    count('strikes', d.strikes.length); count('fills', d.fills.length);
  }
  var DAEMON = { STARTING: '시작 중', RUNNING: '동작', WAITING: '쉬는 중', STOPPED: '멈춤', FAILED: '고장' };
  function daemons() {
    var into = $('[data-daemons]');
    into.textContent = '';
    data.daemons.forEach(function (d) {
      var age = Math.max(0, Math.round((nowMs - d.ms) / 1000)), late = d.state === 'RUNNING' && age > 30;
      into.appendChild(sd.el('li', null, '', [sd.el('strong', d.name), sd.el('span', age < 120 ? age + '초 전' : d.at, 'sd-memo'),
        sd.el('span', late ? '멈춘 듯' : DAEMON[d.state] || d.state, 'sd-chip sd-state-' + (late ? 'stale' : d.state.toLowerCase()))]));
    });
    if (!data.daemons.length) { into.appendChild(sd.el('li', '알려진 데몬이 없습니다.', 'sd-empty')); }
  }
  var LANES = { all: '전체', order: '주문', confirm: '체결확인', assets: '자산', spare: '예비', sweep: '잉여(2계층)' };
  function lanes() {
    var note = $('[data-lanes-note]'), body = $('[data-lanes] tbody'), shown = data.lanes;
    body.textContent = '';
    if (!shown || !shown.rows.length) {
      body.appendChild(empty(6, shown ? '차선 소식이 없습니다. 감시(watchdog)가 도는지 보십시오.' : '이 기계는 차선을 표로 내놓지 않습니다. 서버에서 stockd budget 으로 봅니다.'));
      note.textContent = '';
      return;
    }
    var before = null;
    shown.rows.forEach(function (r) {
      var first = r[0] !== before, full = r[4] > 0;
      before = r[0];
      body.appendChild(sd.el('tr', null, r[1] === 'all' ? 'sd-whole' : '', [cell(first ? r[0] || '–' : ''), cell((LANES[r[1]] || r[1]) + (r[7] > 0 && r[1] === 'all' ? ' · ' + Math.ceil(r[7] / 1000) + '초 뒤 열림' : '')),
        cell(r[3] + ' / ' + r[2]), cell(sd.won(r[4]), full ? 'sd-late-text' : ''), cell(sd.won(r[5])), cell(sd.won(r[6]))]));
    });
    var age = Math.max(0, Math.round((nowMs - shown.ms) / 1000));
    note.textContent = age > 10 ? age + '초 전 값입니다. 감시(watchdog)나 Redis 가 멈춘 듯합니다.' : '';
  }
  function halt(h) {
    $('[data-halted]').hidden = !h;
    if (h) { $('[data-halt-why]').textContent = h.reason + ' · ' + h.actor + ' · ' + h.at.slice(0, 19); }
    var form = $('[data-halt-form]'), resume = $('[data-resume]');
    if (form) { form.hidden = !!h; }
    if (resume) { resume.hidden = !h; }
  }

  /* --- the pulse --- */
  function pulse() {
    var at = $('[data-pulse]'), words, name = 'sd-pulse';
    if (failing >= 3) { words = '서버와 끊겼습니다. 보이는 값은 지난 것입니다.'; name += ' sd-late'; }
    else if (!data) { words = '불러오는 중…'; }
    else {
      var feed = data.daemons.filter(function (d) { return d.name.indexOf('market') === 0; }).sort(function (a, b) { return b.ms - a.ms; })[0];
      var age = feed ? nowMs - feed.ms : Infinity;
      if (!feed) { words = '시장 데몬이 돌지 않습니다.'; name += ' sd-late'; }
      else if (feed.state === 'WAITING') { words = '시장 데몬이 쉬는 중입니다.'; name += ' sd-rest'; }
      else if (feed.state !== 'RUNNING' || age > STALE_MS) { words = '시세가 멈췄습니다. 마지막 ' + feed.at; name += ' sd-late'; }
      else { words = '실시간'; }
    }
    if (at.textContent !== words) { at.textContent = words; }
    at.className = name;
  }

  function paint() {
    market(data.market); assets(data); orders(data); halt(data.halt);
    var token = root.querySelector('[data-halt-form] [name=stockd_token]');
    if (token) { token.value = data.token; }
  }
  function look() {
    if (document.hidden || asking) { return; }
    asking = true;
    sd.ask(url, { ask: 'feed' }, tag).then(function (r) {
      failing = 0; nowMs = r.now; tag = r.tag;
      if (!r.same) { data = r.body; paint(); }
      if (chart && chosen) { chart.tick(prices[chosen], nowMs, minutes); }
    }).catch(function () { failing += 1; tag = null; }).then(function () {
      asking = false;
      if (data) { daemons(); lanes(); }
      pulse();
    });
  }

  /* --- the chart --- */
  function candles() {
    if (!chosen || !chart || document.hidden) { return; }
    var symbol = chosen;
    sd.ask(url, { ask: 'candles', symbol: symbol, minutes: minutes }, chartTag).then(function (r) {
      chartTag = r.tag;
      if (!r.same && symbol === chosen) { var name = (r.body.quote.name || symbol) + ' ' + symbol; $('[data-chart-name]').textContent = name; $('[data-chart]').setAttribute('aria-label', name + ' 봉 차트, 현재가 ' + sd.won(r.body.quote.price) + '원'); chart.show(r.body); }
    }).catch(function () { chartTag = null; });
  }
  function choose(symbol) {
    chosen = symbol; chartTag = null;
    root.querySelectorAll('[data-market] tbody tr').forEach(current);
    candles();
  }

  document.addEventListener('DOMContentLoaded', function () {
    sd = window.stockdSite;
    root = document.querySelector('[data-stockd=live]');
    if (!root || !sd) { return; }
    url = root.dataset.url;
    chart = window.stockdChart($('[data-chart]'), $('[data-chart-note]'));
    $('[data-market] tbody').addEventListener('click', function (e) { var tr = e.target.closest('tr'); if (tr && tr.dataset.symbol) { choose(tr.dataset.symbol); } });
    $('[data-filter]').addEventListener('input', function (e) { filter = e.target.value.trim().toLowerCase(); if (data) { market(data.market); } });
    root.querySelectorAll('[data-sort]').forEach(function (button) {
      button.addEventListener('click', function () {
        var column = Number(button.dataset.sort);
        sort = { column: column, down: sort.column === column ? !sort.down : column !== 0 };
        root.querySelectorAll('[data-sort]').forEach(function (b) { b.parentNode.removeAttribute('aria-sort'); });
        button.parentNode.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
        if (data) { market(data.market); }
      });
    });
    root.querySelectorAll('[data-minutes]').forEach(function (button) {
      button.addEventListener('click', function () {
        minutes = Number(button.dataset.minutes);
        root.querySelectorAll('[data-minutes]').forEach(function (b) { b.setAttribute('aria-pressed', b === button ? 'true' : 'false'); });
        chartTag = null; candles();
      });
    });
    document.addEventListener('visibilitychange', function () { if (!document.hidden) { look(); candles(); } });
    look();
    setInterval(look, 1000);
    setInterval(candles, 5000);
  });
})();
