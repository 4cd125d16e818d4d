"""Faults that last: a slot taken elsewhere (OPSP8996), and a MariaDB that hangs without dying."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from kis.keys import Env, KisKey
from kis.stream import Section
from kis.wire import Wire
from runtime.servers import free_port
from simulator.testing import RunningSimulator, start_simulator
from trading.errors import Unavailable, Unreached


@contextmanager
def somebody_else(simulator: RunningSimulator, symbol: str) -> Iterator[Section]:
    """A second program that sits on our first app key."""
    one = simulator.customers[0]
    body = {
        "grant_type": "client_credentials", "appkey": one.app_key, "secretkey": one.app_secret,
    }  # fmt: skip
    answer = requests.post(f"{simulator.rest_url}/oauth2/Approval", json=body, timeout=5)
    key = KisKey("elsewhere", one.app_key, one.app_secret, one.account)
    section = Section(key, Env.REAL, simulator.ws_url)
    section.want([symbol], notice=False)
    section.open(answer.json()["approval_key"])
    ends = time.monotonic() + 10
    while not section.settled:
        assert time.monotonic() < ends, "the other program got no slot"
        section.step(0.02)
    try:
        yield section
    finally:
        section.close()


class Ahead:
    """A monotonic clock that the test can put forward, so that nobody waits a minute."""

    def __init__(self) -> None:
        self.by = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.by


def test_a_slot_taken_elsewhere_is_left_alone_for_a_minute(feed_db, start_feed, until) -> None:
    """OPSP8996: quick retries prolong the lock, so all processes of the key keep still."""
    with start_simulator("calm", sections=1, symbols=5, rate=200.0) as simulator:
        symbols = list(simulator.look("stocks"))[:5]
        with (
            somebody_else(simulator, symbols[0]) as other,
            start_feed(simulator, symbols) as feed,
        ):
            (link,) = feed.market.links
            clock = link._monotonic = Ahead()
            until(lambda: feed.budget.held_off)
            assert simulator.stats()["refused"] == {"OPSP8996": 1}
            (held_off,) = feed.budget.held_off
            assert 60 <= held_off <= 75, "the shared budget holds every process off"
            assert feed.budget.ends == [False]
            assert "IN_USE_WAIT" in link.why

            clock.by = 30.0  # and what this test itself has taken, on a busy machine
            time.sleep(0.5)
            assert simulator.stats()["handshakes"] == 2, "no connect before the minute is over"
            assert feed.budget.claims == 1

            clock.by = 80.0  # still taken: the second wait is longer
            until(lambda: len(feed.budget.held_off) == 2)
            assert feed.budget.held_off[1] >= 120
            assert simulator.stats()["refused"] == {"OPSP8996": 2}

            other.close()
            clock.by = 80.0 + 155.0
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market WHERE price > 0") == 5)
            assert simulator.stats()["handshakes"] == 4
            until(lambda: link.section.settled)
            assert simulator.stats()["registrations"] == {"simkey-1": 6}


def test_a_mariadb_that_hangs_costs_neither_the_feed_nor_a_last_value(
    servers, feed_db, start_feed, until
) -> None:
    """Stopped, not dead: connections stand and nothing answers. 5 s, then the writer gives up."""
    with start_simulator("calm", sections=1, symbols=20, rate=500.0) as simulator:
        symbols = list(simulator.look("stocks"))[:20]
        with start_feed(simulator, symbols) as feed:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 20)
            pid = servers.mariadb.pid
            os.kill(pid, signal.SIGSTOP)
            try:
                began, before = time.monotonic(), feed.market.records
                until(lambda: feed.market.writer.failing, 20)
                assert time.monotonic() - began > 4.5, "an answer may take its time"
                assert "no answer within 5 s" in feed.market.writer.failing
                now = feed.market.records
                assert now > before + 100, "the feed stood still"
                until(lambda: feed.market.records > now + 200, 10, "the feed stood still")
                # the last word of the day, so that no later tick hides what was lost
                simulator.control("fault", stop_ticks=True)
                time.sleep(0.3)
                until(lambda: simulator.stats()["ticks_sent"] == feed.market.records, 10)
            finally:
                os.kill(pid, signal.SIGCONT)
            until(lambda: not feed.market.writer.failing, 30)
            until(lambda: not feed.market.conflator.dirty and not feed.market.writer.busy, 10)
            with feed.market.lock:
                states = {s.symbol: s for s in feed.market.conflator.states.values()}
            sent: dict[str, Any] = simulator.stats()["symbols"]
            for row in feed_db.rows("SELECT * FROM market"):
                state = states[row.symbol]
                assert (row.price, row.seq) == (state.price, state.seq)
                assert row.price == sent[row.symbol]["price"]
                assert row.bar_ticks == state.bar.ticks
            assert feed.budget.ends == [], "the section was not touched by it"


def test_an_outage_of_our_own_line_costs_no_connect(
    feed_db, start_feed, until, monkeypatch
) -> None:
    """P11: KIS counts what reaches it. After a dead line all four connects must still be there."""
    monkeypatch.setattr("runtime.feed_link.pause_s", lambda *args: 0.1)
    with start_simulator("calm", sections=1, symbols=5, rate=200.0) as simulator:
        symbols = list(simulator.look("stocks"))[:5]
        nowhere = SimpleNamespace(
            customers=simulator.customers,
            rest_url=simulator.rest_url,
            ws_url=f"ws://127.0.0.1:{free_port()}",
        )
        with start_feed(nowhere, symbols) as feed:
            until(lambda: feed.budget.not_reached >= 6)
            assert feed.budget.ends == []
            feed.market.links[0].section._url = simulator.ws_url  # the line is back
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 5)
        assert simulator.stats()["handshakes"] == 1
        assert feed.budget.claims == feed.budget.not_reached + 1


def test_a_broker_that_takes_the_call_and_says_nothing_has_seen_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(Unavailable) as refused:
        Wire(f"ws://127.0.0.1:{mute.getsockname()[1]}", 0.3)
    assert not isinstance(refused.value, Unreached)
    with pytest.raises(Unreached):
        Wire(f"ws://127.0.0.1:{free_port()}", 0.3)
    with pytest.raises(Unreached):
        Wire("ws://no-such-host.invalid:21000", 2.0)


def test_more_fields_a_refused_stock_and_broken_bytes_are_told_and_stop_nothing(
    feed_db, start_feed, until
) -> None:
    """The row of `daemon` is what the watchdog reads: it has to name what a person must know."""
    with start_simulator("calm", sections=1, symbols=5, rate=300.0, width=48) as simulator:
        symbols = list(simulator.look("stocks"))[:5]
        with start_feed(simulator, [*symbols, "ZZZZZZ"]) as feed:

            def detail() -> dict[str, Any]:
                rows = feed_db.rows("SELECT detail FROM daemon WHERE name = 'market'")
                return json.loads(rows[0].detail) if rows else {}

            until(lambda: feed_db.one("SELECT COUNT(*) FROM market WHERE price > 0") == 5)
            until(lambda: detail().get("unregistered") == "ZZZZZZ OPSP8992")
            until(lambda: detail()["fields"] == 48)
            assert detail()["bad"] == 0
            # the width of yesterday is back, and one frame in ten has a byte that is no UTF-8
            simulator.control("fault", width=47, invalid_utf8=0.1)
            until(lambda: detail()["bad"] > 3)
            until(lambda: detail()["fields"] == 47)
            assert detail()["drift"] == 0
            before = feed.market.records
            until(lambda: feed.market.records > before + 100)
            assert feed.budget.ends == [], "the connection was not touched by it"
