"""Two order workers and two traders, started by mistake: one order a condition, a second apart, and
when the working one dies the other takes over (P4, P5)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from db.lease import ORDERS, take_lease
from db.ledger import verify
from runtime import orders, wiring

SYMBOLS = ("005930", "000660", "035420", "005380", "051910", "000270", "105560", "055550")
LOW, HIGH = 49_900, 60_000


@contextmanager
def moving(book: Any, account: str, symbols: list[str]) -> Iterator[Callable[[int], None]]:
    """The market daemon, the asset poll and the confirm worker in one thread. Call with a price."""
    price, seq, ended = [HIGH], [1], threading.Event()

    def turn() -> None:
        while not ended.wait(0.3):
            seq[0] += 1
            for symbol in symbols:
                book.tick(symbol, price[0], seq[0])
            book.money(account, 1_000_000_000)
            orders.sweep()

    thread = threading.Thread(target=turn, name="market-stand-in")
    thread.start()
    try:
        yield lambda new: price.__setitem__(0, new)
    finally:
        ended.set()
        thread.join(10)


def until(condition: Callable[[], Any], seconds: float, here: Any) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"not within {seconds} s\n{here.words()}"
        time.sleep(0.05)
    return found


def active(book: Any) -> int:
    """pid of the Celery worker that has the lease, 0 when nobody has."""
    rows = book.rows("SELECT holder FROM lease WHERE name = 'orders' AND expires_at > NOW(6)")
    return int(rows[0].holder.split(":")[1]) if rows and rows[0].holder else 0


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_two_workers_and_two_traders_send_each_order_once_and_the_standby_takes_over(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine("calm", cash=1_000_000_000)
    known = here.simulator.look("stocks")
    symbols = [one for one in SYMBOLS if one in known]
    assert len(symbols) >= 6
    workers = [here.order_worker("first"), here.order_worker("second")]
    here.trader()
    here.trader()
    with moving(book, here.account, symbols) as price:
        until(lambda: len(book.rows("SELECT 1 FROM daemon WHERE name = 'trader'")) >= 1, 60, here)
        until(lambda: active(book), 60, here)
        until(lambda: here.words().count("기다립니다") == 1, 60, here)  # the second one stands by
        for symbol in symbols:
            book.arm(symbol, 50_000, quantity=1, order_kind="MARKET")
        time.sleep(1.0)
        assert book.states() == []
        price(LOW)
        until(lambda: len(here.orders_at_broker()) >= 3, 60, here)
        serving = next(one for one in workers if one.pid == active(book))
        here.kill(serving)
        killed, sent = time.monotonic(), len(here.orders_at_broker())
        until(lambda: len(here.orders_at_broker()) > sent, 30, here)
        took = here.orders_at_broker()[sent]["mono"] - killed
        until(lambda: "CLAIMED" not in book.states(), 60, here)
        until(lambda: settled(book), 40, here)
    calls = here.orders_at_broker()
    gaps = [b["mono"] - a["mono"] for a, b in pairwise(calls)]
    print("gaps", [f"{gap:.3f}" for gap in gaps], f"takeover {took:.2f} s")
    assert took < 10, f"{took:.1f} s\n{here.words()}"
    assert len(calls) == len(symbols) == len(book.strikes()), here.words()
    assert min(gaps) >= 1.0, gaps
    odnos = [one["odno"].lstrip("0") for one in here.simulator.book()["orders"]]
    assert sorted(odnos) == sorted(one.order_no for one in book.strikes())
    assert verify(wiring.engine("orders"))[1] == ""


def settled(book: Any) -> bool:
    """Whether each strike is an order the broker confirmed; the one killed in its call too."""
    orders.settle()
    return {"SENDING", "UNKNOWN", "CLAIMED"}.isdisjoint(book.states())


@pytest.mark.slow
def test_a_worker_that_lost_its_lease_leaves_so_that_it_takes_no_wake_ups(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    worker = here.order_worker()
    until(lambda: active(book) == worker.pid, 60, here)
    os.killpg(worker.pid, signal.SIGSTOP)  # a machine that slept, a debugger, a full swap
    until(lambda: take_lease(wiring.engine("orders"), ORDERS, "another:1:x", 60), 20, here)
    os.killpg(worker.pid, signal.SIGCONT)
    worker.wait(30)
    assert book.rows("SELECT holder FROM lease WHERE name = 'orders'")[0].holder == "another:1:x"
