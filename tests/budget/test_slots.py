"""A second beat, an extra tick and a slow cycle change nothing."""

from __future__ import annotations

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
