/* 매매 조건: finds a stock, judges while typing, asks before arming, shows history, keeps the list alive. */
(function () {
  'use strict';
  var sd, root, url;
  var wait = {};

  function later(name, ms, work) { clearTimeout(wait[name]); wait[name] = setTimeout(work, ms); }

  /* --- the form --- */
  function form() {
    var f = document.getElementById('sd_form');
    if (!f) { return; }
    var input = f.symbol, list = document.getElementById('sd_found'), active = -1;
    var quote = document.getElementById('sd_quote'), verdict = document.getElementById('sd_problem');

    function close() { list.hidden = true; active = -1; input.setAttribute('aria-expanded', 'false'); input.removeAttribute('aria-activedescendant'); }
    function mark(n) {
      var items = list.children;
      if (!items.length) { return; }
      active = (n + items.length) % items.length;
      Array.prototype.forEach.call(items, function (li, i) { li.setAttribute('aria-selected', i === active ? 'true' : 'false'); });
      input.setAttribute('aria-activedescendant', items[active].id);
    }
    function take(symbol) { input.value = symbol; close(); show(); judge(); f.strike_price.focus(); }
    function search() {
      var text = input.value.trim();
      if (text.length < 1) { close(); return; }
      sd.ask(url, { ask: 'find', q: text }).then(function (r) {
        list.textContent = '';
        r.body.forEach(function (row, i) {
          var li = sd.el('li', null, '', [sd.el('span', row.name + ' '), sd.el('span', row.symbol + '  ' + sd.won(row.price || row.last_close), 'sd-code')]);
          li.id = 'sd_found_' + i;
          li.setAttribute('role', 'option');
          li.addEventListener('mousedown', function (e) { e.preventDefault(); take(row.symbol); });
          li.dataset.symbol = row.symbol;
          list.appendChild(li);
        });
        list.hidden = !r.body.length;
        input.setAttribute('aria-expanded', r.body.length ? 'true' : 'false');
        if (r.body.length) { mark(0); }
      }).catch(close);
    }
    input.addEventListener('input', function () { later('find', 150, search); });
    input.addEventListener('blur', function () { later('find', 150, close); show(); });
    input.addEventListener('keydown', function (e) {
      if (list.hidden) { return; }
      if (e.key === 'ArrowDown') { mark(active + 1); e.preventDefault(); }
      if (e.key === 'ArrowUp') { mark(active - 1); e.preventDefault(); }
      if (e.key === 'Escape') { close(); e.preventDefault(); }
      if (e.key === 'Enter' && active >= 0) { take(list.children[active].dataset.symbol); e.preventDefault(); }
    });

    function show() {
      var symbol = input.value.trim();
      if (!/^[A-Z0-9]{6,9}$/.test(symbol)) { quote.textContent = ''; return; }
      sd.ask(url, { ask: 'quote', symbol: symbol }).then(function (r) {
        var q = r.body, words = [q.name || symbol];
        quote.textContent = '';
        if (q.price) { words.push('현재가 '); } else if (q.close) { words.push('어제 종가 ' + sd.won(q.close) + '원'); }
        quote.appendChild(sd.el('strong', words[0]));
        quote.appendChild(document.createTextNode('  ' + (words[1] || '')));
        if (q.price) { quote.appendChild(sd.el('strong', sd.won(q.price) + '원 (' + sd.signed(q.change) + ')', sd.tone(q.change))); }
        if (q.limits) { quote.appendChild(document.createTextNode('  ·  상한 ' + sd.won(q.limits[0]) + '  하한 ' + sd.won(q.limits[1]))); }
        if (q.cash !== null) { quote.appendChild(document.createTextNode('  ·  주문가능 ' + sd.won(q.cash) + '원')); }
        if (q.sellable) { quote.appendChild(document.createTextNode('  ·  매도가능 ' + sd.won(q.sellable) + '주')); }
      }).catch(function () { quote.textContent = ''; });
    }
    function judge() {
      var query = { ask: 'check' };
      ['symbol', 'side', 'trigger_op', 'strike_price', 'order_kind', 'venue', 'limit_price', 'quantity', 'amount', 'valid_from', 'valid_until',
        'window_from', 'window_until', 'memo', 'max_age_ms', 'day_amount_cap', 'day_strike_cap', 'trail_percent', 'arms_after', 'oco_group'].forEach(function (name) {
        query[name] = f[name] ? f[name].value : '';
      });
      f.querySelectorAll('.sd-wrong').forEach(function (one) { one.classList.remove('sd-wrong'); });
      if (!query.symbol || !query.strike_price || !(query.quantity || query.amount)) { verdict.textContent = ''; verdict.className = 'sd-hint'; return; }
      sd.ask(url, query).then(function (r) {
        var v = r.body;
        if (!v.ok) {
          verdict.className = 'sd-hint sd-hint-bad';
          verdict.textContent = v.why;
          var wrong = v.field && f.querySelector('[data-field="' + v.field + '"]');
          if (wrong) { wrong.classList.add('sd-wrong'); }
        } else {
          verdict.className = 'sd-hint ' + (v.now ? 'sd-hint-warn' : 'sd-hint-good');
          verdict.textContent = (v.now ? '장전하면 지금 발동됩니다.  ' : '좋습니다.  ') + sd.won(v.shares) + '주, 약 ' + sd.won(v.cost) + '원';
        }
      }).catch(function () { verdict.textContent = ''; });
    }
    f.addEventListener('input', function (e) { if (e.target.name !== 'memo') { later('check', 250, judge); } });
    f.addEventListener('change', function () { later('check', 50, judge); });
    if (input.value) { show(); }
  }

  /* --- arming --- */
  function arming() {
    var box = document.getElementById('sd_arm'), current = null;
    if (!box || !box.showModal) { return; }
    root.addEventListener('submit', function (event) {
      var f = event.target;
      if (f.getAttribute('data-act') !== 'arm' || f.dataset.sure) { return; }
      event.preventDefault();
      current = f;
      var row = f.closest('tr');
      box.querySelector('[data-what]').textContent = f.getAttribute('data-name');
      box.querySelector('[data-now]').hidden = row.dataset.fires !== '1';
      box.showModal();
    });
    box.querySelector('[data-no]').addEventListener('click', function () { box.close(); });
    // Enter in the password field means yes, as the button does
    box.querySelector('form').addEventListener('submit', function (event) { event.preventDefault(); box.querySelector('[data-yes]').click(); });
    box.querySelector('[data-yes]').addEventListener('click', function () {
      var password = document.getElementById('sd_password');
      function put(name, value) { var i = sd.el('input'); i.type = 'hidden'; i.name = name; i.value = value; current.appendChild(i); }
      if (password) { put('password', password.value); }
      if (!box.querySelector('[data-now]').hidden) { put('fires_now', '1'); }
      box.close();
      current.dataset.sure = '1';
      current.submit();
    });
  }

  /* --- history --- */
  function history() {
    var box = document.getElementById('sd_history');
    if (!box || !box.showModal) { return; }
    box.querySelector('[data-no]').addEventListener('click', function () { box.close(); });
    root.addEventListener('click', function (event) {
      var button = event.target.closest('[data-history]');
      if (!button) { return; }
      sd.ask(url, { ask: 'history', id: button.dataset.history }).then(function (r) {
        var into = box.querySelector('[data-rows]'), rows = r.body;
        into.textContent = '';
        rows.forEach(function (row, n) {
          var before = rows[n + 1] ? rows[n + 1].row : null, changes = [];
          Object.keys(row.row || {}).forEach(function (key) {
            if (['rev', 'updated_at', 'updated_by'].indexOf(key) < 0 && before && String(before[key]) !== String(row.row[key])) {
              changes.push(key + ': ' + before[key] + ' → ' + row.row[key]);
            }
          });
          into.appendChild(sd.el('p', null, 'sd-change', [sd.el('b', row.action + ' '), sd.el('span', row.at.slice(0, 19) + ' · ' + row.actor + ' · ' + (row.actor_ip || '–') + ' · 개정 ' + row.rev),
            sd.el('br'), sd.el('span', changes.join(', '))]));
        });
        box.querySelector('h2').textContent = '조건 #' + button.dataset.history + ' 이력';
        box.showModal();
      }).catch(function () { window.alert('이력을 읽지 못했습니다.'); });
    });
  }

  /* --- the list, alive --- */
  function states() {
    var rows = root.querySelectorAll('tr[data-id]'), ids = [], tag = null;
    Array.prototype.forEach.call(rows, function (row) { ids.push(row.dataset.id); });
    if (!ids.length) { return; }
    function paint(s) {
      var row = root.querySelector('tr[data-id="' + s.id + '"]');
      if (!row) { return; }
      var price = row.querySelector('[data-price]'), machine = row.querySelector('[data-machine]');
      price.textContent = s.price ? sd.won(s.price) : '–';
      price.className = 'sd-num ' + sd.tone(s.change);
      var strike = Number(row.dataset.strike);
      row.dataset.fires = s.price && row.dataset.waits === '0' && (row.dataset.op === 'LE' ? s.price <= strike : s.price >= strike) ? '1' : '0';
      machine.textContent = '';
      machine.appendChild(sd.el('span', s.machine[1], 'sd-chip sd-state-' + s.machine[0]));
      if (s.machine[2]) { machine.appendChild(sd.el('br')); machine.appendChild(sd.el('span', s.machine[2], 'sd-memo')); }
      if (String(s.rev) !== row.dataset.rev) {
        row.querySelector('[data-armed]').textContent = '다른 곳에서 바뀜';
      }
    }
    function look() {
      if (document.hidden) { return; }
      sd.ask(url, { ask: 'states', ids: ids.join(',') }, tag).then(function (r) {
        tag = r.tag;
        if (!r.same) { r.body.forEach(paint); }
      }).catch(function () { tag = null; });
    }
    look();
    setInterval(look, 1000);
  }

  function ticks() {
    var all = root.querySelector('[data-tick-all]'), send = document.getElementById('sd_ticked');
    if (!all || !send) { return; }
    all.addEventListener('change', function () { root.querySelectorAll('[data-tick]').forEach(function (one) { one.checked = all.checked; }); });
    send.addEventListener('submit', function () {
      root.querySelectorAll('[data-tick]:checked').forEach(function (one) {
        var i = sd.el('input'); i.type = 'hidden'; i.name = 'ids[]'; i.value = one.value; send.appendChild(i);
      });
    });
    var search = root.querySelector('[data-search]');
    search.addEventListener('click', function () { search.closest('form').submit(); });
    search.addEventListener('keydown', function (e) { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); search.closest('form').submit(); } });
  }

  document.addEventListener('DOMContentLoaded', function () {
    sd = window.stockdSite;
    root = document.querySelector('[data-stockd=conditions]');
    if (!root || !sd) { return; }
    url = root.dataset.url;
    form(); arming(); history(); states(); ticks();
  });
})();
