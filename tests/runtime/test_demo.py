"""The whole machine moves: from an empty directory to fills in the ledger, back after kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLED = ("market", "trader", "worker-orders", "beat", "redis", "mariadb")
WHOLE_AGAIN_S = 30.0  # promised for each (issue: the whole machine moves)


class Demo:
    """A `stockd demo` in a directory of its own."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.directory = directory
        kept = {k: v for k, v in os.environ.items() if not k.startswith("STOCKD_")}
        self.environ = kept | {"STOCKD_LOCAL__DIRECTORY": str(directory), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cli", "demo", "--sections", "2", "--json", *options],
            cwd=directory,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stockd(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli", *args],
            cwd=self.directory, env=self.environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def status(self) -> dict[str, dict[str, Any]]:
        """Process by name; {} while it comes up."""
        try:
            found = json.loads(self.stockd("status", "--json").stdout or "{}")
        except ValueError:
            return {}
        return {one["name"]: one for one in found.get("processes", ())}

    def wait_whole(self, timeout: float, instead: dict[str, int] | None = None) -> float:
        """Seconds until every process runs, those of ``instead`` under another pid."""
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            found = self.status()
            running = bool(found) and all(one["state"] == "RUNNING" for one in found.values())
            new = all(found.get(n, {}).get("pid") != pid for n, pid in (instead or {}).items())
            if running and new:
                return time.monotonic() - began
            time.sleep(0.5)
        pytest.fail(f"not whole after {timeout} s: {found}\n{self.process.poll()}")

    def finish(self, timeout: float) -> tuple[dict[str, Any], str]:
        """Its JSON object and what it said meanwhile."""
        out, err = self.process.communicate(timeout=timeout)
        return json.loads(out.strip().splitlines()[-1]), err

    def left_behind(self) -> list[str]:
        """Processes that still speak of our directory."""
        found = []
        for process in psutil.process_iter(["pid", "cmdline"]):
            line = " ".join(process.info["cmdline"] or ())
            if str(self.directory) in line:
                found.append(line)
        return found


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for process in psutil.process_iter(["cmdline"]):  # only what a failed test of ours has left
        if str(tmp_path) in " ".join(process.info["cmdline"] or ()):
            process.kill()


@pytest.mark.slow
def test_the_demo_ends_with_orders_filled_one_second_apart_and_leaves_nothing(
    directory: Path,
) -> None:
    demo = Demo(directory, "--seconds", "40")
    demo.wait_whole(40)
    second = demo.stockd("demo", "--seconds", "5")
    assert second.returncode == 2
    assert "already" in second.stderr
    url = demo.stockd("db", "url", "--role", "reader").stdout
    assert url.startswith("mysql+pymysql://stockd_reader:")
    result, said = demo.finish(100)
    print(json.dumps(result, ensure_ascii=False, indent=1))
    assert result["faults"] == [], said
    assert demo.process.returncode == 0
    assert result["ok"] is True
    assert result["market_rows"] == result["symbols"] == 80
    assert result["orders_at_broker"] >= 5
    assert result["duplicate_orders"] == 0
    assert result["min_order_gap_s"] >= 1.0
    assert result["fills_in_ledger"] == result["fills"] > 0
    assert result["refused_by_rate"] == 0
    assert demo.left_behind() == []
    assert list(directory.iterdir()) == [], "the demo leaves nothing behind"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_parts_come_back_by_themselves(directory: Path) -> None:
    demo = Demo(directory, "--rate", "300", "--keep")
    demo.wait_whole(40)
    for name in KILLED:
        pid = demo.status()[name]["pid"]
        os.kill(pid, signal.SIGKILL)
        took = demo.wait_whole(WHOLE_AGAIN_S, {name: pid})
        print(f"{name}: {took:.1f} s")
    demo.process.send_signal(signal.SIGTERM)
    result, _ = demo.finish(60)
    assert result["duplicate_orders"] == 0
    assert demo.process.returncode == 0, "a person ended it: no failure"
    assert demo.left_behind() == []
