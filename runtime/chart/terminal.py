"""Candles as text, by plotext: red up, blue down."""

from __future__ import annotations

from runtime.chart.data import ChartData
from runtime.chart.extra import drawing
from trading.fills import Side

UP, DOWN, STRIKE, GAP, BUY, SELL = "red", "blue", "orange", "gray", "magenta", "cyan"
AXIS = 12  # columns of frame and price labels
LABELS = 6


def bars_that_fit(width: int) -> int:
    """A bar a column."""
    return max(10, width - AXIS)


def draw(data: ChartData, width: int, height: int) -> str:
    """The chart and its legend, ``width`` columns by ``height`` lines."""
    plot = drawing("plotext")
    plot.clear_figure()
    plot.theme("clear")
    plot.plot_size(width, max(10, height - 1))
    numbers = list(range(len(data.bars)))
    candles = {
        "Open": [one.open for one in data.bars],
        "Close": [one.close for one in data.bars],
        "High": [one.high for one in data.bars],
        "Low": [one.low for one in data.bars],
    }
    for line in data.strikes:
        plot.hline(line.price, STRIKE)
    plot.candlestick(numbers, candles, colors=[UP, DOWN])
    low = min(candles["Low"])
    if data.gaps:
        plot.scatter(data.gaps, [low] * len(data.gaps), marker="x", color=GAP)
    for side, marker, color in ((Side.BUY, "▲", BUY), (Side.SELL, "▼", SELL)):
        marks = [one for one in data.fills if one.side is side]
        if marks:
            at = [data.number_of(one) for one in marks]
            plot.scatter(at, [one.price for one in marks], marker=marker, color=color)
    step = max(1, len(numbers) // LABELS)
    plot.xticks(numbers[::step], [data.label(number) for number in numbers[::step]])
    prices = _price_labels(low, max(candles["High"]))
    plot.yticks(prices, [f"{price:,}" for price in prices])
    text: str = plot.build()
    plot.clear_figure()
    return f"{title(data)}\n{text}"


def _price_labels(low: int, high: int) -> list[int]:
    """A few whole-won prices from ``low`` to ``high``."""
    return sorted({low + (high - low) * step // LABELS for step in range(LABELS + 1)})


def title(data: ChartData) -> str:
    """What one line says of it."""
    last = data.bars[-1]
    said = [f"{data.symbol} {data.name}".strip(), f"{data.length}봉", f"{last.close:,}원"]
    if data.fills:
        said.append(f"체결 {len(data.fills)} (▲매수 ▼매도)")
    if data.strikes:
        said.append("타격 " + ", ".join(f"{one.price:,}" for one in data.strikes))
    if data.gaps:
        said.append(f"끊긴 봉 {len(data.gaps)} (x)")
    return "  ".join(said)
