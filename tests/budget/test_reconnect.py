"""Four connects in ten minutes, whatever crashes how often (P11)."""

from __future__ import annotations

import json
import time
from pathlib import Path

import redis

from budget.reconnect import GHOST_WAIT_S, RedisReconnectBudget


def test_a_crash_loop_gets_four_connects_and_then_waits(
    store: redis.Redis, state_dir: Path
) -> None:
    let_in = 0
    for _ in range(40):  # each start is a new process that dies at once
        budget = RedisReconnectBudget(store, state_dir, ghost_wait_s=0.0)
        let_in += budget.claim("k1") == 0.0
        store.flushall()  # and Redis forgets everything each time
    wait = RedisReconnectBudget(store, state_dir).claim("k1")
    assert let_in == 4
    assert 500 < wait <= 600


def test_the_budget_opens_again_when_the_oldest_connect_is_old_enough(
    store: redis.Redis, state_dir: Path
) -> None:
    budget = RedisReconnectBudget(store, state_dir, connects=2, within_s=0.6)
    for _ in range(2):
        assert budget.claim("k1") == 0.0
        budget.closed("k1", clean=True)
    wait = budget.claim("k1")
    assert 0 < wait <= 0.6
    time.sleep(wait + 0.01)
    assert budget.claim("k1") == 0.0


def test_a_connection_nobody_closed_is_waited_for_at_the_next_start(
    store: redis.Redis, state_dir: Path
) -> None:
    assert RedisReconnectBudget(store, state_dir).claim("k1") == 0.0
    started_again = RedisReconnectBudget(store, state_dir)  # after kill -9
    wait = started_again.claim("k1")
    assert GHOST_WAIT_S - 1 < wait <= GHOST_WAIT_S
    assert started_again.claim("k1") <= wait, "asking again does not start the wait anew"


def test_an_outage_of_our_own_line_uses_nothing_up(store: redis.Redis, state_dir: Path) -> None:
    budget = RedisReconnectBudget(store, state_dir)
    for _ in range(10):  # the router is down for a minute: KIS saw none of these
        assert budget.claim("k1") == 0.0
        budget.unused("k1")
    untouched = {"left": 4, "wait_s": 0.0, "open": False}
    assert RedisReconnectBudget(store, state_dir).look("k1") == untouched
    assert budget.claim("k1") == 0.0
    assert budget.look("k1")["left"] == 3, "the one that came through counts"


def test_after_a_clean_end_the_next_connect_waits_for_nothing(
    store: redis.Redis, state_dir: Path
) -> None:
    budget = RedisReconnectBudget(store, state_dir)
    assert budget.claim("k1") == 0.0
    budget.closed("k1", clean=True)
    assert budget.claim("k1") == 0.0
    budget.closed("k1", clean=False)
    assert 4 < budget.claim("k1") <= 5


def test_in_use_holds_every_process_of_that_key_off_and_no_other(
    store: redis.Redis, state_dir: Path, tmp_path: Path
) -> None:
    RedisReconnectBudget(store, state_dir).hold_off("k1", 60.0)
    elsewhere = RedisReconnectBudget(store, tmp_path / "another-machine")
    assert 59 < elsewhere.claim("k1") <= 60
    assert elsewhere.claim("k2") == 0.0
    assert elsewhere.look("k1")["left"] == 4


def test_the_clock_is_that_of_redis(store: redis.Redis, state_dir: Path) -> None:
    seconds, _ = store.time()
    RedisReconnectBudget(store, state_dir).claim("k1")
    kept = json.loads(store.get("stockd:reconnect:k1") or b"{}")
    assert 0 <= kept["connects"][0] - seconds < 2
