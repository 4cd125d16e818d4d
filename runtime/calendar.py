"""Trading days: a calendar library (XKRX), corrected by what the broker said (chk-holiday).

The library is loaded on first use (it brings pandas along). The broker is asked once a day, in the
morning task; where the two differ the broker is right, and the difference is kept in the state
directory and reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from budget.files import read_json, write_json
from runtime.settings import LOOPBACK, Settings
from trading.clock import KST
from trading.hours import (
    CLOSES,
    OPENS,
    SPECIAL_DAYS,
    PhaseKind,
    TradingDay,
    is_working_time,
    phases_at,
    phases_of,
)
from trading.orders import Venue

log = structlog.get_logger(__name__)

FILE = "trading-days.json"  # {"2026-11-19": true | false}: the broker's word
KEEP_DAYS = 400
LOOK_BACK_DAYS = 10  # the longest holidays; bars are flagged so far back (db/sql/events)
LAST_PRINT = timedelta(minutes=1)  # a phase's last print is rarely in its last second


@cache
def _xkrx() -> Any:
    import exchange_calendars  # noqa: PLC0415  half a second and pandas: only who asks pays

    return exchange_calendars.get_calendar("XKRX")


@cache
def _known_day(day: date) -> TradingDay | None:
    """What our data and the library say; beyond its horizon a weekday counts as a trading day."""
    if day in SPECIAL_DAYS:
        return SPECIAL_DAYS[day]
    calendar = _xkrx()
    if not calendar.first_session.date() <= day <= calendar.last_session.date():
        return TradingDay(day) if day.weekday() < 5 else None
    if not calendar.is_session(day.isoformat()):
        return None
    session = calendar.schedule.loc[day.isoformat()]
    return TradingDay(day, _kst_time(session["open"]), _kst_time(session["close"]))


def _kst_time(stamp: Any) -> time:
    found: time = stamp.tz_convert("Asia/Seoul").time()
    return found


def horizon() -> date:
    """The last day the library knows; beyond it a weekday counts as a trading day."""
    last: date = _xkrx().last_session.date()
    return last


class Calendar:
    """Trading days of this machine. ``state_dir`` holds what the broker corrected."""

    def __init__(self, state_dir: Path) -> None:
        self._file = state_dir / FILE

    def day(self, day: date) -> TradingDay | None:
        """The trading day with its hours, None when the exchange is closed."""
        told = read_json(self._file).get(day.isoformat())
        known = _known_day(day)
        if told is None or told == (known is not None):
            return known
        return TradingDay(day, OPENS, CLOSES) if told else None

    def is_working_time(self, at: datetime) -> bool:
        """Whether polls work at ``at`` (aware)."""
        local = at.astimezone(KST)
        today = self.day(local.date())
        return today is not None and is_working_time(today, local)

    def is_continuous(self, at: datetime) -> bool:
        """Whether KRX trades continuously (정규장 접속매매) at ``at`` (aware)."""
        local = at.astimezone(KST)
        today = self.day(local.date())
        return today is not None and any(
            phase.venue is Venue.KRX and phase.kind is PhaseKind.CONTINUOUS
            for phase in phases_at(today, local)
        )

    def missed(self, since: datetime, now: datetime) -> datetime | None:
        """From when on prints were missed by who last received at ``since`` and hears nothing until
        ``now`` (aware): None when KRX printed nothing meanwhile, a night for instance."""
        start, end = since.astimezone(KST), now.astimezone(KST)
        day = max(start.date(), end.date() - timedelta(days=LOOK_BACK_DAYS))
        while day <= end.date():
            today = self.day(day)
            for begins, ends in _prints(today) if today is not None else ():
                if (begins > start or ends > start + LAST_PRINT) and begins < end:
                    return max(start, begins)
            day += timedelta(days=1)
        return None

    def check(self, told: Mapping[date, bool], at: datetime) -> list[date]:
        """Keep the broker's word of these days; the days on which the library says otherwise."""
        kept = {
            day: open_
            for day, open_ in read_json(self._file).items()
            if (at.date() - date.fromisoformat(day)).days < KEEP_DAYS
        }
        write_json(self._file, kept | {day.isoformat(): open_ for day, open_ in told.items()})
        differs = sorted(d for d, open_ in told.items() if open_ != (_known_day(d) is not None))
        for day in differs:
            log.warning("휴장일이 달력과 다름: 증권사를 따름", day=str(day), open=told[day])
        return differs


def _prints(today: TradingDay) -> list[tuple[datetime, datetime]]:
    """When KRX prints trades: continuously, and at the end of an auction."""
    return sorted(
        (end if phase.kind is PhaseKind.AUCTION else start, end)
        for phase, start, end in phases_of(today)
        if phase.venue is Venue.KRX and phase.kind is not PhaseKind.FIXED
    )


def always_open(settings: Settings) -> bool:
    """Whether the settings say that the market never closes (a simulator)."""
    if settings.market.hours != "auto":
        return settings.market.hours == "always"
    return urlsplit(settings.kis.rest_url).hostname in LOOPBACK


def market_is_awake(settings: Settings, calendar: Calendar, at: datetime) -> bool:
    """Whether polls, sweeps and alarms work at ``at``."""
    return always_open(settings) or calendar.is_working_time(at)


def market_is_continuous(settings: Settings, calendar: Calendar, at: datetime) -> bool:
    """Whether trades are to be expected all the time at ``at``: no auction, no pause."""
    return always_open(settings) or calendar.is_continuous(at)


def prints_missed(
    settings: Settings, calendar: Calendar, since: datetime, now: datetime
) -> datetime | None:
    """As ``Calendar.missed``; a market that never closes prints always."""
    return since if always_open(settings) else calendar.missed(since, now)
