/* What every page of the plugin shares: numbers, escaping by textContent alone, forms. */
(function () {
  'use strict';
  var sd = window.stockdSite = {};

  sd.won = function (n) { return n === null || n === undefined || n === '' ? '–' : Number(n).toLocaleString('ko-KR'); };
  sd.signed = function (n) { n = Number(n); return (n > 0 ? '+' : '') + n.toLocaleString('ko-KR'); };
  sd.tone = function (n) { n = Number(n); return n > 0 ? 'sd-up' : n < 0 ? 'sd-down' : ''; };
  sd.percent = function (part, whole) { return whole ? (part > 0 ? '+' : '') + (part / whole * 100).toFixed(2) + '%' : ''; };

  /** An element with text (never HTML), class and children. */
  sd.el = function (tag, text, name, children) {
    var made = document.createElement(tag);
    if (text !== undefined && text !== null) { made.textContent = text; }
    if (name) { made.className = name; }
    (children || []).forEach(function (child) { made.appendChild(child); });
    return made;
  };

  sd.url = function (base, query) {
    var parts = Object.keys(query).map(function (k) { return encodeURIComponent(k) + '=' + encodeURIComponent(query[k]); });
    return base + (base.indexOf('?') < 0 ? '?' : '&') + parts.join('&');
  };

  /** JSON of our own page; rejects on anything else (a login page answers HTML with 200). */
  sd.ask = function (base, query, tag) {
    var head = { Accept: 'application/json' };
    if (tag) { head['If-None-Match'] = tag; }
    return fetch(sd.url(base, query), { credentials: 'same-origin', headers: head }).then(function (reply) {
      var now = Number(reply.headers.get('X-Stockd-Now')) || Date.now();
      if (reply.status === 304) { return { same: true, now: now, tag: tag }; }
      if (!reply.ok || (reply.headers.get('Content-Type') || '').indexOf('json') < 0) { throw new Error('HTTP ' + reply.status); }
      return reply.json().then(function (body) { return { body: body, now: now, tag: reply.headers.get('ETag') }; });
    });
  };

  /* --- dark where the site is: the core has no sign for it, every theme its own, so the page looks at
     what it lies on. 'stockd:theme' tells the chart. --- */
  function behind(from) {
    for (var at = from.parentElement; at; at = at.parentElement) {
      var c = getComputedStyle(at).backgroundColor.match(/[\d.]+/g);
      if (c && (c.length < 4 || Number(c[3]) > 0.5)) { return c.map(Number); }
    }
    return [255, 255, 255];
  }
  function theme(root) {
    var c = behind(root), dark = 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2] < 110;
    if (root.classList.contains('sd-dark') !== dark) {
      root.classList.toggle('sd-dark', dark);
      root.dispatchEvent(new CustomEvent('stockd:theme'));
    }
  }

  document.addEventListener('DOMContentLoaded', function () {
    var root = document.querySelector('[data-stockd]');
    if (!root) { return; }
    var watch = new MutationObserver(function () { theme(root); });
    [document.documentElement, document.body].forEach(function (one) { watch.observe(one, { attributes: true }); });
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () { setTimeout(theme, 0, root); });
    theme(root);
    /* admin.js asks for a token on every submit click and blocks the form when that fails; ours carry
       their own, and the stop button must not hang on another request */
    root.addEventListener('click', function (event) {
      if (event.target.closest('button[type=submit]')) { event.stopPropagation(); }
    });
    root.addEventListener('submit', function (event) {
      var words = event.target.getAttribute('data-confirm');
      if (words && !window.confirm(words)) { event.preventDefault(); }
    });
  });
})();
