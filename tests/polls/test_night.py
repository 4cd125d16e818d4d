"""At night and on holidays the timetable goes on, and the broker hears nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from runtime import polls, wiring
from trading.clock import KST

NOON = datetime(2026, 11, 23, 12, tzinfo=KST)  # a Monday
CLOSED = [
    datetime(2026, 11, 23, 3, tzinfo=KST),
    datetime(2026, 11, 22, 12, tzinfo=KST),  # Sunday
    datetime(2026, 9, 25, 12, tzinfo=KST),  # 추석, a Friday
]

pytestmark = pytest.mark.timeout(300)  # the calendar library is slow to load on a busy machine


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """This process becomes a poll worker whose settings say that the market has its hours."""
    _forget()  # a test that ran before in this process may have been a poll worker as well
    monkeypatch.setenv("STOCKD_MARKET__HOURS", "krx")
    yield monkeypatch
    _forget()


def _forget() -> None:
    for one in (polls.calendar, polls.asset_poll, polls.sweeper):
        one.cache_clear()
    wiring.forget()


def test_polls_rest_while_the_market_does(broker, desk, ours: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    sim = broker()
    ours.setenv("STOCKD_CONFIG", desk(sim).environment["STOCKD_CONFIG"])
    for closed in CLOSED:
        ours.setattr(polls, "kst_now", lambda at=closed: at)
        assert (polls.poll_assets(), polls.sweep_market()) == ("resting", "resting")
    assert sim.lines("calls") == []
    ours.setattr(polls, "kst_now", lambda: NOON)
    assert polls.poll_assets() == "written"
    assert polls.sweep_market().startswith("40 of 40")
    assert sim.lines("calls")
