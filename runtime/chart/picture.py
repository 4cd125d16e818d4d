"""Candles as a picture, by mplfinance (matplotlib's own candle library)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runtime.chart.data import ChartData
from runtime.chart.extra import drawing
from trading.errors import StockdError
from trading.fills import Side

UP, DOWN, STRIKE, GAP = "#d60000", "#0051c7", "#e07b00", "#999999"
MARKS = {Side.BUY: ("^", "#b000b0", "매수"), Side.SELL: ("v", "#008b8b", "매도")}
KOREAN_FONTS = (
    "NanumGothic", "Noto Sans CJK KR", "Noto Sans KR", "NanumBarunGothic", "Malgun Gothic",
    "Apple SD Gothic Neo", "AppleGothic", "UnDotum", "Baekmuk Gulim",
)  # fmt: skip
SIZE = (14, 8)  # inches at 100 dots


def save(data: ChartData, path: Path) -> None:
    """Write the PNG. StockdError when it cannot be written."""
    mpf, pandas = drawing("mplfinance"), drawing("pandas")
    drawing("matplotlib").use("Agg")  # no display
    font = korean_font()
    frame = pandas.DataFrame(
        {
            "Open": [one.open for one in data.bars],
            "High": [one.high for one in data.bars],
            "Low": [one.low for one in data.bars],
            "Close": [one.close for one in data.bars],
            "Volume": [one.volume for one in data.bars],
        },
        index=pandas.DatetimeIndex([one.at.replace(tzinfo=None) for one in data.bars]),
    )
    colors = mpf.make_marketcolors(up=UP, down=DOWN, edge="inherit", wick="inherit", volume="in")
    style = mpf.make_mpf_style(
        base_mpf_style="yahoo",
        marketcolors=colors,
        rc={"font.family": [font or "sans-serif"], "axes.unicode_minus": False},
    )
    figure, axes = mpf.plot(
        frame, type="candle", volume=True, style=style, figsize=SIZE, returnfig=True,
        datetime_format="%m/%d" if data.minutes == 1440 else "%m/%d %H:%M",
        axtitle=_title(data, font != ""), ylabel="", ylabel_lower="",
        warn_too_much_data=1 << 30,
    )  # fmt: skip
    axes[2].set_ylim(bottom=0)  # a volume twice as large looks twice as large
    try:
        _mark(data, axes[0], font != "")
        figure.savefig(path, format="png", dpi=100, bbox_inches="tight")
    except OSError as error:
        raise StockdError(f"{path}: {error.strerror or error}") from None
    finally:
        drawing("matplotlib.pyplot").close(figure)


def _mark(data: ChartData, prices: Any, korean: bool) -> None:
    """Gaps, strike lines and fills. A bar's place on the axis is its number."""
    for number in data.gaps:
        prices.axvspan(number - 0.5, number + 0.5, color=GAP, alpha=0.3, linewidth=0, zorder=0)
    for line in data.strikes:
        prices.axhline(line.price, color=STRIKE, linestyle="--", linewidth=1)
        side = MARKS[line.side][2] if korean else line.side.value
        said = f"{side} #{line.condition_id} {line.price:,}"
        prices.annotate(said, (0, line.price), color=STRIKE, fontsize=9, va="bottom")
    for side, (marker, color, word) in MARKS.items():
        found = [one for one in data.fills if one.side is side]
        if found:
            prices.scatter(
                [data.number_of(one) for one in found],
                [one.price for one in found],
                marker=marker, color=color, edgecolors="white", s=90, zorder=5,
                label=f"{word if korean else side.value} {sum(one.quantity for one in found):,}",
            )  # fmt: skip
    if data.fills:
        prices.legend(loc="upper left")


def korean_font() -> str:
    """A font of this machine that has Hangul, "" when none has: the words are English then."""
    known = {one.name for one in drawing("matplotlib.font_manager").fontManager.ttflist}
    return next((name for name in KOREAN_FONTS if name in known), "")


def _title(data: ChartData, korean: bool) -> str:
    if not korean:
        return f"{data.symbol} {data.minutes} min"
    gaps = f"  (회색: 끊긴 봉 {len(data.gaps)})" if data.gaps else ""
    return f"{data.symbol} {data.name} {data.length}봉{gaps}"
