"""What the broker's port can do to an order: lost answers, refusals, killed workers (P4-P6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from db.ledger import verify
from runtime import orders, wake_ups, wiring
from tests.orders.hands import fresh_trader, look

SYMBOL = "005930"


def claimed(book: Any, here: Any, **more: Any) -> None:
    orders.agree()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    book.arm(SYMBOL, 70_000, **({"order_kind": "MARKET", "quantity": 1} | more))
    book.tick(SYMBOL, 70_000)  # last: it is young for three seconds, and the machine may be busy
    assert look(trader) == 1


@pytest.mark.parametrize("how", ["close", "500", "EGW00301"])
def test_a_lost_answer_is_unknown_never_sent_again_and_settled_by_the_list(
    how: str, machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    claimed(book, here)
    here.simulator.control("fault", lose_next=how)
    assert orders.serve_next().state == "UNKNOWN"
    assert orders.serve_next().what == "IDLE"
    orders.settle()
    strike = book.strikes()[0]
    assert strike.state in ("ACCEPTED", "PART_FILLED", "FILLED"), strike.reason
    assert strike.order_no
    assert len(here.orders_at_broker()) == 1


def test_a_refusal_is_the_brokers_word(machine: Callable[..., Any], book: Any) -> None:
    here = machine(cash=1)
    claimed(book, here)
    assert orders.serve_next().state == "REJECTED"
    assert book.strikes()[0].reason


def token_of_hours_ago(here: Any) -> None:
    """KIS has ended our token early (nightly maintenance does); it was issued hours ago."""
    here.simulator.control("fault", expire_tokens=True, token_gap_s=0.0)
    for name in wiring.redis().scan_iter("*:issued"):
        wiring.redis().delete(name)
    for path in wiring.state_dir().rglob("*-issued.json"):
        path.unlink()


def calls_of_orders(here: Any) -> list[str]:
    return [one["msg_cd"] for one in here.orders_at_broker()]


def test_a_token_that_ended_early_costs_a_second_and_no_order(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    claimed(book, here, max_age_ms=60_000)
    token_of_hours_ago(here)
    again = orders.serve_next()
    assert (again.what, again.state) == ("AGAIN", "CLAIMED")
    book.tick(SYMBOL, 70_000, 2)
    assert orders.serve_next().state == "ACCEPTED", book.strikes()
    refused, accepted = here.orders_at_broker()
    assert refused["msg_cd"] == "EGW00123"
    assert accepted["mono"] - refused["mono"] >= 1.0, "the pace counts calls, not orders (P5)"
    assert len(here.simulator.book()["orders"]) == 1
    steps = [
        (row.from_state, row.to_state) for row in book.rows("SELECT * FROM order_event ORDER BY id")
    ]
    assert steps[:5] == [
        ("", "CLAIMED"), ("CLAIMED", "SENDING"), ("SENDING", "CLAIMED"), ("CLAIMED", "SENDING"),
        ("SENDING", "ACCEPTED"),
    ]  # fmt: skip
    assert verify(wiring.engine("orders"))[1] == ""


def test_a_second_refused_token_is_the_end_of_it(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    claimed(book, here, max_age_ms=60_000)
    token_of_hours_ago(here)
    assert orders.serve_next().what == "AGAIN"
    orders.broker().prepare()  # has fetched another, which KIS ends as well
    token_of_hours_ago(here)
    book.tick(SYMBOL, 70_000, 2)
    assert orders.serve_next().state == "REJECTED"
    assert orders.serve_next().what == "IDLE"
    assert calls_of_orders(here) == ["EGW00123", "EGW00123"]
    assert here.simulator.book()["orders"] == []
    assert book.strikes()[0].reason_code == "EGW00123"


def test_what_is_sent_again_is_looked_at_again(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    claimed(book, here, max_age_ms=60_000)
    token_of_hours_ago(here)
    assert orders.serve_next().what == "AGAIN"
    book.run("UPDATE strike SET tick_received_at = tick_received_at - INTERVAL 100 SECOND")
    book.tick(SYMBOL, 71_000, 2)  # the price has gone away meanwhile
    assert orders.serve_next().what == "WAIT"
    book.run("UPDATE strike SET deadline = NOW(6)")
    orders.serve_next()
    assert book.states() == ["EXPIRED"]
    assert calls_of_orders(here) == ["EGW00123"]


def test_an_order_worker_sends_again_by_itself(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    here.order_worker()
    until = time.monotonic() + 60
    while "tasks.strike.ready" not in here.words() or "succeeded" not in here.words():
        assert time.monotonic() < until, here.words()
        time.sleep(0.1)
    claimed(book, here, max_age_ms=60_000)
    token_of_hours_ago(here)
    wake_ups.wake()  # once: nobody but the worker itself sees to the second call
    while len(calls_of_orders(here)) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    while book.states() != ["ACCEPTED"] and time.monotonic() < until:
        time.sleep(0.1)
    assert book.states() == ["ACCEPTED"], here.words()
    assert calls_of_orders(here)[0] == "EGW00123"
    assert len(here.simulator.book()["orders"]) == 1


def test_a_strike_whose_worker_died_in_the_call_is_found_at_the_broker(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    claimed(book, here, max_age_ms=60_000)  # a busy machine starts a worker slowly
    worker = here.order_worker()
    here.simulator.control("fault", lose_next="hang")
    wake_ups.wake()
    until = time.monotonic() + 40
    while book.states() != ["SENDING"] and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.5)  # the request is at the broker, the answer will never come
    here.kill(worker)
    assert book.states() == ["SENDING"], here.words()
    book.run("UPDATE strike SET claimed_at = claimed_at - INTERVAL 15 SECOND")
    orders.sweep()
    assert book.states() == ["UNKNOWN"]
    book.run("UPDATE strike SET claimed_at = claimed_at + INTERVAL 15 SECOND")
    orders.settle()
    assert book.strikes()[0].order_no
    assert len(here.orders_at_broker()) == 1
    assert verify(wiring.engine("orders"))[1] == ""


def test_a_wake_up_delivered_ten_times_sends_one_order(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    claimed(book, here)
    assert [orders.serve_next().what for _ in range(10)] == ["SENT"] + ["IDLE"] * 9
    assert len(here.orders_at_broker()) == 1


def test_a_late_strike_expires_and_says_why(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    claimed(book, here)
    book.run("UPDATE strike SET tick_received_at = tick_received_at - INTERVAL 10 SECOND")
    book.tick(SYMBOL, 71_000, 9)  # the price has gone away meanwhile
    assert orders.serve_next().what == "WAIT"
    assert book.states() == ["CLAIMED"]
    book.run("UPDATE strike SET deadline = NOW(6)")
    orders.serve_next()
    strike = book.strikes()[0]
    assert (strike.state, strike.reason_code) == ("EXPIRED", "STALE_PRICE")
    assert here.orders_at_broker() == []


def test_a_stop_with_that_wish_cancels_what_is_open(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    price = here.simulator.look("stocks")[SYMBOL]["price"] // 1000 * 1000 - 3000
    book.money(here.account, 1_000_000_000)
    book.tick(SYMBOL, price)
    book.arm(SYMBOL, price, quantity=1)  # a limit below the market: it stays open
    trader = fresh_trader()
    with trader.engine.connect() as connection:
        trader.look(connection)
    assert orders.serve_next().state == "ACCEPTED"
    book.run(
        "INSERT INTO stockd_halt (action, reason, actor, source, cancel_open, at)"
        " VALUES ('HALT', '그만', 'sim', 'PLUGIN', 1, NOW(6))"
    )
    until = time.monotonic() + 15
    while book.states() != ["CANCELLED"] and time.monotonic() < until:
        orders.serve_next()
        orders.settle()
        time.sleep(0.2)
    assert book.states() == ["CANCELLED"]
