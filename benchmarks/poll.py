"""``stockd bench poll``: the asset cycle as it runs, beat, queue, Celery worker, lanes and tables.

Counted from the rows: ``received_at`` of every snapshot a reader sees.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Engine, make_url

from benchmarks.arrivals import quantile
from benchmarks.private import ROOT, Private, private_servers
from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from budget.profiles import DEFAULT, profile
from db.assets import latest_poll
from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from kis.keys import KisKey
from runtime.servers import RedisServer
from runtime.settings import Redis
from simulator.testing import start_simulator

PERIOD_S = 10.0
LOOK_EVERY_S = 0.2


def run(seconds: float = 120.0, **knobs: Any) -> dict[str, Any]:
    """``knobs`` are the simulator's, e.g. ``spurious_rate=0.02, http_500=0.01``."""
    with (
        private_servers("poll") as servers,
        start_simulator(
            "demo", frame_log=False, sections=1, log=servers.scratch / "log", **knobs
        ) as sim,
    ):
        seen = _watch(sim.settings, servers, seconds)
        codes = [line["msg_cd"] for line in sim.lines("calls")]
    gaps = [(b - a).total_seconds() for a, b in pairwise(seen)]
    return {
        "cycles": len(seen),
        "gap_s_p50": round(quantile(gaps, 0.5), 3),
        "gap_s_p99": round(quantile(gaps, 0.99), 3),
        "missed_cycles": sum(max(0, round(gap / PERIOD_S) - 1) for gap in gaps),
        "refused_by_ledger": codes.count("EGW00215"),
        "refused_by_rate": codes.count("EGW00201"),
    }


def _watch(settings: dict[str, Any], servers: Private, seconds: float) -> list[datetime]:
    redis, mariadb, scratch = servers.redis, servers.mariadb, servers.scratch
    passwords = {role: f"bench-{role}" for role in ROLES}
    admin = make_url(mariadb.admin_url())
    migrate(make_engine(admin), passwords=passwords)
    _open_lanes(settings, redis)
    path = scratch / "settings.json"
    settings = settings | {
        "mariadb": {"socket": mariadb.socket, "passwords": passwords},
        "redis": {"url": redis.url(0).rsplit("/", 1)[0]},
        "local": {"directory": str(scratch / "state")},
    }
    settings["kis"]["env"] = "real"
    path.write_text(json.dumps(settings), encoding="utf-8")
    environment = {**os.environ, "STOCKD_CONFIG": str(path)}
    command = [sys.executable, "-m", "celery", "-A", "tasks"]
    worker = ["worker", "-Q", "assets", "-P", "threads", "-c", "2", "-n", "assets@bench"]
    quiet = {"cwd": ROOT, "env": environment, "stdout": subprocess.DEVNULL}
    with (scratch / "celery.log").open("wb") as log:
        children = [
            subprocess.Popen([*command, *part], stderr=log, **quiet)  # type: ignore[call-overload]
            for part in ([*worker, "--without-mingle", "--without-gossip"], ["beat"])
        ]
        try:
            return _look(make_engine(admin.set(database="stockd"), autocommit=True), seconds)
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(20)


def _open_lanes(settings: dict[str, Any], redis: RedisServer) -> None:
    """Redis and the simulator are new: no call is on its way, nobody need wait for one."""
    one = settings["kis"]["sections"][0]
    key = KisKey("bench", one["app_key"], "", one["account"])
    state = connect(redis.url(Redis().state_db))
    Lanes(state, key.key_id, plan(profile(DEFAULT).ceiling)).vouch()


def _look(engine: Engine, seconds: float) -> list[datetime]:
    seen: list[datetime] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        newest = latest_poll(engine)
        if newest is not None and (not seen or newest != seen[-1]):
            if not seen:
                until = time.monotonic() + seconds  # the first row starts the clock
            seen.append(newest)
        time.sleep(LOOK_EVERY_S)
    return seen
