"""``stockd bench budget``: six processes against the simulator's own count.

Three parts of one run: every lane loaded to its limit (use of the bound), orders once a second
beside fully loaded polls (an order's wait), and a Redis that is killed under load. One process has
a clock that is two seconds ahead throughout.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.arrivals import FIXED, by_lane, codes, most_in_a_second, quantile
from benchmarks.private import begin, start_callers, told_of
from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from runtime.servers import RedisServer
from simulator.testing import RunningSimulator, start_simulator

PROCESSES = 6
LOAD = {"sweep": 3, "assets": 2, "confirm": 1, "spare": 1}
SETTLE_S = 2.0  # the beginning of a part is not counted as use: lanes fill up


@dataclass
class Part:
    """What one part of the run measured."""

    started: float
    ended: float
    trips: list[float] = field(default_factory=list)
    order_waits: list[float] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)


def run(seconds: float = 60.0, ceiling: int = 18, jitter_s: float = 0.2) -> dict[str, Any]:
    """The figures of contract.md; ``lanes`` holds each lane's fullest second."""
    with tempfile.TemporaryDirectory(prefix="bench-budget-") as scratch:
        redis = RedisServer(Path(scratch) / "redis")
        redis.start()
        redis.wait_ready()
        try:
            knobs = {"ceiling": ceiling, "ledger_per_s": 0, "cash": 10**12}
            with start_simulator(frame_log=False, sections=1, rate=1.0, **knobs) as sim:
                return _run(sim, redis, Path(scratch), seconds, ceiling, jitter_s)
        finally:
            redis.stop()


def _run(  # noqa: PLR0917
    sim: RunningSimulator,
    redis: RedisServer,
    scratch: Path,
    seconds: float,
    ceiling: int,
    jitter_s: float,
) -> dict[str, Any]:
    gate = Lanes(connect(redis.url()), "bench", plan(ceiling))
    gate.vouch()
    told = told_of(sim, redis, scratch, ceiling, jitter_s)
    full = _part(told, seconds * 2 / 3, {"order": 1}, 0.0)
    paced = _part(told, seconds / 3, {}, 1.0)
    quiet = _permit_times(redis)
    before = len(sim.lines("calls"))
    restarted = _part(told, 15.0, {"order": 1}, 0.0, redis)
    lines = sim.lines("calls")
    figures = _figures(lines, full, ceiling)
    after = lines[before:]
    answers = codes(lines)
    return figures | {
        "order_wait_ms_p99": round(quantile(paced.order_waits, 0.99) * 1000, 2),
        "order_waits": len(paced.order_waits),
        "permit_ms_p50": round(quantile(quiet, 0.5) * 1000, 3),
        "permit_ms_p99": round(quantile(quiet, 0.99) * 1000, 3),
        "processes": PROCESSES,
        "refused": answers["EGW00201"] + answers["EGW00215"],
        "after_redis_restart_max_in_any_second": most_in_a_second(x["mono"] for x in after),
        "after_redis_restart_calls": len(after),
        "after_redis_restart_closed_s": round(_longest_gap(after), 1),
        "failed_closed": restarted.faults.get("Unavailable", 0),
    }


def _figures(lines: list[dict[str, Any]], full: Part, ceiling: int) -> dict[str, Any]:
    lanes = by_lane(lines)
    start, end = full.started + SETTLE_S, full.ended
    served = sum(1 for line in lines if start <= line["mono"] < end)
    calls_per_s = served / (end - start)
    trip = sum(full.trips) / max(1, len(full.trips))
    bound = ceiling / (1.0 + trip)
    return {
        "ceiling": ceiling,
        "max_in_any_second": most_in_a_second(line["mono"] for line in lines),
        "max_fixed_in_any_second": most_in_a_second(
            at for lane in FIXED for at in lanes.get(lane, [])
        ),
        "lanes": {lane: most_in_a_second(times) for lane, times in sorted(lanes.items())},
        "calls_per_s": round(calls_per_s, 3),
        "bound_per_s": round(bound, 3),
        "use_ratio": round(calls_per_s / bound, 4),
        "round_trip_ms_mean": round(trip * 1000, 1),
    }


def _part(
    told: dict[str, Any],
    seconds: float,
    orders: dict[str, int],
    order_pace: float,
    kill: RedisServer | None = None,
) -> Part:
    """All processes at once for ``seconds``; with an ``order_pace`` one of them sends orders so."""
    children = []
    for number in range(PROCESSES):
        # as in the machine: the order worker is a process that does nothing else
        threads = {"order": 1} if order_pace and number == 0 else LOAD | orders
        own = {
            "seed": number,
            "threads": threads,
            "pace_s": {"order": order_pace},
            "skew_s": 2.0 if number == 1 else 0.0,
        }
        children.append(start_callers(told | own))
    started, ended = begin(children, seconds)
    part = Part(started, ended)
    if kill is not None:
        time.sleep(max(0.0, started + 3.0 - time.monotonic()))
        kill.kill()
        time.sleep(0.5)
        kill.start()
        kill.wait_ready()
    for child in children:
        text = child.stdout.read() if child.stdout else ""
        child.wait(seconds + 30)
        measured = json.loads(text)
        part.trips += measured["trips"]
        part.order_waits += measured["order_waits"]
        for name, count in measured["faults"].items():
            part.faults[name] = part.faults.get(name, 0) + count
    return part


def _permit_times(redis: RedisServer, count: int = 3000) -> list[float]:
    """Seconds of one permit when a place is free."""
    lanes = Lanes(connect(redis.url()), "bench-permit", plan(count + 100))
    lanes.vouch()
    times = []
    for _ in range(count):
        started = time.perf_counter()
        lanes.acquire("sweep", 0)
        times.append(time.perf_counter() - started)
        if len(times) % 20 == 0:
            time.sleep(0.01)
    return times


def _longest_gap(lines: list[dict[str, Any]]) -> float:
    times = sorted(line["mono"] for line in lines)
    return max((b - a for a, b in pairwise(times)), default=0.0)
