"""One strike, with a finger: page's row → trader → ledger → wake-up → order worker → broker → fill.

Five conditions become true together; real processes, real queue, real tables, the broker's port.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from db.ledger import verify
from runtime import wiring
from simulator.testing import wait_for

# the order path's fixtures stand beside its other tests
_spec = importlib.util.spec_from_file_location(
    "orders_conftest", Path(__file__).parents[1] / "orders" / "conftest.py"
)
assert _spec is not None
assert _spec.loader is not None
_fixtures = importlib.util.module_from_spec(_spec)
import sys  # noqa: E402

sys.modules["orders_conftest"] = _fixtures
_spec.loader.exec_module(_fixtures)
book, machine = _fixtures.book, _fixtures.machine

SYMBOLS = ("005930", "000660", "035420", "005380", "051910")


@pytest.mark.slow
def test_path_of_a_strike(
    machine: Callable[..., Any], book: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    here = machine("calm", cash=1_000_000_000)
    stocks = here.simulator.look("stocks")
    symbols = [s for s in SYMBOLS if s in str(stocks)]
    here.order_worker()
    here.trader()
    book.money(here.account, 1_000_000_000)
    wait_for(
        lambda: book.rows("SELECT 1 FROM daemon WHERE name = 'trader' AND state = 'RUNNING'"), 20
    )
    wait_for(lambda: book.rows("SELECT 1 FROM lease WHERE expires_at > NOW(6)"), 20)
    for symbol in symbols:
        book.tick(symbol, 60_000)
        book.arm(symbol, 50_000, quantity=1, order_kind="MARKET")
    time.sleep(0.3)
    assert book.states() == []
    for seq in range(2, 12):  # the price stays low, tick by tick, while the orders wait their turn
        for symbol in symbols:
            book.tick(symbol, 49_900, seq)
        time.sleep(0.7)
        if len(here.orders_at_broker()) >= len(symbols):
            break
    wait_for(lambda: book.states().count("CLAIMED") == 0, 15)
    calls = here.orders_at_broker()
    gaps = [b["mono"] - a["mono"] for a, b in pairwise(calls)]
    with capsys.disabled():
        print()
        for strike in book.strikes():
            print(
                f"타격 {strike.id} {strike.symbol}: 조건 {strike.condition_id}"
                f" → {strike.tick_price:,}원"
            )
            for event in book.rows("SELECT * FROM order_event WHERE strike_id = :i", i=strike.id):
                print(
                    f"    {event.at:%H:%M:%S.%f} {event.from_state:>9} → {event.to_state:<9}"
                    f" {event.detail}"
                )
        print("    주문 간격", [f"{gap:.3f}" for gap in gaps])
    assert set(book.states()) == {"ACCEPTED"}, here.words()
    assert len(calls) == len(symbols)
    assert all(gap >= 1.0 for gap in gaps)
    assert verify(wiring.engine("orders"))[1] == ""
