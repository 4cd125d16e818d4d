"""By hand: `python -m tests.several.failover`. What a failover loses, counted on private servers.

A MariaDB and a Redis, each with a replica, in a temporary directory, on loopback. Commits and
permits go on at full speed; the primary is killed -9; the replica is promoted as docs/machines.md
says; what was acknowledged and is not there is counted. One line of JSON a round.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import redis as redis_py
import sqlalchemy as sa

from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from runtime.servers import MariaDBServer, RedisServer
from trading.errors import StockdError

WRITERS, WRITE_S, STALL_S = 4, 3.0, 1.0


class Node(MariaDBServer):
    """A MariaDB with a binary log. ``more``: options of this round."""

    def __init__(self, directory: Path, number: int, *more: str) -> None:
        super().__init__(directory)
        self._more = [
            f"--server-id={number}", "--log-bin=stockd", "--binlog-format=ROW",
            "--gtid-strict-mode=ON", "--sync-binlog=1", *more,
        ]  # fmt: skip

    def command(self) -> list[str]:
        return [*super().command(), *self._more]


class RedisNode(RedisServer):
    def __init__(self, directory: Path, *more: str) -> None:
        super().__init__(directory)
        self._more = list(more)

    def command(self) -> list[str]:
        return [*super().command(), *self._more]


def mariadb(directory: Path, *, semi_sync: bool, stall: bool) -> dict[str, Any]:
    """Commits acknowledged by a primary that died, and those of them the promoted replica lacks."""
    semi = "--rpl-semi-sync-slave-enabled=ON" if semi_sync else "--loose-x=0"
    one, two = Node(directory / "one", 1), Node(directory / "two", 2, semi)
    engines: list[sa.Engine] = []
    try:
        for server in (one, two):
            server.start(bound=True)
            server.wait_ready()
        word = secrets.token_urlsafe(12)
        admin, other = (make_engine(o.admin_url(), autocommit=True) for o in (one, two))
        engines += [admin, other]
        _run(admin, f"CREATE USER repl@'%' IDENTIFIED BY '{word}'",
             "GRANT REPLICATION SLAVE ON *.* TO repl@'%'")  # fmt: skip
        passwords = {role: secrets.token_urlsafe(12) for role in ROLES}
        migrate(admin, passwords=passwords)
        _run(other, f"CHANGE MASTER TO master_host='127.0.0.1', master_port={one.port},"
             f" master_user='repl', master_password='{word}', master_use_gtid=slave_pos",
             "START SLAVE")  # fmt: skip
        _caught_up(admin, other)
        if semi_sync:
            _run(admin, "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'",
                 "SET GLOBAL rpl_semi_sync_master_timeout = 4000000000",
                 "SET GLOBAL rpl_semi_sync_master_enabled = ON")  # fmt: skip
        url = one.admin_url("stockd")
        done = _write_until_killed(url, one, other if stall else None)
        killed = time.monotonic()
        _drained(other)
        _run(other, "STOP SLAVE", "RESET SLAVE ALL", "SET GLOBAL read_only = OFF")
        here = {row[0] for row in _rows(other, "SELECT symbol FROM stockd.watch")}
        states = "SELECT status, COUNT(*) FROM information_schema.events GROUP BY status"
        before = {row[0]: row[1] for row in _rows(other, states)}
        migrate(other, passwords=passwords)
        return {
            "round": f"mariadb {'semi-sync' if semi_sync else 'async'}"
            + (f", replica cut off for {STALL_S:g} s" if stall else ""),
            "acknowledged": len(done),
            "lost": len(done - here),
            "on_replica_unacknowledged": len(here - done),
            "events_before": before,
            "events_after": {row[0]: row[1] for row in _rows(other, states)},
            "promoted_after_s": round(time.monotonic() - killed, 2),
        }
    finally:
        for engine in engines:
            engine.dispose()
        for server in (two, one):
            server.stop()


def _write_until_killed(url: str, primary: Node, cut: sa.Engine | None) -> set[str]:
    """Symbols whose commit was acknowledged. ``cut``: this replica hears nothing at the end."""
    done: set[str] = set()

    def write(number: int) -> None:
        engine = make_engine(url)
        count = 0
        with suppress(sa.exc.SQLAlchemyError):
            while True:
                symbol = f"{number}{count:05d}"
                with engine.begin() as connection:
                    connection.execute(
                        sa.text("INSERT INTO watch VALUES (:s, 'drill', NOW(6))"), {"s": symbol}
                    )
                done.add(symbol)
                count += 1
        engine.dispose()

    threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(WRITERS)]
    for one in threads:
        one.start()
    time.sleep(WRITE_S)
    if cut is not None:
        _run(cut, "STOP SLAVE IO_THREAD")
        time.sleep(STALL_S)
    primary.kill()
    for one in threads:
        one.join(30)
    return set(done)


def redis(directory: Path, *, stall: bool) -> dict[str, Any]:
    """Permits of 18 a second across a promotion: the most in any second, and when they went on."""
    one = RedisNode(directory / "r1", "--min-replicas-to-write", "1", "--min-replicas-max-lag", "2")
    two = RedisNode(directory / "r2")
    try:
        for server in (one, two):
            server.start(bound=True)
            server.wait_ready()
        follower = redis_py.Redis.from_url(two.url())
        follower.config_set("masterauth", one.password)
        follower.execute_command("REPLICAOF", "127.0.0.1", one.port)
        _wait(lambda: follower.info("replication")["master_link_status"] == "up")
        now = [connect(one.url())]
        granted, errors, over = [], [], threading.Event()

        def call() -> None:
            while not over.is_set():
                lanes = Lanes(now[0], "drill-key", plan(18), account="drill")
                try:
                    lanes.acquire("sweep", 1.0).done()
                    granted.append(time.monotonic())
                except StockdError as error:
                    errors.append(type(error).__name__)
                    time.sleep(0.02)

        Lanes(now[0], "drill-key", plan(18), account="drill").vouch()
        _wait(lambda: int(follower.dbsize()) > 0)
        threads = [threading.Thread(target=call, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(WRITE_S)
        if stall and two.pid:
            os.kill(two.pid, signal.SIGSTOP)
            time.sleep(STALL_S)
        one.kill()
        killed = time.monotonic()
        if stall and two.pid:
            os.kill(two.pid, signal.SIGCONT)
        follower.execute_command("REPLICAOF", "NO", "ONE")
        now[0] = connect(two.url())
        _wait(lambda: granted and granted[-1] > killed + 3, 40)
        over.set()
        for thread in threads:
            thread.join(5)
        granted.sort()
        most = max(bisect_left(granted, at + 1.0) - i for i, at in enumerate(granted))
        return {
            "round": f"redis{f', replica stalled for {STALL_S:g} s' if stall else ''}",
            "permits": len(granted),
            "sweep_places": plan(18).limits["sweep"],
            "most_in_any_second": most,
            "longest_without_s": round(max(b - a for a, b in pairwise(granted)), 2),
            "errors": {name: errors.count(name) for name in set(errors)},
        }
    finally:
        for server in (two, one):
            server.stop()


def _run(engine: sa.Engine, *statements: str) -> None:
    with engine.connect() as connection:
        for one in statements:
            connection.execute(sa.text(one))


def _rows(engine: sa.Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query)))


def _caught_up(primary: sa.Engine, replica: sa.Engine) -> None:
    position = _rows(primary, "SELECT @@gtid_binlog_pos")[0][0]
    assert _rows(replica, f"SELECT MASTER_GTID_WAIT('{position}', 60)")[0][0] == 0


def _drained(replica: sa.Engine) -> None:
    """What has arrived at the replica is applied; what has not never will be."""

    def status() -> Any:
        return _rows(replica, "SHOW SLAVE STATUS")[0]._mapping

    _wait(lambda: status()["Slave_IO_Running"] != "Yes", 90)
    _wait(lambda: "has read all relay log" in str(status()["Slave_SQL_Running_State"]), 90)


def _wait(seen: Callable[[], Any], seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


def main() -> int:
    rounds: tuple[tuple[str, Callable[[Path], dict[str, Any]]], ...] = (
        ("a", lambda d: mariadb(d, semi_sync=False, stall=False)),
        ("b", lambda d: mariadb(d, semi_sync=False, stall=True)),
        ("c", lambda d: mariadb(d, semi_sync=True, stall=True)),
        ("d", lambda d: redis(d, stall=False)),
        ("e", lambda d: redis(d, stall=True)),
    )
    with tempfile.TemporaryDirectory(prefix="stockd-failover-") as scratch:
        for name, work in rounds:
            directory = Path(scratch) / name
            directory.mkdir()
            print(json.dumps(work(directory)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
