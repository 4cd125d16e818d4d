"""A chaos run: faults enough, the same for a seed, and within what the feed may survive."""

from __future__ import annotations

from itertools import pairwise

import pytest

from benchmarks.chaos_plan import CUTS, FEED_HITS, FEED_WITHIN_S, KILLED, plan

TWENTY_MINUTES = 1200.0


@pytest.mark.parametrize("seed", range(20))
def test_twenty_minutes_hold_two_hundred_faults(seed: int) -> None:
    faults = plan(seed, TWENTY_MINUTES)
    assert sum(one.counts for one in faults) >= 190
    assert all(a.at < b.at < TWENTY_MINUTES for a, b in pairwise(faults))
    assert sum(bool(one.kill) for one in faults) > 70


def test_on_average_there_are_two_hundred() -> None:
    counted = [sum(one.counts for one in plan(seed, TWENTY_MINUTES)) for seed in range(50)]
    assert sum(counted) / len(counted) > 205


def test_a_seed_is_one_run() -> None:
    assert plan(7, 300) == plan(7, 300) != plan(8, 300)


def test_every_fault_comes_and_the_feed_keeps_a_connect() -> None:
    faults = plan(3, 40 * TWENTY_MINUTES)
    assert {one.kill for one in faults if one.kill} == set(KILLED)
    assert all(any(one.cut == cut for one in faults) for cut in CUTS)
    hits = [one.at for one in faults if one.hits_feed]
    for first, beyond in zip(hits, hits[FEED_HITS:], strict=False):
        assert beyond - first >= FEED_WITHIN_S
