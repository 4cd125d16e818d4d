"""A machine to be watched: the test run's own servers, a simulated broker, settings in a file."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import sqlalchemy as sa

from db.engines import make_engine
from runtime import orders, wiring
from simulator.testing import RunningSimulator, simulator_in_thread

EMPTIED = (
    "strike", "order_event", "notice", "fill", "condition_state", "order_gate", "lease",
    "guard_trip", "market", "asset_balance", "asset_position", "sweep_quote", "stock_day",
    "feed_gap", "daemon", "alarm", "watch", "listing", "lane",
    "stockd_condition", "stockd_condition_log", "stockd_halt",
)  # fmt: skip


class Rig:
    """The settings in force, the tables by hand, the simulated broker."""

    def __init__(
        self, servers: Any, simulator: RunningSimulator, tmp: Path, patch: pytest.MonkeyPatch
    ) -> None:
        self.servers, self.simulator, self.tmp, self._patch = servers, simulator, tmp, patch
        self.root = make_engine(servers.admin_url())
        self.file = tmp / "stockd.toml"
        for table in EMPTIED:
            self.run(f"TRUNCATE TABLE {table}")
        self.run("UPDATE event_head SET hash = REPEAT('0', 64)")
        # what each EVENT would have done by now on a server that has been up for a while
        for event in ("ev_bar_minute", "ev_asset_history", "ev_partitions"):
            self.run("CALL event_ended(:e, NOW(6), 0)", e=event)

    def settings(self, **environment: str) -> None:
        """Write the file anew and read it; ``environment`` on top, e.g. KIS__HTS_ID="x"."""
        self.file.touch(mode=0o600)
        self.file.write_text(
            self.simulator.settings_toml
            + f'[mariadb]\nsocket = "{self.servers.mariadb.socket}"\n[mariadb.passwords]\n'
            + "".join(f'{role} = "{word}"\n' for role, word in self.servers.passwords.items())
            + f'[redis]\nurl = "{self.servers.redis.url().rsplit("/", 1)[0]}"\n'
            + f'[local]\ndirectory = "{self.tmp}"\n',
            "utf-8",
        )
        for name in [one for one in os.environ if one.startswith("STOCKD_")]:
            self._patch.delenv(name)
        for name, value in {"CONFIG": str(self.file), "KIS__ENV": "real", **environment}.items():
            self._patch.setenv(f"STOCKD_{name}", value)
        wiring.forget()
        orders.forget()

    def run(self, statement: str, **values: Any) -> Any:
        with self.root.begin() as connection:
            return connection.execute(sa.text(statement), values)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.root.connect() as connection:
            return list(connection.execute(sa.text(statement), values))

    def redis(self, database: int = 1) -> redis_py.Redis:
        return redis_py.Redis.from_url(wiring.redis_url(database))

    def arm(self, symbol: str, **more: Any) -> int:
        row = {
            "owner": "cli", "symbol": symbol, "side": "BUY", "trigger_op": "LE",
            "strike_price": 10_000, "quantity": 1, "enabled": 1, "arm_no": 1, "created_by": "cli",
            "updated_by": "cli", **more,
        }  # fmt: skip
        done = self.run(
            f"INSERT INTO stockd_condition ({', '.join(row)}, created_at, updated_at)"
            f" VALUES ({', '.join(':' + name for name in row)}, NOW(6), NOW(6))",
            **row,
        )
        return int(done.lastrowid)


@pytest.fixture
def rig(servers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Everything in order."""
    tmp_path.chmod(0o700)
    with simulator_in_thread(sections=1, symbols=20) as simulator:
        made = Rig(servers, simulator, tmp_path, monkeypatch)
        made.settings()
        for number in (0, 1):
            made.redis(number).flushdb()
        wiring.lanes().vouch()
        yield made
        made.root.dispose()
    wiring.forget()
    orders.forget()


@pytest.fixture
def receiver() -> Iterator[Any]:
    """A web server that keeps what is sent to it: ``url`` for apprise, ``got`` the messages."""
    got: list[dict[str, Any]] = []
    pings: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            pings.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.got, server.pings = got, pings  # type: ignore[attr-defined]
    server.url = f"json://127.0.0.1:{server.server_port}/alarm"  # type: ignore[attr-defined]
    server.ping_url = f"http://127.0.0.1:{server.server_port}/ping"  # type: ignore[attr-defined]
    yield server
    server.shutdown()
    server.server_close()


Maker = Callable[..., Any]
