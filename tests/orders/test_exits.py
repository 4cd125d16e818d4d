"""익절/손절: what was bought can be sold: at once, in part, whatever became of the other exit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from runtime import orders, wiring
from tests.orders.hands import fresh_trader, look
from workers.trader import Trader

SYMBOL = "005930"


def settle_until(book: Any, *wanted: str) -> None:
    until = time.monotonic() + 30
    while book.states() != list(wanted):
        assert time.monotonic() < until, book.strikes()
        orders.settle()
        time.sleep(0.2)


def sent(book: Any) -> str:
    """Serve until the newest strike is no longer CLAIMED; its state."""
    until = time.monotonic() + 30
    while book.strikes()[-1].state == "CLAIMED" and time.monotonic() < until:
        orders.serve_next()
        orders.settle()
        time.sleep(0.1)
    return str(book.strikes()[-1].state)


def actions(here: Any) -> list[str]:
    """What was called for at the broker, in order."""
    return [one["action"] for one in here.simulator.lines("orders") if "action" in one]


def bought(book: Any, here: Any, shares: int, **more: Any) -> tuple[Trader, int]:
    """A buy of ``shares`` has fired and is at the broker; the account was polled before it."""
    orders.agree()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    entry = book.arm(
        SYMBOL, 70_000, quantity=shares, max_age_ms=60_000, **({"order_kind": "MARKET"} | more)
    )
    book.tick(SYMBOL, 70_000)
    assert look(trader) == 1
    assert orders.serve_next().state == "ACCEPTED"
    return trader, int(entry)


def exits(book: Any, entry: int, shares: int, **stop: Any) -> tuple[int, int]:
    """익절 at 77,000 and 손절 at 66,000, as the page makes them."""
    pair = {"arms_after": entry, "oco_group": entry, "side": "SELL", "max_age_ms": 60_000}
    profit = book.arm(SYMBOL, 77_000, quantity=shares, trigger_op="GE", **pair)
    loss = {"trigger_op": "LE", "order_kind": "MARKET"} | stop
    return profit, book.arm(SYMBOL, 66_000, quantity=shares, **pair, **loss)


def test_a_stop_loss_seconds_after_the_fill_does_not_wait_for_the_next_look_at_the_account(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    trader, entry = bought(book, here, 10)
    exits(book, entry, 10)
    settle_until(book, "FILLED")
    look(trader)
    book.tick(SYMBOL, 65_000, 2)  # the account was last polled before the buy: it shows no share
    assert look(trader) == 1
    assert sent(book) in ("ACCEPTED", "PART_FILLED", "FILLED"), book.strikes()[-1].reason


def test_shares_sold_since_the_last_look_at_the_account_are_not_sold_again(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    trader, entry = bought(book, here, 10)
    exits(book, entry, 10)
    settle_until(book, "FILLED")
    look(trader)
    book.tick(SYMBOL, 65_000, 2)
    assert look(trader) == 1
    assert sent(book) != "DENIED"
    settle_until(book, "FILLED", "FILLED")
    book.arm(SYMBOL, 66_000, 10, side="SELL", trigger_op="LE", order_kind="MARKET")
    book.tick(SYMBOL, 65_000, 3)
    assert look(trader) == 1
    assert sent(book) == "DENIED"
    assert book.strikes()[-1].reason_code == "SELLABLE"


def test_money_spent_since_the_last_look_at_the_account_is_not_spent_again(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    trader, _ = bought(book, here, 10)
    settle_until(book, "FILLED")
    spent = book.strikes()[0].filled_amount
    book.run("UPDATE asset_balance SET orderable_cash = :c", c=spent + 100_000)
    book.arm(SYMBOL, 70_000, 3, max_age_ms=60_000)  # 210,000 of the 100,000 that are left
    book.tick(SYMBOL, 69_900, 2)
    assert look(trader) == 1
    assert sent(book) == "DENIED"
    assert book.strikes()[-1].reason_code == "CASH"


def test_a_resumed_machine_is_not_stopped_by_the_failures_it_was_stopped_for(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine(cash=0)
    orders.agree()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    book.tick(SYMBOL, 70_000)
    made = book.arm(SYMBOL, 70_000, 1, order_kind="MARKET", max_age_ms=60_000)
    for number in range(1, 7):  # six calls of today that nobody answered
        book.run(
            "INSERT INTO strike (condition_id, arm_no, condition_rev, account, symbol, side,"
            " order_kind, venue, quantity, price, trigger_op, strike_price, tick_price, tick_seq,"
            " tick_received_at, fired_at, deadline, assets, state, reason_code, claimed_at,"
            " answered_at, updated_at) VALUES (99, :n, 1, :a, '000660', 'BUY', 'MARKET', 'KRX', 1,"
            " 0, 'LE', 1, 1, 1, NOW(6), NOW(6), NOW(6), '{}', 'NOT_SENT', 'NOT_SENT', NOW(6),"
            " NOW(6), NOW(6))",
            n=number, a=here.account,
        )  # fmt: skip
    assert look(trader) == 1
    assert sent(book) == "DENIED"
    assert book.strikes()[-1].reason_code == "ERROR_RATE"
    halts = book.rows("SELECT source, actor FROM stockd_halt")
    assert [(one.source, one.actor) for one in halts] == [("GUARD", "error_rate")]
    book.run(
        "INSERT INTO stockd_halt (action, reason, actor, source, at)"
        " VALUES ('RESUME', '증권사에 물어봄', 'me', 'CLI', NOW(6))"
    )
    book.run("UPDATE stockd_condition SET arm_no = 2, rev = rev + 1 WHERE id = :i", i=made)
    book.tick(SYMBOL, 70_000, 2)
    assert look(trader) == 1
    assert sent(book) not in ("DENIED", "CLAIMED"), book.strikes()[-1].reason
    assert book.rows("SELECT action FROM stockd_halt ORDER BY id")[-1].action == "RESUME"


def test_what_was_bought_under_the_limits_of_the_day_can_be_sold_under_them(
    machine: Callable[..., Any], book: Any, monkeypatch: Any
) -> None:
    here = machine()
    monkeypatch.setenv("STOCKD_TRADE__STOCK_AMOUNT", "1000000")
    monkeypatch.setenv("STOCKD_TRADE__DAY_AMOUNT", "1000000")
    wiring.forget()
    orders.forget()
    trader, entry = bought(book, here, 10)  # 700,000 of 1,000,000
    exits(book, entry, 10)
    settle_until(book, "FILLED")
    look(trader)
    book.tick(SYMBOL, 65_000, 2)
    assert look(trader) == 1
    assert sent(book) != "DENIED", book.strikes()[-1].reason
    book.arm(SYMBOL, 65_000, 10, order_kind="MARKET", max_age_ms=60_000)
    book.tick(SYMBOL, 64_900, 3)
    assert look(trader) == 1
    assert sent(book) == "DENIED", "another buy would go beyond"
    assert book.strikes()[-1].reason_code in ("STOCK_AMOUNT", "DAY_AMOUNT")


def test_the_exit_of_a_half_filled_buy_sells_that_half_and_ends_the_buy(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine(fill_parts=4, fill_gap_s=600.0)
    trader, entry = bought(book, here, 40)
    exits(book, entry, 40)
    assert look(trader) == 0
    settle_until(book, "PART_FILLED")
    filled = book.strikes()[0].filled
    assert 0 < filled < 40
    trader._links_at = None
    look(trader)
    book.tick(SYMBOL, 65_000, 2)
    assert look(trader) == 1
    assert book.strikes()[-1].quantity == filled
    assert sent(book) in ("ACCEPTED", "PART_FILLED", "FILLED"), book.strikes()[-1].reason
    until = time.monotonic() + 30
    while book.states()[0] != "CANCELLED" and time.monotonic() < until:
        orders.sweep()
        orders.serve_next()
        orders.settle()
        time.sleep(0.1)
    assert book.states()[0] == "CANCELLED", "what is bought now would have no exit"
    assert actions(here) == ["BUY", "SELL", "CANCEL"]


def test_a_take_profit_that_only_rests_is_cancelled_for_the_stop_loss(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    price = here.simulator.look("stocks")[SYMBOL]["price"] // 1000 * 1000
    trader, entry = bought(book, here, 10)
    settle_until(book, "FILLED")
    pair = {"arms_after": entry, "oco_group": entry, "side": "SELL", "max_age_ms": 60_000}
    book.arm(SYMBOL, price + 6000, 10, trigger_op="GE", **pair)
    book.arm(SYMBOL, price - 6000, 10, trigger_op="LE", order_kind="MARKET", **pair)
    look(trader)
    book.tick(SYMBOL, price + 6000, 2)
    assert look(trader) == 1
    assert sent(book) == "ACCEPTED"  # and there it rests: the price was the day's high
    book.money(here.account, 1_000_000_000, _005930=0)  # polled: the order holds the shares
    trader._links_at = None
    book.tick(SYMBOL, price - 6000, 3)
    assert look(trader) == 1
    assert sent(book) in ("ACCEPTED", "PART_FILLED", "FILLED"), book.strikes()[-1].reason
    settle_until(book, "FILLED", "CANCELLED", "FILLED")
    book.tick(SYMBOL, price + 6000, 4)
    assert look(trader) == 0
    assert actions(here) == ["BUY", "SELL", "CANCEL", "SELL"]


def test_a_take_profit_that_was_filled_ends_the_stop_loss(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    trader, entry = bought(book, here, 10)
    settle_until(book, "FILLED")
    pair = {"arms_after": entry, "oco_group": entry, "side": "SELL", "max_age_ms": 60_000}
    book.arm(SYMBOL, 77_000, 10, trigger_op="GE", order_kind="MARKET", **pair)
    book.arm(SYMBOL, 66_000, 10, trigger_op="LE", order_kind="MARKET", **pair)
    look(trader)
    book.tick(SYMBOL, 77_000, 2)
    assert look(trader) == 1
    sent(book)
    settle_until(book, "FILLED", "FILLED")
    trader._links_at = None
    book.tick(SYMBOL, 65_000, 3)
    assert look(trader) == 0
    assert book.states() == ["FILLED", "FILLED"]
