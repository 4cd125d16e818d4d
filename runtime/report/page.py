"""The report as one HTML file: no script, nothing fetched, opens in ten years."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from runtime.report.day import Drawn, Report
from runtime.report.svg import candles
from runtime.report.words import KINDS, verdict
from trading.words import SIDES, STATES

STYLE = """
body{font-family:"Noto Sans KR","Malgun Gothic",sans-serif;max-width:1000px;margin:2em auto;
padding:0 1em;color:#222}h1{font-size:1.4em}table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #ddd;padding:.3em .5em;text-align:left}.n{text-align:right}
.good{color:#06682b}.bad{color:#c00000}svg{width:100%;height:auto}
"""


def page(report: Report) -> str:
    """The whole document."""
    title = f"{report.day} 저녁 대사"
    mood = "good" if report.ok else "bad"
    parts = [
        f'<!doctype html><html lang="ko"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{STYLE}</style></head><body><h1>{title} — {escape(report.account)}</h1>",
        f'<p class="{mood}"><strong>{verdict(report)}</strong></p>',
        f"<p>매수 {report.bought:,}원 · 매도 {report.sold:,}원"
        f" · {report.made_at:%m-%d %H:%M} 작성</p>",
    ]
    if report.differences:
        rows = [(KINDS[one.kind], one.what, one.ours, one.theirs) for one in report.differences]
        parts += ["<h2>차이</h2>", _table(("무엇", "어디", "우리", "상대"), rows)]
    if report.compared.left_out:
        parts += ["<h2>견주지 못한 것</h2><ul>"]
        parts += [f"<li>{escape(one)}</li>" for one in report.compared.left_out]
        parts += ["</ul>"]
    parts += ["<h2>주문</h2>", _orders(report)]
    if report.by_hand:
        rows = [
            (one.order_no, one.symbol, SIDES[one.side], f"{one.filled:,} / {one.quantity:,}")
            for one in report.by_hand
        ]
        parts += ["<h2>손으로 낸 주문</h2>", _table(("주문번호", "종목", "구분", "체결"), rows)]
    parts += [_chart(one) for one in report.drawn]
    return "\n".join([*parts, "</body></html>\n"])


def _orders(report: Report) -> str:
    rows = [
        (
            one.strike_id, one.order_no, one.symbol, SIDES[one.side],
            f"{one.filled:,} / {one.quantity:,}",
            f"{one.price:,}" if one.price else "시장가", STATES[one.state], one.reason,
        )
        for one in report.orders
    ]  # fmt: skip
    return _table(("타격", "주문번호", "종목", "구분", "체결", "가격", "상태", "이유"), rows)


def _chart(drawn: Drawn) -> str:
    return f"<h2>{escape(drawn.symbol)} {escape(drawn.name)}</h2>\n{candles(drawn)}"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    cells = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(one))}</td>" for one in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{cells}</tr>{body}</table>"
