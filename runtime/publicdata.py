"""Tier 3: days of the whole market from data.go.kr into the tables. Restartable at any point.

A day is stored in one transaction, so a day that is there is there whole; a second run asks only
for what is missing. A day without rows (not published yet, or a holiday nobody knew) stays missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from sqlalchemy import Engine

from datagokr.parse import DailyPrice
from db.daily import stored_days, write_day
from runtime.calendar import Calendar

LOOK_BACK_DAYS = 14  # nightly: what an outage of two weeks has left open


class Source(Protocol):
    """``datagokr.client.PublicData``."""

    def day(self, day: date) -> list[DailyPrice]: ...


@dataclass(frozen=True, slots=True)
class DayDone:
    """One day of a run: ``stocks`` written, 0 when data.go.kr has nothing for it."""

    day: date
    stocks: int


def missing_days(engine: Engine, calendar: Calendar, first: date, last: date) -> list[date]:
    """Trading days of [first, last] that are not stored, oldest first."""
    stored = stored_days(engine, first, last)
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in span if day not in stored and calendar.day(day) is not None]


def fill(
    engine: Engine,
    source: Source,
    days: list[date],
    alive: Callable[[DayDone], None] = lambda done: None,
) -> Iterator[DayDone]:
    """Fetch and store these days one by one. Errors as ``source.day``; what is stored stays."""
    for day in days:
        rows = source.day(day)
        done = DayDone(day, write_day(engine, rows) if rows else 0)
        alive(done)
        yield done


def nightly(engine: Engine, source: Source, calendar: Calendar, today: date) -> str:
    """Everything of the last two weeks that is missing, in one word for the log."""
    days = missing_days(
        engine, calendar, today - timedelta(days=LOOK_BACK_DAYS), today - timedelta(days=1)
    )
    done = list(fill(engine, source, days))
    return f"{sum(1 for one in done if one.stocks)} of {len(days)} days"
