"""A trailing stop that has followed the price keeps its best price over a restart of the trader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.orders.hands import fresh_trader, look

SYMBOL = "005930"


def armed(book: Any, here: Any, **more: Any) -> int:
    """Sell 10 when the price has fallen 5 % from its best, awake from 70,000 on."""
    book.money(here.account, _005930=10)
    row = {"side": "SELL", "trigger_op": "LE", "trail_percent": "5.000", "order_kind": "MARKET"}
    return int(book.arm(SYMBOL, 70_000, **(row | more)))


def test_the_best_price_survives_the_trader(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    armed(book, here)
    trader = fresh_trader()
    for seq, price in enumerate((71_000, 80_000, 79_000), start=1):
        book.tick(SYMBOL, price, seq)
        assert look(trader) == 0
    # the trader dies and another one starts; 76,000 is 5 % below 80,000, not below 79,000
    again = fresh_trader()
    assert look(again) == 0
    book.tick(SYMBOL, 76_000, 4)
    assert look(again) == 1
    assert book.strikes()[0].strike_price == 76_000


def test_a_best_price_that_only_the_bars_have_seen_counts(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    armed(book, here)
    book.tick(SYMBOL, 72_000, 1)
    assert look(fresh_trader()) == 0
    book.run("UPDATE condition_state SET trail_at = trail_at - INTERVAL 5 MINUTE")
    book.run("DELETE FROM bar")
    book.run(  # while no trader ran
        "INSERT INTO bar (symbol, minutes, at, open, high, low, close, volume, turnover, ticks,"
        " gap, source, updated_at) VALUES (:s, 1, DATE_FORMAT(NOW() - INTERVAL 2 MINUTE,"
        " '%Y-%m-%d %H:%i:00'), 72000, 90000, 72000, 88000, 1, 1, 1, 0, 'EVENT', NOW(6))",
        s=SYMBOL,
    )  # fmt: skip
    try:
        book.tick(SYMBOL, 85_000, 9)  # 5.6 % below 90,000
        assert look(fresh_trader()) == 1
    finally:
        book.run("DELETE FROM bar")


def test_a_new_arming_follows_from_its_own_start(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    armed(book, here)
    trader = fresh_trader()
    book.tick(SYMBOL, 80_000, 1)
    assert look(trader) == 0
    book.run("UPDATE stockd_condition SET arm_no = arm_no + 1, rev = rev + 1")
    book.tick(SYMBOL, 75_000, 2)  # 6 % below the old best
    for one in (trader, fresh_trader(), fresh_trader()):
        assert look(one) == 0
    assert book.states() == []
    row = book.rows("SELECT trail_best, arm_no FROM condition_state")[0]
    assert (row.trail_best, row.arm_no) == (75_000, 2)
