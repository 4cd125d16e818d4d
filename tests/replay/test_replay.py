"""A day recorded is a day that can be had again: replayed twice, the bars are the same bytes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.replay_day import make_day
from benchmarks.replay_truth import bars_of
from runtime.record.replay import look
from trading.clock import KST
from trading.errors import BadInput

ROOT = Path(__file__).parents[2]


def stockd(*words: str, scratch: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("STOCKD_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env=environment | {"STOCKD_LOCAL__DIRECTORY": str(scratch)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_two_replays_give_the_same_bars_and_they_are_the_true_ones(tmp_path: Path) -> None:
    files = make_day(tmp_path / "day", ticks=6000, stocks=45)
    assert len(files) == 2
    written = []
    for run, speed in (("one", "0"), ("two", "10000")):  # 6.5 hours in 2.3 s
        out = tmp_path / run
        names = [str(path) for path in files]
        options = ("--directory", str(out), "--speed", speed, "--json")
        done = stockd("replay", *names, *options, scratch=tmp_path)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout.splitlines()[-1])
        assert result["records"] == result["records_in_bars"] == 6000
        assert result["connects"] == 2
        written.append((out / "bars.csv").read_bytes())
    assert written[0] == written[1]
    with (tmp_path / "one" / "bars.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["gap"] for row in rows} == {"0"}
    found = {
        (row["symbol"], int(row["minutes"]), row["at"]): tuple(
            int(row[name])
            for name in ("open", "high", "low", "close", "volume", "turnover", "ticks")
        )
        for row in rows
    }
    assert found == bars_of(files)
    closing = [row for row in rows if row["at"].endswith("15:30:00") and row["minutes"] == "1"]
    assert len(closing) == 45


def test_a_day_that_is_not_over_is_not_replayed(tmp_path: Path) -> None:
    files = make_day(tmp_path, ticks=100, stocks=5)
    over = datetime(2026, 3, 20, 15, 40, tzinfo=KST)
    assert look(files, over).records == 100
    with pytest.raises(BadInput, match="replay it when over"):
        look(files, over - timedelta(minutes=9))


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file"), (b"nothing here\n", "no trade frames"), (b"", "no trade frames")],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "day.txt"
    if content is not None:
        path.write_bytes(content)
    done = stockd("replay", str(path), scratch=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "day.txt" in done.stderr
