"""A second beat, an extra tick and a slow cycle change nothing."""

from __future__ import annotations

import multiprocessing as mp
import threading
import time

import pytest
import redis

from budget.connect import connect
from budget.slots import Slots
from trading.errors import Unavailable


def test_with_two_beats_each_cycle_still_runs_once(store: redis.Redis) -> None:
    ran = []
    for tick in range(6):  # both beats tick at the same rhythm, a little apart
        for _beat in range(2):
            with Slots(store).turn("assets", 0.25, 5.0) as mine:
                ran += [tick] if mine else []
        time.sleep(0.25)
    assert ran == list(range(6))


def test_a_slow_cycle_is_not_joined_by_the_next(store: redis.Redis) -> None:
    slots = Slots(store)
    with slots.turn("assets", 0.1, 5.0) as mine:
        assert mine
        time.sleep(0.3)
        with slots.turn("assets", 0.1, 5.0) as second:
            assert not second
    with slots.turn("assets", 0.1, 5.0) as after:
        assert after


def test_a_runner_that_was_killed_is_given_up(store: redis.Redis) -> None:
    slots = Slots(store)
    slots.turn("assets", 0.1, 0.3).__enter__()  # and never comes back
    time.sleep(0.35)
    with slots.turn("assets", 0.1, 0.3) as mine:
        assert mine


def _hold(url: str, holds) -> None:  # type: ignore[no-untyped-def]
    with Slots(connect(url)).turn("assets", 0.1, 300.0) as mine:
        assert mine
        holds.set()
        time.sleep(300)


def test_a_worker_that_was_killed_in_its_turn_is_followed_soon(
    own_redis_url: str, store: redis.Redis
) -> None:
    """A task may take 55 s; whoever is killed in it must not cost the polls of a minute."""
    context = mp.get_context("spawn")
    holds = context.Event()
    worker = context.Process(target=_hold, args=(own_redis_url, holds))
    worker.start()
    assert holds.wait(60)
    with Slots(store).turn("assets", 0.1, 300.0) as mine:
        assert not mine
    worker.kill()
    worker.join(20)
    until = time.monotonic() + 60
    while True:
        with Slots(store).turn("assets", 0.1, 300.0) as mine:
            if mine:
                break
        assert time.monotonic() < until, "given up only when its longest time was over"
        time.sleep(0.1)


def test_a_long_turn_is_held_to_its_end_and_no_longer_than_allowed(store: redis.Redis) -> None:
    slots, others = Slots(store, lease_s=0.3), Slots(store, lease_s=0.3)
    with slots.turn("assets", 0.1, 300.0) as mine:
        assert mine
        for _ in range(10):
            time.sleep(0.1)
            with others.turn("assets", 0.1, 300.0) as second:
                assert not second
    with slots.turn("sweep", 0.1, 0.5):
        time.sleep(1.0)  # hangs: past its longest time nobody waits for it
        with others.turn("sweep", 0.1, 0.5) as second:
            assert second


def test_who_is_woken_while_the_last_cycle_still_runs_waits_for_it(store: redis.Redis) -> None:
    slots, others = Slots(store), Slots(store)
    done: list[bool] = []

    def next_poll() -> None:
        with others.turn("assets", 10.0, 300.0, taken_s=5.0, wait_s=30.0) as mine:
            done.append(mine)

    with slots.turn("assets", 0.1, 300.0) as mine:
        assert mine
        waiting = threading.Thread(target=next_poll)
        waiting.start()
        time.sleep(0.3)  # a cycle with retries
        assert done == []
    waiting.join(20)
    assert done == [True]
    left_s = store.pttl("stockd:turn:assets") / 1000  # type: ignore[operator]
    assert 0 < left_s <= 5.0 - 0.2, "its turn ends when it was to end, not later by the wait"
    with others.turn("assets", 10.0, 300.0) as second:
        assert not second, "a double of the same wake-up"


def test_a_failing_cycle_gives_its_turn_back(store: redis.Redis) -> None:
    slots = Slots(store)
    with pytest.raises(ValueError, match="no answer"), slots.turn("assets", 0.1, 9.0):
        raise ValueError("no answer")
    time.sleep(0.1)
    with slots.turn("assets", 0.1, 9.0) as mine:
        assert mine


def test_without_redis_there_is_no_turn() -> None:
    with pytest.raises(Unavailable), Slots(connect("redis://127.0.0.1:1/0", 0.2)).turn("a", 1, 1):
        pass
