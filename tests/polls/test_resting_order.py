"""An order rests in the book and is asked for every second; the account is polled all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from runtime import wiring
from runtime.loop import kst_now
from trading.errors import StockdError

CYCLES = 4
HOLDINGS, LIST, PROFIT, CASH = (
    "inquire-balance", "inquire-daily-ccld", "inquire-balance-rlz-pl", "inquire-psbl-order",
)  # fmt: skip


@pytest.fixture
def confirming(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """This process becomes the confirm worker of the same machine; set it to end."""
    ended = threading.Event()
    wiring.forget()
    yield ended
    ended.set()
    wiring.forget()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_poll_and_the_confirmation_of_a_resting_order_take_turns(  # type: ignore[no-untyped-def]
    broker, desk, confirming: threading.Event, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sim = broker()
    here = desk(sim)
    monkeypatch.setenv("STOCKD_CONFIG", here.environment["STOCKD_CONFIG"])
    lists: list[str] = []

    def confirm() -> None:
        while not confirming.wait(0.05):
            try:
                wiring.orders_of_day(kst_now())
                lists.append("read")
            except StockdError as error:
                lists.append(str(error))

    asking = threading.Thread(target=confirm)
    asking.start()
    worker = ("worker", "-Q", "assets", "-P", "threads", "-c", "2", "-n", "assets@test")
    here.celery(*worker, "--without-gossip", "--without-mingle")
    here.celery("beat", "-s", str(tmp_path / "beat"))
    here.wait_for_polls(CYCLES + 1)
    confirming.set()
    asking.join(20)
    here.end()

    assert set(lists) == {"read"}, "no confirmation waited in vain either"
    calls = [line["path"].rsplit("/", 1)[-1] for line in sim.lines("calls") if line["key"]]
    starts = [at for at, name in enumerate(calls) if name == HOLDINGS]
    for start, end in list(pairwise(starts))[:CYCLES]:
        cycle = calls[start:end]
        print(cycle)
        profit, cash = cycle.index(PROFIT), cycle.index(CASH)  # each cycle is a whole one
        # the poll's own list lies before the profit; between two of its calls one of the other
        assert cycle[:profit].count(LIST) <= 3
        assert cycle[profit:cash].count(LIST) <= 1
    assert sim.stats()["refused_by_rate"] == 0
    assert "EGW00215" not in sim.stats()["refused"]
