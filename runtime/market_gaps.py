"""Which sections do not deliver, and since when: what they missed is marked, never invented (P2).

The feed loop calls; what MariaDB must know (`feed_gap`) goes through the clerk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from threading import Lock

from sqlalchemy import Engine

from db.feed_gaps import close_gaps, last_received, open_gap
from runtime.market_clerk import Clerk
from trading.conflation import Conflator


class FeedGaps:
    """Of the sections of one market daemon; ``number in gaps`` while that one does not deliver."""

    def __init__(self, engine: Engine, conflator: Conflator, lock: Lock, clerk: Clerk) -> None:
        self._engine, self._conflator, self._lock, self._clerk = engine, conflator, lock, clerk
        self._since: dict[int, datetime] = {}
        self._told: set[int] = set()  # those that stand in feed_gap

    def __contains__(self, number: int) -> bool:
        return number in self._since

    def __len__(self) -> int:
        return len(self._since)

    def since(self, number: int, otherwise: datetime) -> datetime:
        """Since when a section is away, or ``otherwise`` when it is there."""
        return self._since.get(number, otherwise)

    def start(
        self,
        numbers: Sequence[int],
        now: datetime,
        missed: Callable[[datetime, datetime], datetime | None],
    ) -> None:
        """What the time since the last run missed. Raises Unavailable without MariaDB."""
        seen = last_received(self._engine, numbers)
        for number in numbers:
            last = seen.get(number)
            since = None if last is None else missed(last, now)
            if since is not None:
                self.note(number, since, "데몬이 꺼져 있었음")
            self._since.setdefault(number, now)  # nothing is registered yet
            self._told.add(number)  # and the last end may have left one open

    def note(self, number: int, since: datetime, reason: str) -> None:
        """A section does not deliver any more."""
        self._since.setdefault(number, since)
        self._told.add(number)
        with self._lock:
            states = [s.symbol for s in self._conflator.states.values() if s.section == number]
            self._conflator.lost(states, since)
        self._clerk.put(lambda: open_gap(self._engine, number, since, reason))

    def back(self, number: int, symbols: Iterable[str], now: datetime) -> None:
        """A section delivers ``symbols`` again."""
        del self._since[number]
        with self._lock:
            self._conflator.back(symbols, now)
        if number in self._told:
            self._told.discard(number)
            self._clerk.put(lambda: close_gaps(self._engine, number, now))
