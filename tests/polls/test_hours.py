"""The trading day as data: ordinary days, the year's first, 수능, and the rules of 2026-09-14."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from runtime.calendar import Calendar, always_open, market_is_awake
from runtime.settings import read_settings
from trading.clock import KST
from trading.hours import PhaseKind, TradingDay, is_working_time, phases_at
from trading.orders import Venue
from trading.phases import Phase, phase_on


@pytest.fixture
def calendar(tmp_path: Path) -> Calendar:
    return Calendar(tmp_path)


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute, second), tzinfo=KST)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2026, 11, 23), time(9), time(15, 30)),  # an ordinary Monday
        (date(2026, 1, 2), time(10), time(15, 30)),  # first day of the year
        (date(2026, 11, 19), time(10), time(16, 30)),  # 수능
        (date(2026, 11, 22), None, None),  # Sunday
        (date(2026, 6, 3), None, None),  # 지방선거
        (date(2026, 9, 25), None, None),  # 추석
        (date(2025, 12, 31), None, None),  # 연말 휴장
    ],
)
def test_which_days_the_exchange_opens_and_when(
    calendar: Calendar, day: date, opens: time | None, closes: time | None
) -> None:
    found = calendar.day(day)
    assert (found and (found.opens, found.closes)) == (opens and (opens, closes))


@pytest.mark.parametrize(
    ("clock", "krx", "nxt"),
    [
        ((8, 15), set(), {PhaseKind.PRE}),
        ((8, 45), {PhaseKind.AUCTION}, {PhaseKind.PRE}),
        ((9, 0), {PhaseKind.CONTINUOUS}, set()),
        ((9, 0, 30), {PhaseKind.CONTINUOUS}, {PhaseKind.CONTINUOUS}),
        ((15, 19), {PhaseKind.CONTINUOUS}, {PhaseKind.CONTINUOUS}),
        ((15, 20), {PhaseKind.AUCTION}, set()),
        ((15, 45), {PhaseKind.FIXED}, {PhaseKind.AFTER}),
        ((17, 0), {PhaseKind.AFTER}, {PhaseKind.AFTER}),
        ((20, 0), set(), set()),
    ],
)
def test_the_phases_of_an_ordinary_day(
    clock: tuple[int, ...], krx: set[PhaseKind], nxt: set[PhaseKind]
) -> None:
    day = date(2026, 11, 23)
    running = phases_at(TradingDay(day), at(day, *clock))
    assert {one.kind for one in running if one.venue is Venue.KRX} == krx
    assert {one.kind for one in running if one.venue is Venue.NXT} == nxt


def test_the_evening_auction_ended_and_the_after_market_began_on_2026_09_14() -> None:
    before, since = date(2026, 9, 11), date(2026, 9, 14)
    names = [
        {one.kind for one in phases_at(TradingDay(day), at(day, 17)) if one.venue is Venue.KRX}
        for day in (before, since)
    ]
    assert names == [{PhaseKind.AUCTION}, {PhaseKind.AFTER}]


def test_on_the_day_of_the_exam_everything_is_an_hour_later(calendar: Calendar) -> None:
    today = calendar.day(date(2026, 11, 19))
    assert today is not None
    assert not is_working_time(today, at(today.day, 8, 59))
    assert is_working_time(today, at(today.day, 9, 0))
    assert PhaseKind.CONTINUOUS in {one.kind for one in phases_at(today, at(today.day, 16, 19))}


# what an order may be sent in (trading/phases.py), in the words of the polls' and alarms' table
SAID = {
    (Venue.KRX, PhaseKind.AUCTION): {Phase.OPENING, Phase.CLOSING},
    (Venue.KRX, PhaseKind.CONTINUOUS): {Phase.REGULAR},
    (Venue.NXT, PhaseKind.PRE): {Phase.PRE},
    (Venue.NXT, PhaseKind.CONTINUOUS): {Phase.REGULAR},
    (Venue.NXT, PhaseKind.AFTER): {Phase.AFTER},
}


@pytest.mark.parametrize(
    "today",
    [
        TradingDay(date(2026, 11, 23)),
        TradingDay(date(2026, 11, 19), time(10), time(16, 30)),
        TradingDay(date(2027, 1, 4), time(10)),
    ],
    ids=["any", "csat", "first"],
)
@pytest.mark.parametrize("venue", [Venue.KRX, Venue.NXT])
def test_the_guards_hours_are_those_of_the_polls_and_alarms(
    today: TradingDay, venue: Venue
) -> None:
    """Two tables, one rule: a change that reaches one of them alone shows here."""
    for tick in range(24 * 120):
        moment = at(today.day, 0) + timedelta(seconds=30 * tick)
        kinds = {one.kind for one in phases_at(today, moment) if one.venue is venue}
        sent = [SAID[venue, kind] for kind in kinds if (venue, kind) in SAID]
        phase = phase_on(today, venue, moment.time())
        assert (phase in sent[0]) if sent else (phase is Phase.CLOSED), (moment, kinds, phase)


def test_the_brokers_word_beats_the_calendar(calendar: Calendar) -> None:
    sudden, ordinary = date(2026, 12, 7), date(2026, 12, 8)
    assert calendar.day(sudden) is not None
    now = at(date(2026, 12, 4), 7, 40)
    assert calendar.check({sudden: False, ordinary: True}, now) == [sudden]
    assert calendar.day(sudden) is None
    assert calendar.day(ordinary) is not None
    assert not calendar.is_working_time(at(sudden, 10))


def test_polls_rest_at_night_except_beside_a_simulator(calendar: Calendar) -> None:
    night, noon = at(date(2026, 11, 23), 3), at(date(2026, 11, 23), 12)
    real, sim, told = (
        read_settings(one)
        for one in (
            {"STOCKD_MARKET__HOURS": "auto"},
            {
                "STOCKD_KIS__REST_URL": "http://127.0.0.1:9",
                "STOCKD_KIS__WS_URL": "ws://127.0.0.1:9",
            },
            {"STOCKD_MARKET__HOURS": "always"},
        )
    )
    assert [always_open(one) for one in (real, sim, told)] == [False, True, True]
    assert market_is_awake(sim, calendar, night)
    assert not market_is_awake(real, calendar, night)
    assert market_is_awake(real, calendar, noon)
