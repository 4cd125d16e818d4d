"""Candles and fills as inline SVG: red up, blue down, ▲ bought, ▼ sold."""

from __future__ import annotations

from bisect import bisect_right

from runtime.report.day import Drawn
from trading.fills import Side

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 300, 70, 12, 24
UP, DOWN, GAP = "#d60000", "#0051c7", "#e8e8e8"
MARKS = {Side.BUY: ("▲", "#b000b0"), Side.SELL: ("▼", "#008b8b")}


def candles(drawn: Drawn) -> str:
    """One `<svg>`; a sentence when the day has no bars."""
    bars = drawn.bars
    if not bars:
        return "<p>이 날의 봉이 없습니다</p>"
    prices = [one.price for one in drawn.fills]
    low = min([one.low for one in bars] + prices)
    high = max([one.high for one in bars] + prices)
    step = (WIDTH - LEFT) / len(bars)

    def y(price: int) -> float:
        return TOP + (high - price) / max(1, high - low) * (HEIGHT - TOP - BOTTOM)

    def x(number: int) -> float:
        return LEFT + (number + 0.5) * step

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" font-size="11" role="img">']
    for price in sorted({low, (low + high) // 2, high}):
        at = y(price)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{price:,}</text>')
    for number, one in enumerate(bars):
        color, middle = UP if one.close >= one.open else DOWN, x(number)
        if one.gap:
            parts.append(
                f'<rect x="{middle - step / 2:.1f}" y="{TOP}" width="{step:.1f}"'
                f' height="{HEIGHT - TOP - BOTTOM}" fill="{GAP}"/>'
            )
        top, foot = y(max(one.open, one.close)), y(min(one.open, one.close))
        parts.append(
            f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{y(one.high):.1f}"'
            f' y2="{y(one.low):.1f}" stroke="{color}"/>'
            f'<rect x="{middle - step * 0.35:.1f}" y="{top:.1f}" width="{step * 0.7:.1f}"'
            f' height="{max(1.0, foot - top):.1f}" fill="{color}"/>'
        )
    for number in range(0, len(bars), max(1, len(bars) // 8)):
        word = bars[number].at.strftime("%H:%M")
        parts.append(
            f'<text x="{x(number):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{word}</text>'
        )
    starts = [one.at.replace(tzinfo=None) for one in bars]
    for mark in drawn.fills:
        sign, color = MARKS[mark.side]
        number = max(0, bisect_right(starts, mark.at.replace(tzinfo=None)) - 1)
        parts.append(
            f'<text x="{x(number):.1f}" y="{y(mark.price) + 4:.1f}" fill="{color}"'
            f' text-anchor="middle">{sign}<title>{mark.at:%H:%M:%S} {mark.price:,}원'
            f" {mark.quantity:,}주</title></text>"
        )
    return "".join([*parts, "</svg>"])
