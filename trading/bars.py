"""Bar (봉): open, high, low, close of the trades of some minutes of one stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LENGTHS: tuple[int, ...] = (1, 3, 5, 10, 15, 30, 60, 1440)  # minutes


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar. Prices and turnover are whole won, volume is shares. A minute without a trade has
    no bar (docs/adr: bars)."""

    symbol: str
    minutes: int  # one of LENGTHS
    at: datetime  # start of the bar, aware KST, on a multiple of ``minutes`` of the day
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int  # sum of price × volume
    ticks: int
    gap: bool  # the feed was interrupted within the bar
