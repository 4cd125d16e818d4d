"""The day of the stocks that have conditions: ±30 % limits and designations, read once a day.

No trade frame carries them. One inquire-price call a stock over the sweep's surplus calls, armed
ones first; a stock that cannot be read is asked again after ten minutes and costs the others
nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from datetime import time as time_of_day
from typing import Protocol

import structlog
from sqlalchemy import Engine

from db.ledger import Site
from db.stock_days import apply_no_buy, stocks_to_read, write_stock_day
from trading.clock import KST
from trading.designations import StockDay
from trading.errors import BadInput, Refused

log = structlog.get_logger(__name__)

MOST_A_TURN = 10
# The new day's limits are there before NXT's pre-market. What was read then is read once more
# before KRX opens: a broker that was late with them must not bound the day by yesterday's.
FROM = (time_of_day(8, 0), time_of_day(8, 45))
AGAIN_AFTER_S = 600.0


class Source(Protocol):
    """``kis.quotes.KisQuotes``."""

    def stock_day(self, symbol: str) -> StockDay: ...


@dataclass(slots=True)
class StockDays:
    """``turn`` once a turn; one a process, it remembers what could not be read."""

    source: Source
    engine: Engine  # role sweep
    site: Site
    no_buy: Sequence[str]
    now: Callable[[], datetime]
    read_from: Sequence[time_of_day] = FROM  # a market that never closes: midnight
    monotonic: Callable[[], float] = time.monotonic
    _failed: dict[str, float] = field(default_factory=dict)

    def turn(self) -> str:
        """Some stocks' day. Raises Throttled, Unavailable, AuthError: the next turn retries."""
        now = self.now()
        begun = [one for one in self.read_from if one <= now.timetz().replace(tzinfo=None)]
        if not begun:
            return "too early"
        apply_no_buy(self.engine, self.no_buy, now.date())
        since = datetime.combine(now.date(), begun[-1], tzinfo=KST)
        asked = [one for one in stocks_to_read(self.engine, self.site, since) if self._due(one)]
        written = sum(self._read(one) for one in asked[:MOST_A_TURN])
        return f"{written} of {len(asked)}"

    def _due(self, symbol: str) -> bool:
        failed_at = self._failed.get(symbol)
        return failed_at is None or self.monotonic() - failed_at >= AGAIN_AFTER_S

    def _read(self, symbol: str) -> bool:
        try:
            found = self.source.stock_day(symbol)
        except (Refused, BadInput) as error:
            self._failed[symbol] = self.monotonic()
            log.warning("종목의 그날을 읽지 못함", symbol=symbol, error=str(error))
            return False
        self._failed.pop(symbol, None)
        if found.designations is None:
            log.error("모르는 종목 상태 코드: 지정을 보지 않고 매매함", symbol=symbol)
        write_stock_day(self.engine, found, self.no_buy, self.now())
        return True
