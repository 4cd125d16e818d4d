"""Paper trading (1 call a second) and a new customer (3): polls by Celery, orders beside them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from db.tables import asset_balance, sweep_quote
from kis.broker import KisBroker
from runtime import wiring
from runtime.loop import kst_now
from simulator.testing import RunningSimulator
from trading.errors import Throttled
from trading.fills import Side
from trading.orders import Accepted, NewOrder, OrderKind

ORDERS = 8
TURN_S = 10.0  # of the timetable


@pytest.fixture
def our_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """This process becomes an order worker of the same machine for a while."""
    wiring.forget()
    yield monkeypatch
    wiring.forget()


def a_share(broker: KisBroker, symbol: str) -> float:
    """Buys one share; when the order began to ask for its place (monotonic seconds)."""
    began = time.monotonic()
    while True:
        try:
            done = broker.place(NewOrder(symbol, Side.BUY, OrderKind.MARKET, 1, 0))
        except Throttled:  # a busy machine may need longer than its 1.5 s to end the call before it
            assert time.monotonic() - began < 30, "starved"
            continue
        assert isinstance(done, Accepted), done
        return began


def overtaken_by(sim: RunningSimulator, asked: list[float]) -> list[int]:
    """How many calls of the same key the broker saw between an order's asking and its arrival."""
    label = sim.customers[0].label
    calls = [one for one in sim.lines("calls") if one["key"] == label]
    orders = [one["mono"] for one in calls if one["path"].endswith("/order-cash")]
    return [
        sum(since < one["mono"] < arrived for one in calls)
        for since, arrived in zip(asked, orders, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("profile", "env", "ceiling"), [("kis-paper", "paper", 1), ("kis-new-customer", "real", 3)]
)
def test_polls_neither_pile_up_nor_starve_orders(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    broker, tables, desk, our_settings, tmp_path, profile: str, env: str, ceiling: int
) -> None:
    sim = broker(environment=env, ceiling=ceiling)
    here = desk(sim, env=env, profile=profile)
    our_settings.setenv("STOCKD_CONFIG", here.environment["STOCKD_CONFIG"])
    began = kst_now()
    worker = ("worker", "-Q", "assets,sweep", "-P", "threads", "-c", "2", "-n", "polls@test")
    here.celery(*worker, "--without-gossip", "--without-mingle")
    here.celery("beat", "-s", str(tmp_path / "beat"))
    here.wait_for_polls(1)

    ours, symbol = KisBroker(wiring.kis_rest()), next(iter(sim.look("stocks")))
    waiting, asked = [], []
    for _ in range(ORDERS):  # a place that is shared comes free a second after each answer
        ours.prepare()
        asked.append(a_share(ours, symbol))
        for _ in range(5):
            waiting += [here.queues.llen(name) for name in ("assets", "sweep")]
            time.sleep(0.5)
    here.wait_for_polls(4)  # so three cycles are whole
    here.end()

    stats = sim.stats()
    overtaken = overtaken_by(sim, asked)
    print(profile, overtaken, max(waiting), stats["max_calls_in_any_second"])
    assert max(stats["max_calls_in_any_second"].values()) <= ceiling
    assert stats["refused_by_rate"] == 0, "as the broker counts"
    assert stats["orders"] == ORDERS
    # who has its permit already goes first (one a shared place); nobody who asks later does
    assert max(overtaken) <= max(1, ceiling - 1)
    assert max(waiting) <= 1, "one wake-up a poll may wait, never a pile"
    gaps = [b - a for a, b in pairwise(here.polls())]
    assert min(gaps) > TURN_S * 0.7, "a cycle is not followed by one that waited"
    with tables.engine("reader").connect() as connection:
        new = select(func.count()).where(asset_balance.c.received_at > began)
        assert connection.scalar(new), "the account is in the table"
        assert connection.scalar(select(func.count()).select_from(sweep_quote)), "the sweep lives"
