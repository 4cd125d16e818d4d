"""Servers and caller processes of a benchmark's own, gone when it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.servers import MariaDBServer, RedisServer
from simulator.testing import RunningSimulator

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Private:
    """A Redis and a MariaDB that answer, and a directory to write to."""

    redis: RedisServer
    mariadb: MariaDBServer
    scratch: Path


@contextmanager
def private_servers(name: str) -> Iterator[Private]:
    """Both servers, started empty and stopped afterwards. Unavailable when one does not start."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as scratch:
        redis = RedisServer(Path(scratch) / "redis")
        mariadb = MariaDBServer(Path(scratch) / "mariadb")
        try:
            redis.start()
            mariadb.start()
            redis.wait_ready()
            mariadb.wait_ready()
            yield Private(redis, mariadb, Path(scratch))
        finally:
            redis.stop()
            mariadb.stop()


def told_of(
    sim: RunningSimulator, redis: RedisServer, scratch: Path, ceiling: int, jitter_s: float
) -> dict[str, Any]:
    """What every process of callers (benchmarks/callers.py) is told of broker, key and budget."""
    one = sim.customers[0]
    return {
        "redis_url": redis.url(),
        "rest_url": sim.rest_url,
        "app_key": one.app_key,
        "app_secret": one.app_secret,
        "account": one.account,
        "state_dir": str(scratch / "state"),
        "ceiling": ceiling,
        "jitter_s": jitter_s,
    }


def start_callers(told: dict[str, Any]) -> subprocess.Popen[str]:
    """A process of callers that gets ready; its figures are what it prints in the end."""
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.callers"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if child.stdin is not None:
        child.stdin.write(json.dumps(told) + "\n")
        child.stdin.flush()
    return child


def begin(children: Sequence[subprocess.Popen[str]], seconds: float) -> tuple[float, float]:
    """Let all of them call from one moment on; (start, end), CLOCK_MONOTONIC.

    They are waited for: how long an interpreter takes to start is no part of any figure.
    """
    for child in children:
        if child.stdout is not None:
            child.stdout.readline()
    start = time.monotonic() + 0.2
    for child in children:
        if child.stdin is not None:
            child.stdin.write(json.dumps([start, start + seconds]))
            child.stdin.close()
    return start, start + seconds
