"""The checks. Each returns what it found or raises; a fault says what is wrong and what to do."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from budget.connect import connect
from db.migrate import check as check_schema
from db.migrate import event_scheduler_is_on
from runtime import wiring
from runtime.settings import load_settings
from trading.errors import StockdError

ROLES_NEEDED = ("market", "trader", "orders", "assets", "sweep", "site", "desk", "reader")
CLOCK_OFF_S = 0.5
DISK_FREE_GB = 2.0
PINS = {"celery": "5.7.", "kombu": "5.7."}


class Fault(Exception):
    """Something is not as it must be: ``what``, and ``remedy``."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check."""

    name: str
    ok: bool
    said: str


def settings() -> str:
    known = load_settings()
    if not known.kis.sections:
        raise Fault("kis.sections is empty", "write an app key into stockd.toml")
    if not known.kis.hts_id:
        raise Fault("kis.hts_id is empty", "without it no fill notice comes")
    stocks = len(known.watch.symbols)
    room = 40 * len(known.kis.sections)
    if stocks > room:
        raise Fault(
            f"watch.symbols has {stocks}", f"{len(known.kis.sections)} sections hold {room}"
        )
    return (
        f"{len(known.kis.sections)} sections, {stocks} stocks, {known.kis.calls_per_second} calls/s"
    )


def money() -> str:
    from runtime.orders import check_two_switches  # noqa: PLC0415

    return "REAL MONEY" if check_two_switches(load_settings()) else "paper or simulator"


def mariadb() -> str:
    engine = wiring.engine("reader")
    version = check_schema(engine)
    if not event_scheduler_is_on(engine):
        raise Fault("event_scheduler is OFF", "set event_scheduler=ON in the server's my.cnf")
    with engine.connect() as connection:
        server, flush = connection.execute(
            sa.text("SELECT VERSION(), @@innodb_flush_log_at_trx_commit")
        ).one()
    if flush != 1:
        raise Fault(f"innodb_flush_log_at_trx_commit={flush}", "1: a claim must survive a crash")
    return f"{server}, schema {version}, events on"


def users() -> str:
    for role in ROLES_NEEDED:
        with wiring.engine(role).connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    return f"{len(ROLES_NEEDED)} users sign in"


def redis() -> str:
    known = load_settings().redis
    client = connect(wiring.redis_url(known.state_db))
    policy = client.config_get("maxmemory-policy")["maxmemory-policy"]
    kept = client.config_get("appendonly")["appendonly"]
    version = str(client.info("server")["redis_version"])
    if policy != "noeviction":
        raise Fault(f"maxmemory-policy {policy}", "noeviction: Redis must not forget queues")
    if kept != "yes":
        raise Fault(f"appendonly {kept}", "yes: queues and the budget must survive a restart")
    if tuple(int(part) for part in version.split(".")[:2]) < (6, 2):
        raise Fault(f"Redis {version}", "6.2 or newer")
    return f"Redis {version}, {policy}, appendonly {kept}"


def clock() -> str:
    before = time.time()
    with wiring.engine("reader").connect() as connection:
        there = float(connection.scalar(sa.text("SELECT UNIX_TIMESTAMP(NOW(6))")) or 0)
    off = there - (before + time.time()) / 2
    if abs(off) > CLOCK_OFF_S:
        raise Fault(f"MariaDB's clock is {off:+.3f} s off", "run an NTP client on both machines")
    return f"MariaDB {off * 1000:+.1f} ms"


def versions() -> str:
    for name, wanted in PINS.items():
        found = importlib.metadata.version(name)
        if not found.startswith(wanted):
            raise Fault(f"{name} {found}", f"{wanted}x: others pace differently")
    return f"Python {sys.version.split()[0]}, celery {importlib.metadata.version('celery')}"


def disk() -> str:
    free = shutil.disk_usage(Path(load_settings().local.directory).absolute().parent).free / 1e9
    if free < DISK_FREE_GB:
        raise Fault(f"{free:.1f} GB free", f"{DISK_FREE_GB:g} GB at least: a full disk stops all")
    return f"{free:.0f} GB free"


CHECKS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "money": money,
    "mariadb": mariadb,
    "users": users,
    "redis": redis,
    "clock": clock,
    "versions": versions,
    "disk": disk,
}


def examine(checks: dict[str, Callable[[], str]] | None = None) -> list[Finding]:
    """Run every check; one that fails does not keep the others from being made."""
    findings = []
    for name, check in (checks or CHECKS).items():
        try:
            findings.append(Finding(name, True, check()))
        except (Fault, StockdError, SQLAlchemyError, OSError) as error:
            findings.append(Finding(name, False, str(error).splitlines()[0]))
        except Exception as error:  # noqa: BLE001  a check that breaks is a finding too
            findings.append(Finding(name, False, f"{type(error).__name__}: {error}"))
    return findings
