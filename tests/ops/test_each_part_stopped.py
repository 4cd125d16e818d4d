"""Each real part of the running machine is stopped; a person hears of it within 30 s, of it alone,
and then that it is over (P12). By hand: STOCKD_STOP=some stops two parts, STOCKD_STOP=all stops or
freezes every one, which takes a quarter of an hour. In every run: tests/ops/test_alarms_told.py."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.ops.watched import WatchedStack, until, watched_stack

WITHIN_S = 30.0
# part -> what is told. "~": frozen (SIGSTOP), it is there and does nothing
ALARMS = {
    "market": "tick",
    "trader": "trader",
    "worker-orders": "orders",
    "worker-confirm": "queue:confirm",
    "worker-assets": "queue:assets",
    "worker-sweep": "queue:sweep",
    "beat": "beat",
    "redis": "redis",
    "mariadb": "mariadb",
    "~mariadb": "mariadb",
    "~redis": "redis",
    "~worker-orders": "orders",
    "~simulator": "broker",
    "simulator": "broker",
}
# one that once brought a second alarm with it, and one that was told too late
SOME = ("worker-assets", "~mariadb")
LOADED_S = 15.0  # on top, for a machine where everything else runs too


def stop_and_start(stack: WatchedStack, part: str, patient: float) -> float:
    """Seconds from the stop to the alarm; fails on any other message than it and its end."""
    name, frozen = part.removeprefix("~"), part.startswith("~")
    alarm, before = ALARMS[part], len(stack.told)
    began = time.monotonic()
    (stack.freeze if frozen else stack.stop)(name)
    try:
        until(lambda: len(stack.told) > before, WITHIN_S + LOADED_S, stack.words)
        took = time.monotonic() - began
        # some effects are slower than their cause: they would have been told by now
        time.sleep(patient)
    finally:
        (stack.thaw if frozen else stack.start)(name)
    assert stack.told[before:] == [f"경보] {alarm}"], stack.words()
    until(lambda: len(stack.told) > before + 1, 60, stack.words)
    time.sleep(5.0)
    assert stack.told[before:] == [f"경보] {alarm}", f"회복] {alarm}"], stack.words()
    return took


def parts() -> tuple[str, ...]:
    return tuple(ALARMS) if os.environ.get("STOCKD_STOP") == "all" else SOME


@pytest.mark.slow
@pytest.mark.skipif("STOCKD_STOP" not in os.environ, reason="by hand: STOCKD_STOP=some or all")
@pytest.mark.timeout(1200)
def test_each_part_that_stops_is_told_alone_and_so_is_its_return(
    tmp_path: Path, receiver: Any
) -> None:
    chosen = parts()
    whole = len(chosen) == len(ALARMS)
    with watched_stack(tmp_path / "stack", receiver, 20 if whole else 10) as stack:
        time.sleep(15 if whole else 5)
        assert stack.told == [], stack.words()
        for part in chosen:
            took = stop_and_start(stack, part, 20 if whole else 5)
            print(f"{part}: told after {took:.1f} s")
            assert took <= WITHIN_S + (0 if whole else LOADED_S), part
