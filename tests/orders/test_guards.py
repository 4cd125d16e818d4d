"""Every guard trips in its drill, and none stops a sound order."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from trading.clock import KST
from trading.drills import DRILLS, drill
from trading.guards import GUARDS, Limits
from trading.lifecycle import ALLOWED, FINAL, BadStep, State, check, state_after_fills

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


def test_nothing_leads_back_to_claimed_and_a_fill_may_follow_a_cancel() -> None:
    assert all(State.CLAIMED not in after for after in ALLOWED.values())
    assert set(ALLOWED) == set(State)
    assert State.FILLED in ALLOWED[State.CANCELLED]
    with pytest.raises(BadStep):
        check(State.UNKNOWN, State.SENDING)
    assert State.SENDING not in set().union(*(ALLOWED[s] for s in State if s is not State.CLAIMED))
    assert {State.DENIED, State.EXPIRED, State.REJECTED} <= FINAL
    assert state_after_fills(10, 4, State.ACCEPTED) is State.PART_FILLED
    assert state_after_fills(10, 10, State.CANCELLED) is State.FILLED
    assert state_after_fills(10, 4, State.CANCELLED) is State.CANCELLED
