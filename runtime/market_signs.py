"""Signs of life of the market daemon: its row of ``daemon``, and what is said once of a stock."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from db.heartbeat import Heartbeat
from runtime.feed_link import Link
from runtime.loop import kst_now
from runtime.market_bars import BarKeeper
from runtime.market_parts import MarketParts
from runtime.market_writer import MarketWriter
from trading.clock import KST
from trading.conflation import Conflator
from trading.errors import OutsideError

log = structlog.get_logger(__name__)


class MarketSigns:
    """``beat`` about once a second, outside the tick path."""

    def __init__(
        self,
        parts: MarketParts,
        links: Sequence[Link],
        conflator: Conflator,
        writer: MarketWriter,
        keeper: BarKeeper,
    ) -> None:
        self._parts = parts
        self._links = links
        self._conflator = conflator
        self._writer = writer
        self._keeper = keeper
        self._started_at = kst_now()
        self._rate: tuple[float, int] = (time.monotonic(), 0)
        self._told_off: set[str] = set()

    @property
    def records(self) -> int:
        """Trade records read since the start, over all sections."""
        return sum(link.section.trades.records_read for link in self._links)

    def beat(self, detail: Mapping[str, Any]) -> None:
        """Write the row of `daemon`: progress is the last row written, not being alive."""
        last = self._writer.last_at
        progress = datetime.fromtimestamp(last, KST) if last else self._started_at
        heartbeat = Heartbeat(self._parts.engine, self._parts.name, self._started_at)
        up = any(link.up for link in self._links)
        heartbeat.beat(progress, "RUNNING" if up else "WAITING", detail)
        self._tell_off()

    def _tell_off(self) -> None:
        """Stocks whose bar volume is not what ACML_VOL grew by, once each (docs/adr/0007)."""
        told = self._told_off
        new = {
            symbol: off for symbol, off in list(self._conflator.off.items()) if symbol not in told
        }
        if new:
            told.update(new)
            shown = {symbol: f"{at:%H:%M} {shares:+d}" for symbol, (at, shares) in new.items()}
            log.warning("봉 거래량과 누적 거래량이 다름", stocks=len(new), first=shown)

    def detail(self, refused: int) -> Mapping[str, Any]:
        """What `stockd status` shows of the feed; ``refused`` stocks have no place."""
        then, records = self._rate
        clock, total = time.monotonic(), self.records
        per_s = (total - records) / (clock - then) if clock > then else 0.0
        self._rate = (clock, total)
        links, writer = self._links, self._writer
        trades = [link.section.trades for link in links]
        shown: dict[str, Any] = {
            "ticks": total,
            "ticks_per_s": round(per_s, 1),
            "sections_up": sum(link.up for link in links),
            "sections": len(links),
            "stocks": len(self._conflator.states),
            "rows": writer.rows,
            "row_ms": writer.slowest_ms(),
            "drift": sum(s.drift for s in list(self._conflator.states.values())),
            "bad": sum(one.bad for one in trades),
            "fields": max(one.carets for one in trades) + 1,  # 0: none read yet
            "volume_off": self._conflator.volume_off,
            "refused": refused,
            "repaired": self._keeper.repaired,
            "connects": sum(link.connects for link in links),
            "connects_left": self._connects_left(),
        }
        unheld = [f"{one} {why}" for link in links for one, why in link.section.refused.items()]
        if unheld:
            more = f" +{len(unheld) - 3}" if len(unheld) > 3 else ""
            shown["unregistered"] = ", ".join(unheld[:3]) + more
        why = writer.failing or next((link.why for link in links if link.why), "")
        return {**shown, "why": why[:80]} if why else shown

    def _connects_left(self) -> int:
        try:
            return self._parts.budget_left()
        except OutsideError:
            return -1
