"""What is drawn, read once: the same for terminal and picture."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from db.bars import read_bars
from db.chart_reads import (
    FillMark,
    StrikeLine,
    fills_of,
    first_of_last,
    stock_name,
    strike_lines,
)
from db.tables import ConditionTables
from trading.bars import LENGTHS, Bar
from trading.errors import BadInput, StockdError


@dataclass(frozen=True)
class ChartData:
    """``bars`` oldest first, at least one."""

    symbol: str
    name: str
    minutes: int
    bars: list[Bar]
    fills: list[FillMark]
    strikes: list[StrikeLine]

    @property
    def gaps(self) -> list[int]:
        """Numbers (0-based) of the bars in which the feed was interrupted."""
        return [number for number, one in enumerate(self.bars) if one.gap]

    def number_of(self, mark: FillMark) -> int:
        """Number of the bar a fill belongs to: the last one that begins before it."""
        return max(0, bisect_right([one.at for one in self.bars], mark.at) - 1)

    @property
    def length(self) -> str:
        """``5분`` or ``일``."""
        return "일" if self.minutes == 1440 else f"{self.minutes}분"

    def label(self, number: int) -> str:
        """The time of a bar for the axis; with its date where a day begins."""
        at = self.bars[number].at
        if self.minutes == 1440:
            return at.strftime("%m/%d")
        new_day = number == 0 or self.bars[number - 1].at.date() != at.date()
        return at.strftime("%m/%d %H:%M" if new_day else "%H:%M")


def read_chart(
    engine: Engine, tables: ConditionTables, symbol: str, minutes: int, count: int
) -> ChartData:
    """The last ``count`` bars and what belongs on them. StockdError when there is no bar."""
    if minutes not in LENGTHS:
        raise BadInput("--minutes", minutes, f"one of {', '.join(map(str, LENGTHS))}")
    since = first_of_last(engine, symbol, minutes, count)
    if since is None:
        raise StockdError(f"{symbol}: no bars of {minutes} minutes in table bar")
    bars = read_bars(engine, symbol, minutes, since, since + timedelta(days=36_500))
    until = bars[-1].at + timedelta(minutes=minutes)
    return ChartData(
        symbol,
        stock_name(engine, symbol),
        minutes,
        bars,
        fills_of(engine, symbol, since, until),
        strike_lines(engine, tables, symbol),
    )
