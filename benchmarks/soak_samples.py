"""What a soak looks at: processes, the asset snapshot, the tables; and what it makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import sqlalchemy as sa

from benchmarks.arrivals import quantile
from runtime.stack.machine import status
from runtime.stack.place import Place
from trading.clock import KST

PERIOD_S = 10.0
LATE_S, LATE_SHOWN = 0.3, 20  # gaps so much longer are named, the last ones of them
MB = 1 << 20
# flat: the last fifth against the second one (what a start fills is full by then)
GROWTH_SHARE, GROWTH_MB, GROWTH_FDS = 0.10, 8.0, 8
POLLS = {"inquire-balance", "inquire-daily-ccld"}  # without one of them nothing is written
NOT_OURS = {"simulator"}  # keeps every order and call of its day on purpose


@dataclass
class Processes:
    """RSS (MB) and open file descriptors of each program, its children counted in."""

    place: Place
    memory: dict[str, list[float]] = field(default_factory=dict)
    fds: dict[str, list[int]] = field(default_factory=dict)
    pids: dict[str, set[int]] = field(default_factory=dict)
    down: list[str] = field(default_factory=list)

    def sample(self) -> dict[str, list[float]]:
        """{program: [MB, file descriptors]} now."""
        now: dict[str, list[float]] = {}
        for one in status(self.place)["processes"]:
            name = one["name"]
            if one["state"] != "RUNNING":
                self.down.append(f"{name} {one['state']}")
                continue
            self.pids.setdefault(name, set()).add(one["pid"])
            try:
                top = psutil.Process(one["pid"])
                family = [top, *top.children(recursive=True)]
                megabytes = sum(each.memory_info().rss for each in family) / MB
                open_fds = sum(each.num_fds() for each in family)
            except psutil.NoSuchProcess:
                continue
            self.memory.setdefault(name, []).append(megabytes)
            self.fds.setdefault(name, []).append(open_fds)
            now[name] = [round(megabytes, 1), open_fds]
        return now

    def growth(self) -> dict[str, dict[str, float]]:
        """Medians of the second and of the last fifth of the samples, a program each."""
        found = {}
        for name, values in self.memory.items():
            early, late = _fifths(values)
            fd_early, fd_late = _fifths(self.fds[name])
            found[name] = {
                "mb_early": round(early, 1), "mb_late": round(late, 1),
                "mb_max": round(max(values), 1),
                "fds_early": fd_early, "fds_late": fd_late,
                "fds_max": max(self.fds[name]), "restarts": len(self.pids[name]) - 1,
            }  # fmt: skip
        return found


def _fifths(values: list[Any]) -> tuple[float, float]:
    fifth = max(1, len(values) // 5)
    return median(values[fifth : 2 * fifth] or values), median(values[-fifth:])


def not_flat(growth: dict[str, dict[str, float]]) -> list[str]:
    """A line for each program that grew or was started anew."""
    lines = []
    for name, one in growth.items():
        if one["restarts"]:
            lines.append(f"{name}: started anew {one['restarts']} times")
        if name in NOT_OURS:
            continue
        if one["mb_late"] > one["mb_early"] * (1 + GROWTH_SHARE) + GROWTH_MB:
            lines.append(f"{name}: {one['mb_early']} MB grew to {one['mb_late']} MB")
        if one["fds_late"] > one["fds_early"] + GROWTH_FDS:
            lines.append(f"{name}: {one['fds_early']} descriptors grew to {one['fds_late']}")
    return lines


@dataclass
class Snapshots:
    """``received_at`` of every asset snapshot a reader saw, in order."""

    engine: sa.Engine
    seen: list[datetime] = field(default_factory=list)
    number: int = 0

    def look(self) -> None:
        with self.engine.connect() as connection:
            row = connection.execute(
                sa.text("SELECT snapshot_no, received_at FROM asset_balance")
            ).first()
        if row is not None and row.snapshot_no != self.number:
            self.number = row.snapshot_no
            self.seen.append(row.received_at.replace(tzinfo=KST))

    def cadence(self, until: datetime, disturbed: Iterable[tuple[float, float]]) -> dict[str, Any]:
        """``until``: now or the end, so that a poll that is missing last shows as well.

        ``disturbed``: wall seconds (from, until) in which a broker's fault met an asset call; a gap
        that touches none of them is an undisturbed one.
        """
        spans = list(disturbed)
        gaps = [(a, b, (b - a).total_seconds()) for a, b in pairwise(self.seen)]
        waiting = (until - self.seen[-1]).total_seconds() if self.seen else 0.0
        all_s = [gap for _, _, gap in gaps]
        quiet = [
            gap
            for a, b, gap in gaps
            if not any(
                start <= b.timestamp() + 1 and end >= a.timestamp() - 2 for start, end in spans
            )
        ]
        late = [(b, gap, gap in quiet) for _, b, gap in gaps if gap > PERIOD_S + LATE_S]
        missed = [max(0, round(gap / PERIOD_S) - 1) for gap in [*all_s, waiting]]
        return {
            "cycles": len(self.seen),
            "gap_s_p50": round(quantile(all_s, 0.5), 3),
            "gap_s_p99": round(quantile(all_s, 0.99), 3),
            "gap_s_max": round(max(all_s, default=0.0), 3),
            "missed_cycles": sum(missed),
            "missed_in_a_row": max(missed, default=0),
            "undisturbed_gaps": len(quiet),
            "undisturbed_gap_s_p99": round(quantile(quiet, 0.99), 3),
            "undisturbed_gap_s_max": round(max(quiet, default=0.0), 3),
            "late": [
                f"{b:%H:%M:%S} {gap:.2f} s{' undisturbed' if alone else ''}"
                for b, gap, alone in late[-LATE_SHOWN:]
            ],
        }


@dataclass
class Spoilt:
    """Calls of one key that the simulator spoilt or refused, out of its log read so far."""

    polls: list[tuple[float, float]] = field(default_factory=list)  # wall s, as spans
    orders: dict[str, int] = field(default_factory=dict)  # HTTP status and msg_cd → how often
    _read_to: int = 0

    def read(self, log: Path, key: str) -> None:
        """The lines written since the last call."""
        with (log / "calls.jsonl").open("rb") as lines:
            lines.seek(self._read_to)
            for raw in lines:
                if not raw.endswith(b"\n"):
                    return
                self._read_to += len(raw)
                self._line(json.loads(raw), key)

    def _line(self, line: dict[str, Any], key: str) -> None:
        code, path = str(line["msg_cd"]), line["path"].rsplit("/", 1)[-1]
        if line["key"] != key or (line["status"] == 200 and code and not code.startswith("EGW")):
            return
        if path in POLLS:
            self.polls.append((line["wall"], line["wall"]))
        elif path == "order-cash":
            name = f"{line['status']} {code}".strip()
            self.orders[name] = self.orders.get(name, 0) + 1
