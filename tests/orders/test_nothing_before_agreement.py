"""On start nothing is sent before the ledger and the broker agree (P4, P6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime import orders
from tests.orders.hands import fresh_trader, look

SYMBOL = "005930"


def fire(book: Any, here: Any) -> None:
    """A strike lies on the desk."""
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    book.arm(SYMBOL, 70_000, order_kind="MARKET", quantity=1, max_age_ms=60_000)
    book.tick(SYMBOL, 70_000)
    assert look(trader) == 1


def test_an_order_worker_that_cannot_read_the_brokers_list_sends_nothing(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine(http_500=1.0)  # every read fails, orders would get through
    fire(book, here)

    served = orders.serve_next()
    assert served.what == "TROUBLE", served
    assert book.states() == ["CLAIMED"]
    assert here.orders_at_broker() == []

    here.simulator.control("fault", http_500=0.0)
    book.tick(SYMBOL, 70_000, 2)
    assert orders.serve_next().state == "ACCEPTED", book.strikes()[0].reason
    assert len(here.orders_at_broker()) == 1


def test_what_the_last_worker_left_unknown_is_settled_before_the_next_order(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    orders.agree()
    fire(book, here)
    here.simulator.control("fault", lose_next="close")
    assert orders.serve_next().state == "UNKNOWN"

    orders.forget()  # the worker is started anew
    orders.serve_next()
    strike = book.strikes()[0]
    assert strike.state in ("ACCEPTED", "PART_FILLED", "FILLED"), strike.reason
    assert strike.order_no
    assert len(here.orders_at_broker()) == 1
