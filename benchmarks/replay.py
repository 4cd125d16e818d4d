"""``stockd bench replay``: a recorded day of 5 million ticks, twice, as fast as it goes.

The day is the simulator's own walk (benchmarks/replay_day.py); the bars of both replays are
compared byte for byte, and with those computed from the lines of the recording alone.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.replay_day import make_day
from benchmarks.replay_truth import bars_of
from runtime.record.replay import Wish, replay

TICKS = 5_000_000
VALUES = ("open", "high", "low", "close", "volume", "turnover", "ticks")


def run(ticks: int = TICKS, stocks: int = 200) -> dict[str, Any]:
    """seconds_first/second: from the first frame to the last bar in `bar`, scan and start apart."""
    with tempfile.TemporaryDirectory(prefix="bench-replay-") as scratch:
        place = Path(scratch)
        files = make_day(place / "day", ticks, stocks)
        size = sum(path.stat().st_size for path in files)
        runs, wall = [], []
        for name in ("first", "second"):
            began = time.monotonic()
            runs.append(replay(Wish(files, place / name)))
            wall.append(round(time.monotonic() - began, 1))
        same = (place / "first" / "bars.csv").read_bytes() == (
            place / "second" / "bars.csv"
        ).read_bytes()
        true, found = bars_of(files), _bars_in(place / "first" / "bars.csv")
    return {
        "ticks": ticks,
        "stocks": stocks,
        "file_mb": round(size / 1e6, 1),
        "play_seconds": [one["seconds"] for one in runs],
        "settle_seconds": [one["settle_s"] for one in runs],
        "wall_seconds": wall,
        "records_per_s": [one["records_per_s"] for one in runs],
        "records_in_bars": [one["records_in_bars"] for one in runs],
        "bars": len(found),
        "bars_wrong": sum(found.get(key) != bar for key, bar in true.items())
        + len(found.keys() - true.keys()),
        "same_bytes": same,
        "sha256": runs[0]["sha256"],
    }


def _bars_in(path: Path) -> dict[tuple[str, int, str], tuple[int, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["symbol"], int(row["minutes"]), row["at"]): tuple(int(row[n]) for n in VALUES)
            for row in csv.DictReader(file)
        }


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else TICKS)))
