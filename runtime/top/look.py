"""One look at the whole machine, with a memory of the look before: rates and cadences come of two.

Whatever is away leaves its part empty and its name in ``away``; a look never raises for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import redis as redis_py
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from budget.lanes import Snapshot
from db.ledger import Site
from db.signs import Signs
from db.top_reads import SectionRead, StrikeRead, read_sections, read_strikes
from runtime.alarms.look import Queue, look
from trading.errors import StockdError

POLLS = {"assets": 10.0, "sweep": 10.0}  # row of `daemon` -> how often it is due, s
LATE = 1.5  # of its period


@dataclass(frozen=True, slots=True)
class Poll:
    """``age_s`` since the last cycle ended; ``gap_s`` between the two last ones, None until two
    were seen."""

    every_s: float
    age_s: float
    gap_s: float | None
    state: str

    @property
    def is_late(self) -> bool:
        return self.age_s > self.every_s * LATE


@dataclass(frozen=True, slots=True)
class Picture:
    """What was seen at ``at``. ``per_s`` is ticks a second by section, None at the first look."""

    at: datetime
    away: dict[str, str]
    signs: Signs | None
    beat_s: float | None
    queues: dict[str, Queue]
    sections: list[SectionRead]
    per_s: dict[int, float | None]
    strikes: list[StrikeRead]
    polls: dict[str, Poll]
    lanes: dict[str, Snapshot]
    connects: dict[str, dict[str, Any]]


@dataclass
class Looker:
    """``lanes()`` and ``connects()`` by section label, StockdError when Redis is gone."""

    engine: Engine  # of the role reader, in autocommit
    site: Site
    state: redis_py.Redis
    broker: redis_py.Redis
    queues: tuple[str, ...]
    lanes: Callable[[], dict[str, Snapshot]]
    connects: Callable[[], dict[str, dict[str, Any]]]
    _records: dict[int, tuple[datetime, int]] = field(default_factory=dict)
    _ended: dict[str, tuple[datetime, float | None]] = field(default_factory=dict)

    def look(self, now: datetime) -> Picture:
        """Everything as it is at ``now`` (aware)."""
        seen = look(self.engine, self.site, self.state, self.broker, self.queues)
        away = {
            name: words
            for name, words in (("MariaDB", seen.mariadb), ("Redis", seen.redis))
            if words
        }
        sections: list[SectionRead] = []
        strikes: list[StrikeRead] = []
        if seen.signs is not None:
            try:
                sections, strikes = read_sections(self.engine), read_strikes(self.engine)
            except (StockdError, SQLAlchemyError) as error:
                away["MariaDB"] = type(error).__name__
        lanes: dict[str, Snapshot] = {}
        connects: dict[str, dict[str, Any]] = {}
        if not seen.redis:
            try:
                lanes, connects = self.lanes(), self.connects()
            except StockdError as error:
                away["Redis"] = str(error)[:80]
        return Picture(
            now, away, seen.signs, seen.beat_s, seen.queues, sections, self._rates(sections, now),
            strikes, self._polls(seen.signs, now), lanes, connects,
        )  # fmt: skip

    def _rates(self, sections: list[SectionRead], now: datetime) -> dict[int, float | None]:
        """A number that went back (stocks taken off) says nothing: the next look does."""
        rates: dict[int, float | None] = {}
        for one in sections:
            at, before = self._records.get(one.number, (now, one.records))
            seconds = (now - at).total_seconds()
            grown = one.records - before
            rates[one.number] = round(grown / seconds, 1) if seconds > 0 and grown >= 0 else None
            self._records[one.number] = (now, one.records)
        return rates

    def _polls(self, signs: Signs | None, now: datetime) -> dict[str, Poll]:
        found = {}
        for name, every_s in POLLS.items():
            worker = signs.workers.get(name) if signs else None
            if worker is None:
                continue
            ended = now - timedelta(seconds=worker.age_s)
            before, gap = self._ended.get(name, (ended, None))
            # the two clocks and the road between them differ by less than this
            if (ended - before).total_seconds() > 1.0:
                gap = round((ended - before).total_seconds(), 1)
                before = ended
            self._ended[name] = (before, gap)
            found[name] = Poll(every_s, round(worker.age_s, 1), gap, worker.state)
        return found
