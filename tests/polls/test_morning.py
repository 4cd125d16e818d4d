"""장 시작 전: tokens and approval keys for the whole day, the broker's word on the days ahead."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from budget.files import read_json
from runtime import polls, wiring
from runtime.calendar import FILE
from runtime.loop import kst_now
from simulator.testing import RunningSimulator
from trading.clock import KST

pytestmark = pytest.mark.timeout(300)  # the calendar library is slow to load on a busy machine


@pytest.fixture
def morning(desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:  # type: ignore[no-untyped-def]
    """The morning task of a machine of our own; ``refused`` is a key whose secret is wrong."""

    def prepare(sim: RunningSimulator, refused: int | None = None) -> str:
        here = desk(sim)
        path = here.environment["STOCKD_CONFIG"]
        known = json.loads(Path(path).read_text("utf-8"))
        for number, one in enumerate(known["kis"]["sections"]):
            one["label"] = f"key-{number}"
            if number == refused:
                one["app_secret"] = "expired-since-yesterday"
        Path(path).write_text(json.dumps(known), "utf-8")
        monkeypatch.setenv("STOCKD_CONFIG", path)
        wiring.forget()
        polls.calendar.cache_clear()
        return polls.prepare_morning()

    yield prepare
    wiring.forget()
    polls.calendar.cache_clear()


def test_every_key_begins_the_day_with_a_token_and_an_approval_key(broker, morning) -> None:  # type: ignore[no-untyped-def]
    sim = broker()
    assert morning(sim).startswith("2 of 2 keys ready, ")
    stats = sim.stats()
    assert stats["tokens_issued"] == {one.label: 1 for one in sim.customers}
    assert stats["approvals_issued"] == {one.label: 1 for one in sim.customers}
    until = wiring.kis_auth("key-1").token(datetime.combine(kst_now().date(), polls.EVENING, KST))
    assert until, "and it lasts until the evening: no second was asked for"
    assert sim.stats()["tokens_issued"] == stats["tokens_issued"]
    told = read_json(wiring.state_dir() / FILE)
    assert len(told) > 20, "the broker's calendar is kept"


@pytest.mark.parametrize("refused", [0, 1])
def test_a_key_that_is_refused_costs_the_others_nothing(broker, morning, refused: int) -> None:  # type: ignore[no-untyped-def]
    """Each app key ends after a year; the first is the one that trades."""
    sim = broker()
    assert morning(sim, refused).startswith("1 of 2 keys ready, ")
    other = sim.customers[1 - refused].label
    assert sim.stats()["tokens_issued"][other] == 1
    assert sim.stats()["approvals_issued"][other] == 1
    assert read_json(wiring.state_dir() / FILE), "the calendar was checked all the same"
