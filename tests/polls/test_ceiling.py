"""P8: six processes, jitter, a clock that is wrong and a Redis that is killed, counted by the
broker's stand-in and by nobody else."""

from __future__ import annotations

import pytest

from benchmarks.arrivals import most_in_a_second
from benchmarks.budget import run
from budget.plan import FIXED, FIXED_SUM


@pytest.mark.slow
def test_the_receiver_never_sees_more_than_the_ceiling_nor_more_than_a_lanes_own() -> None:
    seen = run(seconds=6.0, ceiling=18, jitter_s=0.2)
    print(seen)
    assert seen["max_in_any_second"] <= 18
    assert seen["max_fixed_in_any_second"] <= FIXED_SUM
    assert seen["after_redis_restart_max_in_any_second"] <= 18
    assert seen["refused"] == 0
    lanes = seen["lanes"]
    assert lanes["assets"] <= FIXED["assets"]
    assert lanes["confirm"] <= FIXED["confirm"]
    assert lanes["sweep"] <= 10
    assert lanes["order"] <= FIXED["order"] + FIXED["spare"], "its own place and the spare ones"
    assert lanes["spare"] < FIXED["spare"], "one spare place stays within an order's reach"
    assert seen["failed_closed"] > 0, "without Redis callers were turned away"
    assert seen["after_redis_restart_calls"] > 20, "and everything resumed by itself"
    assert seen["use_ratio"] >= 0.85, "the figure itself is the benchmark's business"


def test_the_count_slides() -> None:
    assert most_in_a_second([0.0, 0.5, 0.999, 1.0, 1.4]) == 4
    assert most_in_a_second([]) == 0
    assert most_in_a_second([0.0, 1.0, 2.0]) == 1
