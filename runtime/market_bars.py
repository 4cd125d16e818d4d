"""The market daemon's check of closed bars: what the EVENT did not copy is repaired (P3).

An EVENT that did not run for longer than a bar (server away, scheduler off) has lost it: `market`
holds two bars a stock. The daemon keeps its closed bars until it has seen them in `bar`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine, select

from db.bars import repair_bars
from db.errors import mapped
from db.tables import bar as bar_table
from trading.bars import Bar
from trading.conflation import MINUTE, Conflator

log = structlog.get_logger(__name__)

PATIENCE_S = 15.0  # the EVENT runs every second and may be late by ten
KEEP = timedelta(minutes=4)  # a bar in `bar` is still looked at so long, for late records

Key = tuple[str, datetime]


class BarKeeper:
    """``check`` by turns, outside the feed's thread. ``lock`` guards the conflator."""

    def __init__(
        self,
        engine: Engine,
        conflator: Conflator,
        lock: threading.Lock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.repaired = 0
        self.waiting = 0  # closed bars not yet seen in `bar`
        self._engine = engine
        self._conflator = conflator
        self._lock = lock
        self._monotonic = monotonic
        self._patience_s = patience_s
        self._since: dict[Key, float] = {}  # when a closed bar was first looked at

    def check(self, now: datetime) -> int:
        """Compare closed bars with table `bar`, repair what differs; how many were repaired.

        Raises Unavailable or Transient; the bars then wait for the next turn.
        """
        with self._lock:
            bars = {
                (one.symbol, one.at): one for one in self._conflator.bars_to_check(now - MINUTE)
            }
        clock = self._monotonic()
        self._since = {key: self._since.get(key, clock) for key in bars}
        due = {
            key: one for key, one in bars.items() if clock - self._since[key] >= self._patience_s
        }
        self.waiting = len(due)
        if not due:
            return 0
        stored = self._stored(due)
        missing = [one for key, one in due.items() if _says_more(one, stored.get(key))]
        if missing:
            changed = repair_bars(self._engine, missing)
            self.repaired += changed
            log.warning("봉을 수리", bars=len(missing), changed=changed)
        self.waiting = 0
        newest = max(at for _, at in bars)
        with self._lock:
            # only what was looked at just now: in a replay a bar closes and is old in a second
            self._conflator.forget(newest - KEEP, self._conflator.closed.keys() - due.keys())
        return len(missing)

    def _stored(self, due: dict[Key, Bar]) -> dict[Key, Bar]:
        c = bar_table.c
        query = select(bar_table).where(
            c.minutes == 1,
            c.at.between(min(at for _, at in due), max(at for _, at in due)),
            c.symbol.in_({symbol for symbol, _ in due}),
        )
        with mapped(), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return {
            (row.symbol, row.at): Bar(
                row.symbol, 1, row.at, row.open, row.high, row.low, row.close, row.volume,
                row.turnover, row.ticks, bool(row.gap),
            )
            for row in rows
        }  # fmt: skip


def _says_more(ours: Bar, stored: Bar | None) -> bool:
    """Whether our bar belongs in place of the stored one: the same rule as the server's upsert."""
    if stored is None or ours.ticks > stored.ticks:
        return True
    if ours.ticks < stored.ticks:
        return False
    same = (ours.open, ours.high, ours.low, ours.close, ours.volume, ours.turnover) == (
        stored.open, stored.high, stored.low, stored.close, stored.volume, stored.turnover
    )  # fmt: skip
    return not same or (ours.gap and not stored.gap)
