"""One MariaDB, one Redis and one broker in the middle, and hosts that run stockd around them."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from runtime.processes import bound_to_parent
from runtime.servers import MariaDBServer, RedisServer, free_port
from runtime.settings import MariaDb
from runtime.wiring import database_url
from simulator.keys import DATAGOKR_KEY, HTS_ID, customer
from tests.several.network import INSIDE, Namespace, Network

ROOT = Path(__file__).resolve().parents[2]
ASK = (
    "import sys, urllib.request as u;"
    "print(u.urlopen(u.Request(sys.argv[1], sys.argv[2].encode() or None), timeout=10)"
    ".read().decode())"
)
QUIET = ("--without-mingle", "--without-gossip", "-l", "INFO")


class Site:
    """The whole. ``start`` runs a process of a host; ``end`` ends all, whatever happened."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.network = Network(directory)
        self.processes: dict[tuple[str, str], subprocess.Popen[bytes]] = {}
        self.passwords = {role: secrets.token_urlsafe(16) for role in ROLES}
        self.mariadb = MariaDBServer(directory / "mariadb")
        self.redis = RedisServer(directory / "redis")
        self.broker_url = f"http://127.0.0.1:{free_port()}"
        self.root: sa.Engine = sa.create_engine("sqlite://")

    def up(self) -> None:
        """The servers in the middle, the tables made."""
        base = self.network.base
        self.mariadb.prepare()
        self.redis.prepare()
        # 0.0.0.0 of a namespace: two bridges that lead nowhere but to the hosts
        self.start(base, "mariadb", *self.mariadb.command(), "--bind-address=0.0.0.0")
        self.start(base, "redis", *self.redis.command(), "--bind", "0.0.0.0")
        self.start(
            base, "simulator", sys.executable, "-m", "simulator", "--scenario=calm",
            "--host=0.0.0.0", f"--rest-port={self._port}", "--ws-port=21000", "--sections=2",
            "--symbols=80", "--rate=400", "--set=cash=1000000000",
            f"--log={self.directory / 'broker'}",
        )  # fmt: skip
        self.mariadb.wait_ready(60)
        admin = sa.create_engine(self.mariadb.admin_url())
        migrate(admin, passwords=self.passwords)
        admin.dispose()
        self.root = make_engine(self.mariadb.admin_url("stockd"), autocommit=True)
        for host in self.network.hosts[1:]:
            self._settings(host)

    @property
    def _port(self) -> str:
        return self.broker_url.rsplit(":", 1)[1]

    def _settings(self, host: Namespace) -> None:
        """The same on every host, but for the host's own directory."""
        users = [customer(number) for number in (1, 2)]
        redis = self.redis.url().rsplit("/", 1)[0].replace("127.0.0.1", f"{INSIDE}.1")
        raw = {
            "kis": {
                "env": "real", "rest_url": f"http://simulator:{self._port}",
                "ws_url": "ws://simulator:21000", "hts_id": HTS_ID,
                "sections": [
                    {"app_key": o.app_key, "app_secret": o.app_secret, "account": o.account}
                    for o in users
                ],
            },
            "datagokr": {"url": f"http://simulator:{self._port}", "service_key": DATAGOKR_KEY},
            "mariadb": {
                "host": f"{INSIDE}.1", "port": self.mariadb.port, "passwords": self.passwords,
            },
            "redis": {"url": redis},
            "market": {"hours": "always"},
            "watch": {"symbols": sorted(self.ask("stocks"))[:80]},
            "local": {"directory": str(host.directory), "servers": "own"},
        }  # fmt: skip
        file = host.directory / "settings.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(raw), "utf-8")

    # -- processes ----------------------------------------------------------------------------

    def start(self, host: Namespace, name: str, *argv: str) -> None:
        """Run ``argv`` on ``host``; it ends with us."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("STOCKD_", "CELERY_"))}
        kept |= {"STOCKD_CONFIG": str(host.directory / "settings.json"), "PYTHONUNBUFFERED": "1"}
        with (host.directory / f"{name}.log").open("ab") as out:
            self.processes[host.name, name] = subprocess.Popen(
                bound_to_parent(host.within(*argv), "TERM"),
                cwd=ROOT, env=kept, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip

    def order_worker(self, host: Namespace) -> None:
        self._celery(host, "orders", "-Q", "orders", "-c", "1")

    def revive(self) -> None:
        """As a supervisor would: start order workers again that left (they lost their lease)."""
        for host in self.network.hosts:
            worker = self.processes.get((host.name, "orders"))
            if worker is not None and worker.poll() is not None:
                self.order_worker(host)

    def lost_its_lease(self, host: Namespace) -> int:
        """How often a host's order worker has seen that it is not the one any more, and left."""
        text = (host.directory / "orders.log").read_text("utf-8", "replace")
        return text.count("주문 실행권을 잃어")

    def all_else(self, host: Namespace, section: int) -> None:
        """One section's feed, a trader, polls and beat."""
        cli = (sys.executable, "-m", "cli")
        self.start(host, "market", *cli, "market", "--section", str(section))
        self.start(host, "trader", *cli, "trader")
        self._celery(host, "polls", "-Q", "confirm,assets,sweep", "-P", "threads", "-c", "4")
        self.start(
            host, "beat", sys.executable, "-m", "celery", "-A", "tasks", "beat", "--pidfile="
        )

    def _celery(self, host: Namespace, name: str, *options: str) -> None:
        self.start(
            host, name, sys.executable, "-m", "celery", "-A", "tasks", "worker", *options,
            "-n", f"{name}@{host.name}", *QUIET,
        )  # fmt: skip

    def end(self) -> None:
        """Everything at once; what does not go is killed with its children."""
        for one in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
        for one in self.processes.values():
            one.wait(10)
        self.root.dispose()
        self.network.end()

    # -- what is seen ---------------------------------------------------------------------------

    def ask(self, door: str, **body: Any) -> Any:
        """The simulator's control door, asked from where it stands. Waits for it to come up."""
        data = json.dumps(body) if body else ""
        argv = self.network.base.within(
            sys.executable, "-c", ASK, f"{self.broker_url}/_sim/{door}", data
        )
        ends = time.monotonic() + 30
        while True:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
            if done.returncode == 0:
                return json.loads(done.stdout)
            assert time.monotonic() < ends, done.stderr
            time.sleep(0.2)

    def orders(self) -> list[dict[str, Any]]:
        """Order calls as the broker saw them, in order: ``mono`` s, ``status`` …"""
        lines = (self.directory / "broker" / "calls.jsonl").read_text("utf-8").splitlines(True)
        calls = [json.loads(one) for one in lines if one.endswith("\n")]
        return [one for one in calls if one["path"].endswith("/order-cash")]

    def rows(self, query: str, **values: Any) -> list[Any]:
        with self.root.connect() as connection:
            return list(connection.execute(sa.text(query), values))

    def run(self, statement: str, **values: Any) -> None:
        with self.root.begin() as connection:
            connection.execute(sa.text(statement), values)

    def serving(self) -> str:
        """The host whose order worker has the lease, "" when nobody has."""
        rows = self.rows("SELECT holder FROM lease WHERE name = 'orders' AND expires_at > NOW(6)")
        return str(rows[0].holder).split(":")[0] if rows else ""

    def engine(self, role: str) -> sa.Engine:
        part = MariaDb(
            socket=self.mariadb.socket,
            passwords={name: SecretStr(value) for name, value in self.passwords.items()},
        )
        return make_engine(database_url(part, role))

    def words(self) -> str:
        """The ends of all logs, for a failure."""
        return "\n".join(
            f"--- {one.parent.name}/{one.name}\n{one.read_text('utf-8', 'replace')[-2500:]}"
            for one in sorted(self.directory.glob("host-*/*.log"))
        )
