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
    """Buys one share; how long the order took, its wait for the call budget included."""
    began = time.monotonic()
    done = broker.place(NewOrder(symbol, Side.BUY, OrderKind.MARKET, 1, 0))
    assert isinstance(done, Accepted), done
    return time.monotonic() - began


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

    ours, symbol = wiring.kis_broker(), next(iter(sim.look("stocks")))
    waiting, took = [], []
    for _ in range(ORDERS):  # a place that is shared comes free a second after each answer
        ours.prepare()
        took.append(a_share(ours, symbol))
        for _ in range(5):
            waiting += [here.queues.llen(name) for name in ("assets", "sweep")]
            time.sleep(0.5)
    here.wait_for_polls(4)  # so three cycles are whole
    here.end()

    stats = sim.stats()
    print(profile, took, max(waiting), stats["max_calls_in_any_second"])
    assert max(stats["max_calls_in_any_second"].values()) <= ceiling
    assert stats["refused_by_rate"] == 0, "as the broker counts"
    assert stats["orders"] == ORDERS, "each order got its place within its 1.5 s"
    assert max(waiting) <= 1, "one wake-up a poll may wait, never a pile"
    gaps = [b - a for a, b in pairwise(here.polls())]
    assert min(gaps) > TURN_S * 0.7, "a cycle is not followed by one that waited"
    with tables.engine("reader").connect() as connection:
        new = select(func.count()).where(asset_balance.c.received_at > began)
        assert connection.scalar(new), "the account is in the table"
        assert connection.scalar(select(func.count()).select_from(sweep_quote)), "the sweep lives"
