"""``stockd bench feed``: ticks sent at a fixed rate over five sections, until the row's commit.

Every tick counts: its latency is from its sending to the commit of the first row that carries its
number or a later one of its stock. Sender, daemon and MariaDB share the machine's cores.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import make_url, text

from benchmarks.feed_sender import STOCKS
from benchmarks.limit import limit_per_s
from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from runtime.servers import MariaDBServer
from trading.errors import BadInput

ROOT = Path(__file__).resolve().parent.parent
SETTLE_S = 1.5  # after the last tick, before the daemon is told to end
WARM_S = 1.0


def run(
    seconds: float = 20.0,
    rates: Sequence[int] = (5_000, 20_000, 50_000),
    sections: int = 5,
    rate: float | None = None,
) -> dict[str, Any]:
    """Figures of contract.md, one object a rate in ``runs``, the last one unpaced (``rate`` 0).

    ``rate`` alone is measured when it is given, without the unpaced run; BadInput when it leaves
    a stock of the 40 a section without a tick a second.
    ``ratio_limit`` of the unpaced run is what the daemon reaches of the bare limit; that of a paced
    one is the share it was asked for.
    """
    asked = (*rates, 0) if rate is None else (round(rate),)
    if any(0 < one < STOCKS * sections for one in asked):
        raise BadInput("--rate", min(asked), f"{STOCKS * sections} stocks, a tick a second each")
    with tempfile.TemporaryDirectory(prefix="stockd-bench-") as scratch:
        server = MariaDBServer(Path(scratch) / "db")
        server.start(bound=True)
        server.wait_ready()
        try:
            root = make_url(server.admin_url("stockd"))
            passwords = {role: f"pw-{role}" for role in ROLES}
            migrate(make_engine(server.admin_url("mysql")), database="stockd", passwords=passwords)
            user = root.set(
                database="stockd", username="stockd_market", password=passwords["market"]
            )
            limit = limit_per_s(user.render_as_string(hide_password=False))
            runs = [one_rate(one, seconds, sections, server, user, Path(scratch)) for one in asked]
        finally:
            server.stop()
    for one in runs:
        one["ratio_limit"] = round(one["ticks_per_s_in"] / limit, 3)
    return {"runs": runs, "limit_per_s": round(limit), "sections": sections}


def one_rate(  # noqa: PLR0917
    rate: int, seconds: float, sections: int, server: MariaDBServer, user: Any, scratch: Path
) -> dict[str, Any]:
    """Figures of one run: sender, daemon and ``server`` at ``rate`` ticks/s (0: as fast as read).

    ``user`` is the URL of the daemon's MariaDB user; TimeoutError when no tick arrives.
    """
    truth, seen = scratch / "truth.json", scratch / "seen.json"
    engine = make_engine(make_url(server.admin_url("stockd")), autocommit=True)
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM market"))
    args = [str(rate), str(seconds), str(sections), str(truth)]
    sender = _python("benchmarks.feed_sender", args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if sender.stdout is None:
        raise RuntimeError("the sender has no output")
    url = sender.stdout.readline().strip()
    db_url = user.render_as_string(hide_password=False)
    daemon = _python("benchmarks.feed_daemon", [url, db_url, str(sections), str(seen)])
    try:
        _wait_first_row(engine)
        time.sleep(WARM_S)
        watched = [psutil.Process(daemon.pid), psutil.Process(server.pid)]
        before, began = [_cpu(one) for one in watched], time.monotonic()
        rss_start = watched[0].memory_info().rss
        time.sleep(max(1.0, seconds - WARM_S - 1.0))
        spent = time.monotonic() - began
        cores = [(_cpu(one) - cpu) / spent for one, cpu in zip(watched, before, strict=True)]
        rss_end = watched[0].memory_info().rss
        sender.stdout.readline()
        time.sleep(SETTLE_S)
        daemon.terminate()
        daemon.wait(30)
    finally:
        daemon.kill()
        if sender.stdin is not None:
            sender.stdin.close()
        sender.wait(10)
    told, done = json.loads(truth.read_text("utf-8")), json.loads(seen.read_text("utf-8"))
    with engine.connect() as connection:
        prices = {
            row[0]: row[1] for row in connection.execute(text("SELECT symbol, price FROM market"))
        }
    engine.dispose()
    return _figures(rate, seconds, told, done, prices) | {
        "cores_daemon": round(cores[0], 3),
        "cores_mariadb": round(cores[1], 3),
        "rss_mb_start": round(rss_start / 1e6, 1),
        "rss_mb_end": round(rss_end / 1e6, 1),
    }


def _figures(
    rate: int, seconds: float, told: dict[str, Any], done: dict[str, Any], prices: dict[str, int]
) -> dict[str, Any]:
    sent: dict[str, list[float]] = {}
    for slot, at in enumerate(told["sent_at"]):
        for symbol in told["slots"][slot % len(told["slots"])]:
            sent.setdefault(symbol, []).append(at)
    latencies: list[float] = []
    covered = dict.fromkeys(sent, 0)
    for stock, seq, at in zip(done["stocks"], done["seqs"], done["times"], strict=True):
        symbol = done["symbols"][stock]
        upto = seq - done["base"][symbol]
        mine = sent.get(symbol, [])
        latencies += [at - mine[k] for k in range(covered.get(symbol, 0), min(upto, len(mine)))]
        covered[symbol] = upto
    latencies.sort()
    records = sum(len(times) for times in sent.values())
    span = told["sent_at"][-1] - told["sent_at"][0] or seconds
    return {
        "rate": rate,
        "ticks_per_s_in": round(records / span),
        "records_sent": records,
        "records_counted": done["taken"],
        "lost_latest": sum(prices.get(symbol) != price for symbol, price in told["last"].items()),
        "tick_to_row_ms_p50": round(1e3 * _at(latencies, 0.50), 3),
        "tick_to_row_ms_p99": round(1e3 * _at(latencies, 0.99), 3),
        "tick_to_row_ms_max": round(1e3 * latencies[-1], 3) if latencies else None,
        "rows_written": done["rows"],
        "statements": done["statements"],
    }


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _wait_first_row(engine: Any) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with engine.connect() as connection:
            if connection.scalar(text("SELECT COUNT(*) FROM market")):
                return
        time.sleep(0.05)
    raise TimeoutError("no tick reached the table within 60 s")


def _python(module: str, args: list[str], **streams: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", module, *args], cwd=ROOT, text=True, **streams)
