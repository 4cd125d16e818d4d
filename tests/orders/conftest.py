"""A machine for the order path: the real ledger, the real budget, the simulated broker's port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import sqlalchemy as sa

from db.engines import make_engine
from runtime import orders, wiring
from runtime.celeryapp import read_settings_again
from simulator.testing import RunningSimulator, start_simulator

ROOT = Path(__file__).resolve().parents[2]
EMPTIED = (
    "strike", "order_event", "notice", "fill", "condition_state", "order_gate", "lease",
    "guard_trip", "market", "asset_balance", "asset_position", "sweep_quote", "stock_day",
    "feed_gap",
    "stockd_condition", "stockd_condition_log", "stockd_halt",
)  # fmt: skip


@dataclass
class Book:
    """Hands on the tables, as the other processes and the site would write them."""

    root: sa.Engine
    engines: dict[str, sa.Engine] = field(default_factory=dict)

    def run(self, statement: str, **values: Any) -> Any:
        with self.root.begin() as connection:
            return connection.execute(sa.text(statement), values)

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.root.connect() as connection:
            return list(connection.execute(sa.text(statement), values))

    def empty(self) -> None:
        for table in EMPTIED:
            self.run(f"TRUNCATE TABLE {table}")
        self.run("UPDATE event_head SET hash = REPEAT('0', 64)")

    def tick(self, symbol: str, price: int, seq: int = 1, *, age_ms: int = 0) -> None:
        """A trade of ``symbol`` lands in ``market``."""
        self.run(
            "INSERT INTO market (symbol, section, seq, price, recent, received_at, traded_at,"
            " hour_class) VALUES (:s, 1, :seq, :p, :recent, NOW(6) - INTERVAL :age MICROSECOND,"
            " NOW(6) - INTERVAL :age MICROSECOND, '0') ON DUPLICATE KEY UPDATE"
            " recent = IF(:seq = market.seq + 1,"
            " SUBSTRING_INDEX(CONCAT(recent, ' ', :recent), ' ', -12), :recent),"
            " seq = :seq, price = :p,"
            " received_at = VALUES(received_at), traded_at = VALUES(traded_at)",
            s=symbol, seq=seq, p=price, recent=str(price), age=age_ms * 1000,
        )  # fmt: skip

    def money(self, account: str, cash: int = 100_000_000, **sellable: int) -> None:
        """The asset poll has just been here."""
        self.run(
            "REPLACE INTO asset_balance (account, deposit, deposit_d1, deposit_d2, orderable_cash,"
            " securities_value, total_value, net_assets, cost, profit, bought_today, sold_today,"
            " fees_today, snapshot_no, received_at) VALUES (:a, :c, :c, :c, :c, 0, :c, :c, 0, 0, 0,"
            " 0, 0, 1, NOW(6))",
            a=account, c=cash,
        )  # fmt: skip
        for symbol, shares in sellable.items():
            self.run(
                "REPLACE INTO asset_position (account, symbol, quantity, sellable, average_price,"
                " cost, price, value, profit, snapshot_no, received_at)"
                " VALUES (:a, :s, :n, :n, 1, 1, 1, 1, 0, 1, NOW(6))",
                a=account, s=symbol.strip("_"), n=shares,
            )  # fmt: skip

    def arm(self, symbol: str, strike_price: int, quantity: int = 10, **more: Any) -> int:
        """A person arms a new condition; its id."""
        row = {
            "owner": "cli", "symbol": symbol, "side": "BUY", "trigger_op": "LE",
            "strike_price": strike_price, "quantity": quantity, "enabled": 1, "arm_no": 1,
            "created_by": "cli", "updated_by": "cli", **more,
        }  # fmt: skip
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        done = self.run(
            f"INSERT INTO stockd_condition ({names}, created_at, updated_at)"
            f" VALUES ({values}, NOW(6), NOW(6))",
            **row,
        )
        return int(done.lastrowid)

    def strikes(self) -> list[Any]:
        return self.rows("SELECT * FROM strike ORDER BY id")

    def states(self) -> list[str]:
        return [row.state for row in self.strikes()]


@pytest.fixture
def book(servers: Any) -> Iterator[Book]:
    """Empty tables."""
    root = make_engine(servers.admin_url())
    made = Book(root)
    made.empty()
    yield made
    root.dispose()


@dataclass
class Machine:
    """The order path's settings in this process's environment, and its processes."""

    book: Book
    simulator: RunningSimulator
    environment: dict[str, str]
    account: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    log: Path = Path()

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.log / f"process-{len(self.processes)}.log").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT, env=self.environment, stdout=out, stderr=out, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def order_worker(self, name: str = "orders") -> subprocess.Popen[bytes]:
        return self.start(
            "-m", "celery", "-A", "tasks", "worker", "-Q", "orders", "-c", "1", "-n", f"{name}@%h",
            "--without-mingle", "--without-gossip", "-l", "INFO",
        )  # fmt: skip

    def trader(self) -> subprocess.Popen[bytes]:
        return self.start("-m", "workers.trader")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9 of a process and its children, as a power cut would."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def orders_at_broker(self) -> list[dict[str, Any]]:
        """Order calls that the simulator received, in order."""
        return [one for one in self.simulator.lines("calls") if one["path"].endswith("/order-cash")]

    def words(self) -> str:
        return "\n".join(
            f"--- {one.name}\n{one.read_text('utf-8', 'replace')[-4000:]}"
            for one in sorted(self.log.glob("process-*.log"))
        )

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill(process)


@pytest.fixture
def machine(
    servers: Any, book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Machine]]:
    """Start a simulator with these knobs and point the settings to it."""
    open_ones: list[tuple[Any, Machine]] = []

    def make(scenario: str = "calm", **knobs: Any) -> Machine:
        manager = start_simulator(scenario, **({"sections": 1, "symbols": 20} | knobs))
        simulator = manager.__enter__()
        settings = tmp_path / "stockd.toml"
        settings.write_text(
            simulator.settings_toml
            + f'[mariadb]\nsocket = "{servers.mariadb.socket}"\n[mariadb.passwords]\n'
            + "".join(f'{role} = "{word}"\n' for role, word in servers.passwords.items())
            + f'[redis]\nurl = "{servers.redis.url().rsplit("/", 1)[0]}"\n'
            + f'[local]\ndirectory = "{tmp_path}"\n',
            "utf-8",
        )
        settings.chmod(0o600)
        for name in [one for one in os.environ if one.startswith("STOCKD_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("STOCKD_CONFIG", str(settings))
        monkeypatch.setenv("STOCKD_KIS__ENV", "real")
        wiring.forget()
        orders.forget()
        read_settings_again()  # a test that ran before may have looked at the app
        for number in (0, 1):
            redis_py.Redis.from_url(wiring.redis_url(number)).flushdb()
        wiring.lanes().vouch()
        made = Machine(book, simulator, dict(os.environ), orders.account(), log=tmp_path)
        open_ones.append((manager, made))
        return made

    yield make
    for manager, made in open_ones:
        made.end()
        manager.__exit__(None, None, None)
    wiring.forget()
    orders.forget()
