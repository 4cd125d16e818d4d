"""``stockd bench sweep``: the whole market once, beside assets, confirmations and orders."""

from __future__ import annotations

import secrets
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from benchmarks.arrivals import codes, most_in_a_second
from benchmarks.private import Private, begin, private_servers, start_callers, told_of
from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from budget.tokens import RedisTokenStore
from db.engines import make_engine
from db.grants import ROLES, user_name
from db.heartbeat import Heartbeat
from db.migrate import migrate
from db.sweep import ages
from kis.auth import KisAuth
from kis.http import new_session
from kis.keys import Env, KisKey
from kis.quotes import KisQuotes
from kis.rest import KisRest
from runtime.servers import RedisServer
from runtime.sweep import Key, Sweep, Turn
from simulator.testing import RunningSimulator, start_simulator
from trading.clock import KST

SYMBOLS = 2850
BESIDE = {"assets": 1, "confirm": 1, "order": 1}  # callers of the fixed lanes during the sweep
UNENDING_S = 60.0


def run(seconds: float = 30.0, symbols: int = SYMBOLS, ceiling: int = 18) -> dict[str, Any]:
    """As many turns as fit into ``seconds``; ``sweep_seconds`` is the slowest of them."""
    knobs = {"ceiling": ceiling, "ledger_per_s": 0, "cash": 10**12}
    with (
        private_servers("sweep") as servers,
        start_simulator(frame_log=False, sections=1, symbols=symbols, rate=1.0, **knobs) as sim,
    ):
        return _run(sim, servers, seconds, ceiling)


def _run(sim: RunningSimulator, servers: Private, seconds: float, ceiling: int) -> dict[str, Any]:
    redis, scratch = servers.redis, servers.scratch
    admin = make_url(servers.mariadb.admin_url())
    passwords = {role: secrets.token_hex(8) for role in ROLES}
    migrate(make_engine(admin), passwords=passwords)
    user = {"username": user_name("sweep"), "password": passwords["sweep"], "database": "stockd"}
    engine = make_engine(admin.set(**user))
    one = sim.customers[0]
    store = connect(redis.url())
    lanes = Lanes(store, "bench", plan(ceiling))
    lanes.vouch()
    key = KisKey("bench", one.app_key, one.app_secret, one.account)
    auth = KisAuth(key, sim.rest_url, RedisTokenStore(store, scratch / "state"), lanes)
    auth.token()
    callers = lanes.plan.limits["sweep"]
    rest = KisRest(key, Env.REAL, sim.rest_url, auth, lanes, http=new_session(callers))
    sweep = Sweep(
        [Key(KisQuotes(rest), callers)], engine, Heartbeat(engine, "sweep", _now()), _now, 60.0
    )
    listed = list(sim.look("stocks"))
    beside = _beside(sim, redis, scratch, ceiling)
    turns: list[Turn] = []
    try:
        time.sleep(2.0)
        until = time.monotonic() + seconds
        while not turns or time.monotonic() < until:
            turns.append(sweep.turn(listed, ages(engine)))
            time.sleep(1.1)  # a turn starts with its lane free, as every ten seconds
    finally:
        beside.terminate()
        beside.wait(10)
        if beside.stdout is not None:
            beside.stdout.close()
    lines = sim.lines("calls")
    answers = codes(lines)
    return {
        "symbols": len(listed),
        "sweep_seconds": round(max(turn.seconds for turn in turns), 2),
        "turns": len(turns),
        "written_least": min(turn.written for turn in turns),
        "refused": answers["EGW00201"] + answers["EGW00215"],
        "ceiling": ceiling,
        "max_in_any_second": most_in_a_second(line["mono"] for line in lines),
        "calls_beside": sum(1 for line in lines if not line["path"].endswith("multprice")),
    }


def _beside(
    sim: RunningSimulator, redis: RedisServer, scratch: Path, ceiling: int
) -> subprocess.Popen[str]:
    own = {
        "seed": 1,
        "threads": BESIDE,
        "pace_s": {"order": 1.0},
        "skew_s": 0.0,
    }
    child = start_callers(told_of(sim, redis, scratch, ceiling, 0.0) | own)
    begin([child], UNENDING_S * 10)
    return child


def _now() -> datetime:
    return datetime.now(KST)
