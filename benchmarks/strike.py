"""``stockd bench strike``: a tick that crosses → the order call received by the simulator.

Through the websocket, the market daemon, MariaDB, the trader, the ledger's commit, Redis and the
Celery worker, with 5,000 ticks/s of other traffic. One strike at a time: each is the first order of
a burst. Both ends are the simulator's own stamps (``frames.jsonl``, ``calls.jsonl``).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.arrivals import quantile
from benchmarks.private import ROOT, Private, private_servers
from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from simulator.testing import RunningSimulator, start_simulator
from trading.price_step import price_step

WORKER = (
    "-m", "celery", "-A", "tasks", "worker", "-Q", "orders", "-c", "1",
    "--without-mingle", "--without-gossip", "-l", "WARNING",
)  # fmt: skip

# of one strike: tick sent → read by the daemon → strike written → order claimed → call received
STAGES = ("tick_read", "strike_written", "order_claimed", "call_received")
_STAMPS = """
SELECT UNIX_TIMESTAMP(tick_received_at), UNIX_TIMESTAMP(fired_at), UNIX_TIMESTAMP(claimed_at)
FROM strike ORDER BY id
"""


def run(strikes: int = 40, background: float = 5000.0, rehearsal_ms: int = 50) -> dict[str, Any]:
    """``background`` is the simulator's ticks a second over 40 stocks; ``rehearsal_ms`` as
    ``local.rehearsal_ms``."""
    with ExitStack() as stack:
        servers = stack.enter_context(private_servers("strike"))
        scratch = servers.scratch
        sim = stack.enter_context(
            start_simulator(
                "calm", sections=1, symbols=40, rate=background, cash=10**12, log=scratch / "log"
            )
        )
        environment = _environment(sim, servers, rehearsal_ms)
        # a Redis that has just started lets nobody call for a while; nobody has called before us
        vouch = "from runtime import wiring; wiring.lanes().vouch()"
        subprocess.run([sys.executable, "-c", vouch], cwd=ROOT, env=environment, check=True)
        for command in (("-m", "workers.market"), ("-m", "workers.trader"), WORKER):
            _start(stack, command, environment, scratch)
        root = make_engine(servers.mariadb.admin_url("stockd"))
        stack.callback(root.dispose)
        try:
            moments = _strike(sim, root, strikes)
        except RuntimeError as error:
            words = (scratch / "processes.log").read_text("utf-8", "replace")[-3000:]
            raise RuntimeError(f"{error}\n{words}") from None
        time.sleep(1.5)
        return _figures(sim, root, moments, background) | {"rehearsal_ms": rehearsal_ms}


def _environment(sim: RunningSimulator, servers: Private, rehearsal_ms: int) -> dict[str, str]:
    redis, mariadb, scratch = servers.redis, servers.mariadb, servers.scratch
    passwords = {role: f"bench-{role}" for role in ROLES}
    migrate(make_engine(mariadb.admin_url()), passwords=passwords)
    symbols = ", ".join(f'"{one}"' for one in sorted(sim.look("stocks"))[:40])
    path = scratch / "stockd.toml"
    path.write_text(
        sim.settings_toml.replace("[kis]", '[kis]\nenv = "real"', 1)
        + f'[mariadb]\nsocket = "{mariadb.socket}"\n[mariadb.passwords]\n'
        + "".join(f'{role} = "{word}"\n' for role, word in passwords.items())
        + f'[redis]\nurl = "{redis.url(0).rsplit("/", 1)[0]}"\n'
        + f'[local]\ndirectory = "{scratch / "state"}"\nrehearsal_ms = {rehearsal_ms}\n'
        + f"[watch]\nsymbols = [{symbols}]\n"
        + "[trade]\norder_amount = 1000000000\nstock_amount = 100000000000\n"
        + "day_amount = 100000000000\nday_orders = 10000\nassets_age_s = 3600\n",
        "utf-8",
    )
    path.chmod(0o600)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STOCKD_")}
    return kept | {"STOCKD_CONFIG": str(path)}


def _start(
    stack: ExitStack, command: tuple[str, ...], environment: dict[str, str], scratch: Path
) -> None:
    out = stack.enter_context((scratch / "processes.log").open("ab"))
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        stdout=out,
        stderr=out,
        start_new_session=True,
    )

    def end() -> None:
        process.terminate()
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    stack.callback(end)


def _strike(sim: RunningSimulator, root: sa.Engine, strikes: int) -> list[tuple[str, float]]:
    """(symbol, CLOCK_MONOTONIC when its price was pushed over), one after the other."""
    _until(lambda: _one(root, "SELECT COUNT(*) FROM market WHERE price > 0") >= 30, 40)
    _until(lambda: _one(root, "SELECT COUNT(*) FROM lease WHERE expires_at > NOW(6)") == 1, 40)
    time.sleep(3.0)  # the worker compares ledger and broker, the publisher warms up
    _run(
        root,
        "INSERT INTO asset_balance (account, deposit, deposit_d1, deposit_d2, orderable_cash,"
        " securities_value, total_value, net_assets, cost, profit, bought_today, sold_today,"
        " fees_today, snapshot_no, received_at) SELECT 'section-1', 0, 0, 1e12, 1e12, 0, 0, 0, 0,"
        " 0, 0, 0, 0, 1, NOW(6)",
    )
    symbols = sorted(sim.look("stocks"))[:40]
    moments = []
    for number in range(strikes):
        symbol = symbols[number % len(symbols)]
        price = _one(root, "SELECT price FROM market WHERE symbol = :s", s=symbol)
        below = _grid(int(price * 0.97))
        _run(
            root,
            "INSERT INTO stockd_condition (owner, symbol, side, trigger_op, strike_price,"
            " order_kind, quantity, enabled, arm_no, created_by, updated_by, created_at,"
            " updated_at)"
            " VALUES ('bench', :s, 'BUY', 'LE', :p, 'MARKET', 1, 1, 1, 'b', 'b', NOW(6), NOW(6))",
            s=symbol, p=below,
        )  # fmt: skip
        time.sleep(0.2)
        done = number + 1
        moments.append((symbol, time.monotonic()))
        sim.control("price", symbol=symbol, price=below, hold_s=1)
        _until(lambda done=done: _one(root, "SELECT COUNT(answered_at) FROM strike") >= done, 20)  # type: ignore[misc]
        time.sleep(1.15)  # the gate is open again: the next one is a first one too
    return moments


def _figures(
    sim: RunningSimulator, root: sa.Engine, moments: list[tuple[str, float]], background: float
) -> dict[str, Any]:
    calls = [one for one in sim.lines("calls") if one["path"].endswith("/order-cash")]
    frames = [
        (one["mono"], one["frame"]) for one in sim.lines("frames") if "H0STCNT0" in one["frame"]
    ]
    ms, stages = [], []
    with root.connect() as connection:
        rows = connection.execute(sa.text(_STAMPS)).all()
    unix = time.time() - time.monotonic()  # the tables' clock beside the simulator's
    for (symbol, pushed), call, row in zip(moments, calls, rows, strict=True):
        sent = next(m for m, text in frames if m >= pushed and symbol in text)
        ms.append((call["mono"] - sent) * 1000)
        stamps = (sent + unix, *map(float, row), call["mono"] + unix)
        stages.append([1000 * (b - a) for a, b in pairwise(stamps)])
    gaps = [b["mono"] - a["mono"] for a, b in pairwise(calls)]
    return {
        "p50_ms": round(quantile(ms, 0.5), 2),
        "p99_ms": round(quantile(ms, 0.99), 2),
        "max_ms": round(max(ms), 2),
        "strikes": len(calls),
        "background_ticks_per_s": background,
        "min_order_gap_s": round(min(gaps), 4),
        "stages_ms_p50": {
            name: round(quantile(list(one), 0.5), 2)
            for name, one in zip(STAGES, zip(*stages, strict=True), strict=True)
        },
    }


def _grid(price: int) -> int:
    return price // price_step(price) * price_step(price)


def _one(root: sa.Engine, statement: str, **values: Any) -> Any:
    with root.connect() as connection:
        return connection.scalar(sa.text(statement), values)


def _run(root: sa.Engine, statement: str, **values: Any) -> None:
    with root.begin() as connection:
        connection.execute(sa.text(statement), values)


def _until(condition: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"did not happen within {seconds} s")
        time.sleep(0.005)
