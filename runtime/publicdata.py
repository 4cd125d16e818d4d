"""Tier 3: days of the whole market from data.go.kr into the tables. Restartable at any point.

A day is stored in one transaction, so a day that is there is there whole; a second run asks only
for what is missing. A day without rows (not published yet, or a holiday nobody knew) stays missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Engine

from datagokr.client import DayRows
from db.daily import stored_days, write_day
from runtime.calendar import Calendar
from trading.errors import BadInput

log = structlog.get_logger(__name__)

LOOK_BACK_DAYS = 14  # nightly: what an outage of two weeks has left open


class Source(Protocol):
    """``datagokr.client.PublicData``."""

    def day(self, day: date) -> DayRows: ...


@dataclass(frozen=True, slots=True)
class DayDone:
    """One day of a run: ``stocks`` written, 0 when data.go.kr has nothing for it.

    ``bad``: rows that could not be read. ``unreadable``: why the whole day could not.
    """

    day: date
    stocks: int
    bad: int = 0
    unreadable: str = ""


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
    """Fetch and store these days one by one. Errors as ``source.day``; what is stored stays.

    A day that cannot be read is left out: it must not keep those after it from coming.
    """
    for day in days:
        done = _one_day(engine, source, day)
        alive(done)
        yield done


def _one_day(engine: Engine, source: Source, day: date) -> DayDone:
    try:
        got = source.day(day)
    except BadInput as error:
        log.warning("publicdata_day_unreadable", day=str(day), error=str(error))
        return DayDone(day, 0, unreadable=str(error))
    for one in got.bad:
        log.warning("publicdata_row_unreadable", day=str(day), row=one)
    stocks = write_day(engine, got.rows) if got.rows else 0
    return DayDone(day, stocks, len(got.bad))


def nightly(engine: Engine, source: Source, calendar: Calendar, today: date) -> str:
    """Everything of the last two weeks that is missing, in one word for the log."""
    days = missing_days(
        engine, calendar, today - timedelta(days=LOOK_BACK_DAYS), today - timedelta(days=1)
    )
    done = list(fill(engine, source, days))
    return f"{sum(1 for one in done if one.stocks)} of {len(days)} days"
