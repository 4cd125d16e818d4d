"""`stockd bench page` measures what it says: tabs see the feed move, and nobody is turned away."""

from __future__ import annotations

import shutil

import pytest

from benchmarks.page import run


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_tabs_see_two_hundred_stocks_move_and_none_is_turned_away() -> None:
    if shutil.which("php") is None:
        pytest.skip("php is not installed: apt install php-cli php-mysql")
    seen = run(seconds=4, rate=1_000, rounds=1, tabs=3)
    assert seen["answers_failed"] == 0
    assert seen["stocks_in_answer"] == 200
    assert seen["asked"] > seen["answers"] > 0
    assert seen["php_cpu_ms_per_answer"] > 0
    assert seen["with_tabs"]["lost_latest"] == seen["without"]["lost_latest"] == 0
    # what stands still is not sent again
    assert seen["quiet_share_304"] > seen["share_304"]
