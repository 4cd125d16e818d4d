"""A strike keeps to what its condition says: not after its hour, not beyond its amount."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from runtime.loop import kst_now
from tests.orders.hands import fresh_trader, look
from trading.clock import KST
from trading.orders import OrderKind, Venue
from trading.phases import takes_now

SYMBOL = "005930"


def fired(book: Any, here: Any, strike_price: int, tick: int, **more: Any) -> Any:
    book.money(here.account)
    book.arm(SYMBOL, strike_price, **more)
    book.tick(SYMBOL, tick)
    trader = fresh_trader()
    assert look(trader) == 1
    return book.strikes()[0]


@pytest.mark.parametrize("name", ["valid_until", "window_until"])
def test_a_strike_that_waits_does_not_outlive_its_condition(
    name: str, machine: Callable[..., Any], book: Any
) -> None:
    """It may wait a minute for its turn, but the person said: until then."""
    now = kst_now().replace(microsecond=0, tzinfo=None)
    until = min(now + timedelta(seconds=20), now.replace(hour=23, minute=59, second=59))
    word = until if name == "valid_until" else until.time()
    strike = fired(book, machine(), 70_000, 70_000, **{name: word})
    assert strike.deadline == until


def test_an_amount_in_won_is_counted_at_the_price_that_was_traded(
    machine: Callable[..., Any], book: Any
) -> None:
    """A break-out buy at the market: 70,000 was jumped over, 75,000 was traded."""
    strike = fired(
        book, machine(), 70_000, 75_000, trigger_op="GE", quantity=None, amount=1_000_000,
        order_kind="MARKET",
    )  # fmt: skip
    assert strike.quantity == 13


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"strike_price": 70_050}, "strike_price"),  # 호가단위 100
        ({"order_kind": "MARKET", "limit_price": 70_000}, "limit_price"),
        ({"order_kind": "MARKET", "venue": "NXT"}, "order_kind"),
        ({"quantity": None, "amount": 69_000}, "amount"),
    ],
)
def test_a_row_that_was_written_past_the_page_is_judged_by_the_trader_as_well(
    wrong: dict[str, Any], field: str, machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    book.money(here.account)
    book.arm(SYMBOL, **({"strike_price": 70_000} | wrong))
    book.tick(SYMBOL, 69_000)
    trader = fresh_trader()
    with trader.engine.connect() as connection:
        assert trader.look(connection) == 0
    seen = book.rows("SELECT state, reason FROM condition_state")[0]
    assert seen.state == "BAD"
    assert field in seen.reason


@pytest.mark.parametrize(
    ("at", "venue", "kind", "taken"),
    [
        ("2026-11-23 15:19:59", "KRX", "MARKET", True),
        ("2026-11-23 15:25:00", "KRX", "BEST", False),  # 종가 단일가
        ("2026-11-23 15:30:01", "KRX", "MARKET", False),  # the closing print comes then
        ("2026-11-23 17:00:00", "KRX", "MARKET", False),  # KRX's after-market: a book of its own
        ("2026-11-23 17:00:00", "NXT", "LIMIT", True),
        ("2026-11-23 08:59:59", "KRX", "LIMIT_IOC", False),
        ("2026-11-19 16:10:00", "KRX", "MARKET", True),  # 수능일
    ],
)
def test_which_orders_are_taken_when(at: str, venue: str, kind: str, taken: bool) -> None:
    moment = datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST)
    assert takes_now(Venue(venue), OrderKind(kind), moment) is taken


def test_a_price_of_other_hours_does_not_spend_the_arming(
    machine: Callable[..., Any], book: Any, monkeypatch: Any
) -> None:
    """A stop loss touched by the closing print must still be there in the morning."""
    here = machine()
    book.money(here.account)
    book.arm(SYMBOL, 70_000)
    book.tick(SYMBOL, 69_000)
    trader = fresh_trader()
    trader.krx_hours, open_now = True, [False]
    monkeypatch.setattr("workers.trader.takes_now", lambda *_: open_now[0])
    with trader.engine.connect() as connection:
        assert trader.look(connection) == 0
        assert book.strikes() == []
        assert book.rows("SELECT state FROM condition_state")[0].state == "WAITING"
        open_now[0] = True
        book.tick(SYMBOL, 69_500, 2)
        assert trader.look(connection) == 1
