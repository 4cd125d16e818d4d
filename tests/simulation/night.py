"""``make simulate SEEDS=N``: many lives, one process and one private MariaDB to a core.

A seed is one life, the same one every time: ``make simulate FIRST=seed SEEDS=1`` lives it again and
prints what happened in it. Progress each minute; the last line is one JSON object; exit 1 when a
promise was broken.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import queue
import random
import signal
import sys
import time
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import sqlalchemy
import structlog
from fast_server import fast_database
from worlds import World

SAY_EVERY_S = 60.0
REPORT_EVERY_S = 2.0
ENOUGH = 20  # violations: there is no more to be learned from this run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--first", type=int, default=None, help="the first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    first = random.randrange(10**6) if asked.first is None else asked.first
    found = run(first, asked.seeds, max(1, min(asked.processes, asked.seeds)))
    print(json.dumps(found, ensure_ascii=False))
    return 0 if found["ok"] else 1


@dataclass
class Tally:
    """What all processes have lived so far."""

    lives: int = 0
    calls: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, part: dict[str, Any]) -> None:
        self.lives += part["lives"]
        self.calls += part["calls"]
        self.events += part["events"]
        self.faults.update(part["faults"])
        self.violations += part["violations"]
        for one in part["violations"]:
            print(one, flush=True)

    def line(self, seconds: float) -> str:
        return (
            f"{seconds:6.0f} s: {self.lives} lives,"
            f" {self.lives / max(seconds, 0.001):.1f} a second, {self.calls} order calls,"
            f" {self.faults.total()} faults, {len(self.violations)} violations"
        )


def run(first: int, seeds: int, processes: int) -> dict[str, Any]:
    """Seeds ``first`` to ``first + seeds - 1``, divided among the processes."""
    spawn = multiprocessing.get_context("spawn")
    told, enough = spawn.Queue(), spawn.Event()
    children = [
        spawn.Process(
            target=live, args=(told, enough, range(first + n, first + seeds, processes), seeds == 1)
        )
        for n in range(processes)
    ]
    print(f"{seeds} lives from seed {first} in {processes} processes", flush=True)
    began, tally = time.monotonic(), Tally()
    said = began
    for child in children:
        child.start()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: enough.set())
    while any(child.is_alive() for child in children) or not told.empty():
        with suppress(queue.Empty):
            tally.add(told.get(timeout=REPORT_EVERY_S))
        if len(tally.violations) >= ENOUGH:
            enough.set()
        if time.monotonic() - said >= SAY_EVERY_S:
            said = time.monotonic()
            print(tally.line(said - began), flush=True)
    seconds = time.monotonic() - began
    print(tally.line(seconds), flush=True)
    whole = tally.lives == seeds
    if not whole:
        print(f"only {tally.lives} of {seeds} lives were lived", flush=True)
    return {
        "ok": whole and not tally.violations, "first": first, "lives": tally.lives,
        "seconds": round(seconds, 1), "lives_per_s": round(tally.lives / seconds, 1),
        "processes": processes, "order_calls": tally.calls, "events_verified": tally.events,
        "faults": tally.faults.total(), "faults_by_kind": dict(sorted(tally.faults.items())),
        "violations": len(tally.violations),
    }  # fmt: skip


def remember_statements() -> None:
    """``text()`` reads a statement anew for each execution: a tenth of a life. Here the modules of
    the ledger get the statement that was read before."""
    remembered = lru_cache(1000)(sqlalchemy.text)
    for name, module in list(sys.modules.items()):
        if name.startswith("db.") and getattr(module, "text", None) is sqlalchemy.text:
            module.text = remembered  # type: ignore[attr-defined]


def live(told: Any, enough: Any, seeds: range, aloud: bool) -> None:
    """One process: a server of its own, and its share of the seeds."""
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_IGN)  # the first process ends the night, in order
    structlog.configure(  # an order that was never sent is an everyday matter here
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    remember_statements()
    with fast_database() as url:
        world, reported = World(url), time.monotonic()
        for seed in seeds:
            if enough.is_set() or not parent_process().is_alive():
                break
            try:
                world.live(seed)
            except Exception:  # noqa: BLE001  a life that crashes is a find like any other
                world.violations.append(f"seed {seed}: {traceback.format_exc()}")
            if aloud:
                print(*world.story, sep="\n", flush=True)
            if world.violations or time.monotonic() - reported > REPORT_EVERY_S:
                reported = time.monotonic()
                told.put(world.report())
        told.put(world.report())
        world.close()


if __name__ == "__main__":
    raise SystemExit(main())
