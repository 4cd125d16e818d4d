"""One strike, one order: over the real ledger, the real budget and the broker's port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from db.ledger import verify
from runtime import orders, wiring
from tests.orders.hands import fresh_trader, look


def fire(book: Any, machine: Any, symbol: str = "005930", **more: Any) -> int:
    price = more.pop("price", 70_000)
    book.money(machine.account)
    book.tick(symbol, price)
    condition = book.arm(symbol, price, **more)
    trader = fresh_trader()
    assert look(trader) == 1
    assert look(trader) == 0
    return condition


def test_a_price_becomes_one_order_and_the_ledger_says_why(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    condition = fire(book, here, quantity=1, order_kind="MARKET")
    served = orders.serve_next()
    assert served.what == "SENT", served
    strike = book.strikes()[0]
    assert (strike.state, strike.condition_id) == ("ACCEPTED", condition), strike
    assert len(here.orders_at_broker()) == 1
    assert orders.serve_next().what == "IDLE"
    engine: sa.Engine = wiring.engine("orders")
    assert verify(engine) == (3, "")


def test_the_fill_comes_back_without_its_notice(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    fire(book, here, quantity=3, order_kind="MARKET")
    assert orders.serve_next().what == "SENT"
    for _ in range(6):
        orders.settle()
        if book.states() == ["FILLED"]:
            break
    strike = book.strikes()[0]
    assert (strike.state, strike.filled) == ("FILLED", 3)
    fills = book.rows("SELECT * FROM fill")
    assert sum(one.quantity for one in fills) == 3
    assert {one.source for one in fills} == {"BROKER"}
