"""A second beat by mistake and a beat that is killed: the account is still polled once a turn."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from db.tables import asset_balance
from kis.keys import KisKey
from simulator.testing import RunningSimulator

ROOT = Path(__file__).resolve().parents[2]


def start(environment: dict[str, str], log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tasks", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )


def polls_of(sim: RunningSimulator) -> list[float]:
    """When the broker was asked for the holdings: once a cycle."""
    lines = sim.lines("calls")
    return [line["mono"] for line in lines if line["path"].endswith("inquire-balance")]


def wait_for_polls(sim: RunningSimulator, count: int, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while len(polls_of(sim)) < count and time.monotonic() < until:
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_two_beats_and_a_killed_one_poll_the_account_once_a_turn(  # type: ignore[no-untyped-def]
    broker, tables, servers, redis_url: str, tmp_path: Path
) -> None:
    sim = broker(ledger_per_s=0)
    settings = sim.settings | {
        "mariadb": {
            "socket": servers.mariadb.socket,
            "database": tables.name,
            "user_prefix": tables.prefix,
            "passwords": {"assets": "pw-assets"},
        },
        "redis": {"url": redis_url.rsplit("/", 1)[0], "broker_db": 13, "state_db": 14},
        "local": {"directory": str(tmp_path / "stockd")},
    }
    settings["kis"]["env"] = "real"
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    # a Redis that has just started would hold the first cycle back for nine seconds
    state = connect(f"{settings['redis']['url']}/14")
    key = KisKey("test", sim.customers[0].app_key, "", sim.customers[0].account)
    Lanes(state, key.key_id, plan(18)).vouch()
    environment = {**os.environ, "STOCKD_CONFIG": str(path)}
    log = tmp_path / "celery.log"
    worker = ("worker", "-Q", "assets", "-P", "threads", "-c", "2", "--without-gossip")
    children = [start(environment, log, *worker, "--without-mingle", "-n", "assets@test")]
    for number in (1, 2):
        children.append(start(environment, log, "beat", "-s", str(tmp_path / f"beat-{number}")))
    try:
        wait_for_polls(sim, 1)
        children[1].send_signal(signal.SIGKILL)
        children.append(start(environment, log, "beat", "-s", str(tmp_path / "beat-1")))
        wait_for_polls(sim, 3)
        time.sleep(2)  # a double would follow at once
    finally:
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            child.wait(20)
    polls = polls_of(sim)
    gaps = [b - a for a, b in pairwise(polls)]
    state.flushdb()
    print(gaps, log.read_text(encoding="utf-8")[-2000:])
    assert len(polls) >= 3
    assert all(gap > 4.0 for gap in gaps), "never two of one turn"
    with tables.engine("reader").connect() as connection:
        assert connection.execute(select(asset_balance.c.received_at)).all()
    text = log.read_text(encoding="utf-8")
    for one in sim.customers:
        for secret in (one.app_key, one.app_secret, one.account):
            assert secret not in text
