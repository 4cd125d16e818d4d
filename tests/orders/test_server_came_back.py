"""MariaDB ended the order worker's connection between two strikes: the next order is not late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime import orders
from tests.orders.hands import fresh_trader


def test_the_first_order_after_it_goes_out_at_once(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    orders.agree()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    for number, symbol in enumerate(("005930", "000660"), start=1):
        book.arm(symbol, 70_000, order_kind="MARKET", quantity=1, max_age_ms=60_000)
        book.tick(symbol, 70_000)
        with trader.engine.connect() as connection:
            assert trader.look(connection) == 1
        ended = book.rows(
            "SELECT id FROM information_schema.processlist WHERE user LIKE 'stockd_orders%'"
        )
        assert number == 1 or ended, "the worker kept its connection"
        for one in ended:
            book.run(f"KILL {one.id}")
        assert orders.serve_next().state == "ACCEPTED", book.strikes()[-1].reason
    assert len(here.orders_at_broker()) == 2
