"""A fill that the list told first: its own notice, if it comes after all, counts nothing twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from db.ledger import verify
from db.notices import SeenNotice, record_notice
from runtime import orders, wiring
from runtime.loop import kst_now
from tests.orders.hands import fresh_trader, look
from trading.fills import Notice, NoticeKind, Side

SYMBOL, SHARES = "005930", 40


@pytest.fixture
def half_filled(machine: Callable[..., Any], book: Any) -> Any:
    """An order of 40 of which one piece is filled; no notice came, the broker's list told it.

    Returns the simulator's own record of the order.
    """
    here = machine(fill_parts=4, fill_gap_s=600.0)  # the next pieces do not come in this test
    orders.agree()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    book.arm(SYMBOL, 70_000, order_kind="MARKET", quantity=SHARES, max_age_ms=60_000)
    book.tick(SYMBOL, 70_000)
    assert look(trader) == 1
    assert orders.serve_next().state == "ACCEPTED"
    until = time.monotonic() + 30
    while book.states() != ["PART_FILLED"]:
        assert time.monotonic() < until, book.strikes()
        orders.settle()
        time.sleep(0.2)
    (order,) = here.simulator.book()["orders"]
    assert 0 < order["filled"] < SHARES
    (row,) = book.rows("SELECT * FROM fill")
    assert (row.source, row.quantity) == ("BROKER", order["filled"])
    return order


def notice_of(order: dict[str, Any], shares: int, price: int) -> SeenNotice:
    now = kst_now().replace(microsecond=0)
    one = Notice(
        "5000000001", order["odno"].lstrip("0"), "", Side.BUY, NoticeKind.FILL, SYMBOL, shares,
        price, SHARES, now,
    )  # fmt: skip
    return SeenNotice(orders.account(), one, 1, kst_now())


def counted(book: Any) -> tuple[int, int]:
    """(shares, won) as whoever reads table ``fill`` now adds them up."""
    row = book.rows("SELECT SUM(quantity) AS n, SUM(quantity * price) AS won FROM fill")[0]
    return int(row.n), int(row.won)


def test_a_late_notice_takes_the_place_of_what_the_list_had_told(
    half_filled: Any, book: Any
) -> None:
    order = half_filled
    shares, price = order["filled"], order["amount"] // order["filled"]
    assert record_notice(wiring.engine("market"), notice_of(order, shares, price))
    assert counted(book) == (shares, order["amount"]), "in the commit that stored it, not later"
    rows = book.rows("SELECT source, quantity FROM fill ORDER BY id")
    assert [(row.source, row.quantity) for row in rows] == [
        ("BROKER", shares), ("NOTICE", shares), ("BROKER", -shares),
    ]  # fmt: skip
    orders.settle()
    orders.settle()
    assert counted(book) == (shares, order["amount"])
    assert book.strikes()[0].filled == shares
    assert verify(wiring.engine("orders"))[1] == ""


def test_a_notice_of_more_than_was_made_up_adds_the_rest(half_filled: Any, book: Any) -> None:
    """Part of it the list had told, part of it is new to both."""
    order = half_filled
    shares, price = order["filled"], order["amount"] // order["filled"]
    late = notice_of(order, shares + 3, price)
    assert record_notice(wiring.engine("market"), late)
    assert counted(book)[0] == shares + 3
    assert not record_notice(wiring.engine("market"), late), "the same one again"
    assert counted(book)[0] == shares + 3


def test_a_notice_beyond_the_order_is_cut_to_its_size(half_filled: Any, book: Any) -> None:
    order = half_filled
    assert record_notice(wiring.engine("market"), notice_of(order, SHARES + 60, 70_000))
    assert counted(book)[0] == SHARES
