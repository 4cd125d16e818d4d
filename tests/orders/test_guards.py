"""Every guard trips in its drill, and none stops a sound order."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import pytest

from runtime.calendar import Calendar
from trading.clock import KST
from trading.drills import DRILLS, drill, sound
from trading.guards import GUARDS, Deny, Limits, judge
from trading.lifecycle import ALLOWED, FINAL, BadStep, State, check, state_after_fills
from trading.orders import Venue
from trading.phases import Phase, phase_on

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=KST)


@pytest.mark.parametrize("code", DRILLS)
@pytest.mark.parametrize("hours", [True, False])
def test_each_guard_trips_and_says_why_in_korean(code: str, hours: bool) -> None:
    assert re.search("[가-힣]", drill(code, NOW, Limits(krx_hours=hours)))


def test_every_code_of_the_guards_has_a_drill() -> None:
    source = (Path(__file__).parents[2] / "trading" / "guards.py").read_text("utf-8")
    codes = set(re.findall(r'(?:Deny|Wait)\(\s*"([A-Z_]+)"', source))
    codes |= set(re.findall(r'\("([A-Z_]+)", (?:limits|f)\.', source))
    assert codes == set(DRILLS)
    assert len(GUARDS) >= 13


def test_only_a_call_under_way_leads_back_to_claimed_and_a_fill_may_follow_a_cancel() -> None:
    assert [s for s in State if State.CLAIMED in ALLOWED[s]] == [State.SENDING]
    assert set(ALLOWED) == set(State)
    assert State.FILLED in ALLOWED[State.CANCELLED]
    with pytest.raises(BadStep):
        check(State.UNKNOWN, State.SENDING)
    assert State.SENDING not in set().union(*(ALLOWED[s] for s in State if s is not State.CLAIMED))
    assert {State.DENIED, State.EXPIRED, State.REJECTED} <= FINAL
    assert state_after_fills(10, 4, State.ACCEPTED) is State.PART_FILLED
    assert state_after_fills(10, 10, State.CANCELLED) is State.FILLED
    assert state_after_fills(10, 4, State.CANCELLED) is State.CANCELLED


def test_an_order_whose_fills_are_taken_back_stands_open_again() -> None:
    """A FILLED without fills would be looked at by nobody any more."""
    assert state_after_fills(10, 4, State.FILLED) is State.PART_FILLED
    assert state_after_fills(10, 0, State.FILLED) is State.ACCEPTED
    assert state_after_fills(10, 0, State.PART_FILLED) is State.ACCEPTED
    assert state_after_fills(10, 0, State.CANCELLED) is State.CANCELLED


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 9, 25), "추석, a Friday"),
        (date(2026, 12, 31), "the year's last day, a Thursday"),
        (date(2026, 6, 3), "local elections: no calendar library knew them"),
        (date(2026, 11, 22), "a Sunday"),
    ],
)
def test_on_a_holiday_nothing_goes_out(day: date, why: str, tmp_path: Path) -> None:
    limits = Limits()
    facts = sound(datetime.combine(day, time(10), tzinfo=KST), limits)
    facts = replace(facts, today=Calendar(tmp_path).day(day))
    verdict = judge(facts, limits)
    assert isinstance(verdict, Deny), why
    assert verdict.code == "HOLIDAY"
    assert "휴장일" in verdict.reason


def test_what_the_broker_says_of_a_day_is_what_the_guard_goes_by(tmp_path: Path) -> None:
    calendar, day = Calendar(tmp_path), date(2026, 11, 24)  # an ordinary Tuesday
    assert calendar.day(day) is not None
    calendar.check({day: False}, datetime(2026, 11, 24, 7, 40, tzinfo=KST))
    facts = replace(sound(NOW, Limits()), today=calendar.day(day))
    verdict = judge(facts, Limits())
    assert verdict is not None
    assert verdict.code == "HOLIDAY"


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (time(9, 15), Phase.CLOSED),  # an hour before, as on an ordinary day at 08:15
        (time(9, 45), Phase.OPENING),
        (time(10, 0), Phase.REGULAR),
        (time(16, 19), Phase.REGULAR),
        (time(16, 25), Phase.CLOSING),
        (time(16, 30), Phase.CLOSED),
    ],
)
def test_on_the_day_of_the_csat_the_market_opens_and_closes_an_hour_later(
    at: time, phase: Phase, tmp_path: Path
) -> None:
    today = Calendar(tmp_path).day(date(2026, 11, 19))
    assert today is not None
    assert phase_on(today, Venue.KRX, at) is phase
    assert phase_on(today, Venue.NXT, time(19, 59)) is Phase.AFTER
    assert phase_on(today, Venue.NXT, time(20, 0)) is Phase.CLOSED
