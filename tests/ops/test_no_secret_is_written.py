"""Keys, tokens, account numbers and passwords stand in nothing that is written (P13).

The market daemon, the trader, two Celery workers, beat and the watchdog run against the simulated
broker at the chattiest log level, an error is provoked, and then all of it is searched: logs,
tables, Redis, files, what the commands print. The two places made for secrets are left out by name:
the settings file, and the token store (private files, and keys of Redis no page reads).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.tables import METADATA
from kis.auth import ACCESS, APPROVE
from runtime import wiring
from runtime.logs import secrets_of
from runtime.settings import load_settings
from trading.price_step import price_step

ROOT = Path(__file__).resolve().parents[2]
CELERY = ("-m", "celery", "-A", "tasks")
PROCESSES = {
    "market": ("-m", "cli", "market"),
    "trader": ("-m", "cli", "trader"),
    "watchdog": ("-m", "cli", "watchdog"),
    "worker": (*CELERY, "worker", "-Q", "assets,confirm", "-P", "threads", "-c", "2",
               "--without-mingle", "--without-gossip", "-l", "DEBUG"),
    "orders": (*CELERY, "worker", "-Q", "orders", "-P", "solo", "-n", "orders@%h",
               "--without-mingle", "--without-gossip", "-l", "DEBUG"),
    "beat": (*CELERY, "beat", "-l", "DEBUG", "--pidfile="),
}  # fmt: skip
COMMANDS = (
    ("config", "show"), ("config", "show", "--json"), ("doctor", "--json"), ("budget", "--json"),
    ("condition", "list"), ("ledger", "verify"), ("status", "--json"),
)  # fmt: skip
PLANTED = {"webhook": "Wh00kTokenOfTheMessenger", "ping": "p1ngTokenOfTheSwitch"}


def secrets() -> dict[str, str]:
    """Every secret of this run by what it is."""
    found = {f"setting {n}": one for n, one in enumerate(sorted(secrets_of(load_settings())))}
    store, key_id = wiring.token_store(), wiring.kis_key().key_id
    for kind in (ACCESS, APPROVE):
        held = store.get(kind, key_id)
        assert held is not None, f"the run has asked for its {kind}"
        found[kind] = held[0]
    found |= PLANTED
    found["redis"] = wiring.redis_url(0).split(":")[2].partition("@")[0]
    return {what: one for what, one in found.items() if len(one) >= 6}


def everything(rig: Any, printed: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(where, text) of all that was written."""
    yield from printed.items()
    for file in sorted(rig.tmp.rglob("*")):
        private = file == rig.file or "tokens" in file.parts or file.suffix == ".sock"
        if file.is_file() and not private:
            yield str(file.relative_to(rig.tmp)), file.read_bytes().decode("utf-8", "replace")
    for table in (*METADATA.tables, "stockd_condition", "stockd_condition_log", "stockd_halt"):
        rows = rig.rows(f"SELECT * FROM `{table}`")
        yield f"table {table}", "\n".join(repr(tuple(row)) for row in rows)
    for number in (0, 1):
        client = rig.redis(number)
        for key in client.scan_iter():
            if key.startswith(b"stockd:token:"):
                continue
            kind = client.type(key)
            read = {b"string": client.get, b"hash": client.hgetall, b"set": client.smembers}
            held = (
                client.lrange(key, 0, -1) if kind == b"list"
                else client.zrange(key, 0, -1) if kind == b"zset" else read[kind](key)
            )  # fmt: skip
            yield f"redis {number} {key!r}", f"{key!r} {held!r}"


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_planted_secrets_are_found_in_nothing_that_was_written(rig: Any, receiver: Any) -> None:
    symbols = list(rig.simulator.look("stocks"))[:5]
    rig.settings(
        LOG__LEVEL="debug", LOG__FORMAT="json", WATCH__SYMBOLS=",".join(symbols),
        ALARM__URLS=f"{receiver.url}/{PLANTED['webhook']}",
        ALARM__PING_URL=f"{receiver.ping_url}/{PLANTED['ping']}", MARKET__HOURS="always",
    )  # fmt: skip
    above = rig.simulator.look("stocks")[symbols[0]]["price"] * 102 // 100  # fires at once
    rig.arm(symbols[0], strike_price=above - above % price_step(above))
    logs = rig.tmp / "logs"
    logs.mkdir()
    running = []
    try:
        for name, argv in PROCESSES.items():
            with (logs / f"{name}.log").open("wb") as out:
                running.append(
                    subprocess.Popen([sys.executable, *argv], cwd=ROOT, stdout=out, stderr=out)
                )
        until = time.monotonic() + 90
        while time.monotonic() < until:
            done = rig.rows("SELECT (SELECT COUNT(*) FROM market WHERE price > 0) AS ticked,"
                            " (SELECT COUNT(*) FROM asset_balance) AS assets,"
                            " (SELECT COUNT(*) FROM strike WHERE order_no IS NOT NULL) AS orders"
                            )[0]  # fmt: skip
            if done.ticked and done.assets and done.orders:
                break
            time.sleep(0.5)
        rig.simulator.control("fault", expire_tokens=True, spurious_rate=0.5)  # errors have words
        time.sleep(5)
    finally:
        for one in running:
            one.terminate()
        for one in running:
            try:
                one.wait(15)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
    assert done.ticked, (logs / "market.log").read_text("utf-8")[-2000:]
    assert done.assets, (logs / "worker.log").read_text("utf-8")[-2000:]
    assert done.orders, (logs / "orders.log").read_text("utf-8")[-2000:]
    printed = {
        f"stockd {' '.join(command)}": _said(command) for command in COMMANDS
    }  # fmt: skip
    looked_for, places, found = secrets(), 0, []
    assert len(looked_for) >= 15
    for where, text in everything(rig, printed):
        places += 1
        found += [(where, what) for what, secret in looked_for.items() if secret in text]
    assert places > 40
    assert not found
    assert any(json.loads(line).get("who") == "market" for line in _lines(logs / "market.log"))


def _said(command: tuple[str, ...]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *command], cwd=ROOT, env=dict(os.environ),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def _lines(path: Path) -> list[str]:
    return [one for one in path.read_text("utf-8").splitlines() if one.startswith("{")]
