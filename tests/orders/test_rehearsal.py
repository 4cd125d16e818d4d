"""예행연습: the way of a strike is walked in vain, and nothing is left of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from db.engines import make_engine
from db.ledger import rehearse_arming
from db.ledger_facts import FactsReader
from runtime import orders, wake_ups, wiring
from tests.orders.hands import fresh_trader

TABLES = (
    "strike", "order_event", "event_head", "order_gate", "guard_trip", "stockd_condition",
    "condition_state", "stockd_halt", "asset_balance",
)  # fmt: skip


def all_rows(book: Any) -> dict[str, list[Any]]:
    return {table: book.rows(f"SELECT * FROM {table}") for table in TABLES}


def until(condition: Callable[[], Any], seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.02)


def test_a_hundred_rehearsals_leave_nothing_and_the_strike_after_them_goes_out(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    book.arm("005930", 70_000, order_kind="MARKET", quantity=1, max_age_ms=60_000)
    assert orders.get_ready() == "READY"
    time.sleep(1.1)  # the gate of a new account opens after one gap: walked up to the last row
    before = all_rows(book)
    granted = [lane.granted for lane in wiring.lanes().snapshot().lanes]
    calls = len(here.simulator.lines("calls"))
    with trader.engine.connect() as connection:
        for _ in range(100):
            rehearse_arming(connection, trader.site, trader.account)
            assert orders.rehearse() == "IDLE"
        assert all_rows(book) == before
        assert [lane.granted for lane in wiring.lanes().snapshot().lanes] == granted
        assert len(here.simulator.lines("calls")) == calls, "the broker heard of it"
        book.tick("005930", 70_000)
        assert trader.look(connection) == 1
    assert orders.rehearse() == "WAIT", "a strike is due: its own wake-up is on its way"
    assert book.states() == ["CLAIMED"]
    assert orders.serve_next().state == "ACCEPTED"
    assert orders.rehearse() == "IDLE"
    assert book.strikes()[0].id == 1, "no number was used up"


def test_before_ledger_and_broker_agree_and_on_standby_nothing_is_rehearsed(
    machine: Callable[..., Any], book: Any
) -> None:
    machine()
    assert orders.rehearse() == "WAIT"
    book.run("INSERT INTO lease VALUES ('orders', 'another', 7, NOW(6) + INTERVAL 60 SECOND)")
    orders.agree()
    assert orders.rehearse() == "STANDBY"


def test_facts_read_on_a_long_used_connection_are_those_of_a_new_one(
    machine: Callable[..., Any], book: Any
) -> None:
    """What is parsed once a connection must answer for every strike of the day."""
    here = machine()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    orders.agree()
    reader = FactsReader(
        orders.site(), here.account, window=6, queue=30, trading_day=lambda day: None
    )
    kept = make_engine(book.root.url, direct=True)
    with trader.engine.connect() as looking, kept.connect() as used:
        for number, symbol in enumerate(("005930", "000660", "035420", "005380"), 1):
            book.arm(symbol, 70_000, order_kind="MARKET", quantity=number, max_age_ms=60_000)
            book.tick(symbol, 70_000, number)
            assert trader.look(looking) == 1
            strike_id = book.strikes()[-1].id
            fresh = make_engine(book.root.url, direct=True)
            with fresh.connect() as new:
                read = [reader.facts(one, strike_id) for one in (used, new)]
            fresh.dispose()
            assert read[0] is not None
            assert read[0] == replace(read[1], now=read[0].now)
            assert read[0].day.orders == number - 1
            until(lambda: orders.serve_next().state == "ACCEPTED")
            assert reader.facts(used, strike_id) is None
    kept.dispose()


def test_with_the_worker_gone_no_more_than_one_waits_and_orders_go_out_as_ever(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    book.money(here.account, 1_000_000_000)
    for number, symbol in enumerate(("005930", "000660", "035420")):
        book.arm(symbol, 70_000, order_kind="MARKET", quantity=number + 1, max_age_ms=60_000)
    here.trader()
    until(lambda: wake_ups.waiting() >= 1)  # the first publish of a process, which warms it up
    time.sleep(0.5)
    assert wake_ups.waiting() == 1, "nothing trades, so nothing is rehearsed"
    book.tick("005930", 71_000)
    longest = 0
    for _ in range(50):
        time.sleep(0.02)
        longest = max(longest, wake_ups.waiting())
    assert longest == 1, "while something waits there is no rehearsal"
    here.order_worker()
    until(lambda: wake_ups.waiting() == 0)
    until(lambda: "tasks.strike.rehearse" in here.words())
    for symbol in ("005930", "000660", "035420"):
        book.tick(symbol, 70_000, 2)
    until(lambda: book.states() == ["ACCEPTED"] * 3)
    calls = here.orders_at_broker()
    assert len(calls) == 3
    assert min(b["mono"] - a["mono"] for a, b in pairwise(calls)) >= 1.0
