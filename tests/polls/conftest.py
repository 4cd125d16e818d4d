"""The real broker's stand-in, a real Redis and a real MariaDB under one asset poll."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine, make_url, text

from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from budget.tokens import RedisTokenStore
from db.engines import make_engine
from db.grants import ROLES, user_name
from db.migrate import migrate
from kis.auth import KisAuth
from kis.keys import Env, KisKey
from kis.rest import KisRest
from simulator.testing import RunningSimulator, start_simulator
from trading.clock import KST

ROOT = Path(__file__).resolve().parents[2]
QUEUES_DB, STATE_DB = 13, 14  # of the shared Redis: ours alone


def now() -> datetime:
    return datetime.now(KST)


@dataclass
class Tables:
    """A migrated database of this test run; ``engine(role)`` signs in as that role."""

    admin: str
    name: str
    prefix: str

    def engine(self, role: str) -> Engine:
        url = make_url(self.admin).set(
            database=self.name, username=user_name(role, self.prefix), password=f"pw-{role}"
        )
        return make_engine(url, autocommit=False)


@pytest.fixture(scope="session")
def tables(servers) -> Iterator[Tables]:  # type: ignore[no-untyped-def]
    token = secrets.token_hex(3)
    made = Tables(servers.admin_url(), f"p_{token}", f"p_{token}_")
    admin = make_engine(make_url(made.admin).set(database=None))
    migrate(
        admin,
        database=made.name,
        passwords={role: f"pw-{role}" for role in ROLES},
        user_prefix=made.prefix,
    )
    yield made
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE `{made.name}`"))
        for role in ROLES:
            connection.execute(text(f"DROP USER IF EXISTS '{user_name(role, made.prefix)}'@'%'"))
    admin.dispose()


@pytest.fixture
def store(redis_url: str) -> Iterator[redis.Redis]:
    client = connect(redis_url)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Callable[..., RunningSimulator]]:
    """Starts a simulator with the knobs asked for; all end with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(**knobs: object) -> RunningSimulator:
            return stack.enter_context(
                start_simulator(log=tmp_path / "log", frame_log=False, sections=2, **knobs)  # type: ignore[arg-type]
            )

        yield start


@pytest.fixture
def client_of(store: redis.Redis, tmp_path: Path) -> Callable[..., KisRest]:
    """A REST client of one of the simulator's app keys, lanes and tokens included."""

    def make(sim: RunningSimulator, number: int = 0, ceiling: int = 18) -> KisRest:
        one = sim.customers[number]
        key = KisKey(one.label, one.app_key, one.app_secret, one.account)
        lanes = Lanes(store, one.label, plan(ceiling))
        lanes.vouch()
        auth = KisAuth(key, sim.rest_url, RedisTokenStore(store, tmp_path / "state"), lanes)
        return KisRest(key, Env.REAL, sim.rest_url, auth, lanes)

    return make


@dataclass
class Desk:
    """A machine of our own: settings file, tables, Redis databases, and its processes."""

    sim: RunningSimulator
    environment: dict[str, str]
    log: Path
    state: redis.Redis
    queues: redis.Redis
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def celery(self, *words: str) -> subprocess.Popen[bytes]:
        """`celery -A tasks …` in the background; all write one log."""
        with self.log.open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "tasks", *words],
                cwd=ROOT, env=self.environment, stdout=out, stderr=out,
            )  # fmt: skip
        self.children.append(child)
        return child

    def stockd(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command as a person types it."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=ROOT, env=self.environment | more, capture_output=True, text=True, timeout=100,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The same in the background; ends with the test."""
        with self.log.open("ab") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", "cli", *words],
                cwd=ROOT, env=self.environment, stdout=out, stderr=out,
            )  # fmt: skip
        self.children.append(child)
        return child

    def polls(self) -> list[float]:
        """When the broker was asked for the holdings (monotonic seconds): once a cycle."""
        lines = self.sim.lines("calls")
        return [line["mono"] for line in lines if line["path"].endswith("inquire-balance")]

    def wait_for_polls(self, count: int, seconds: float = 90.0) -> None:
        until = time.monotonic() + seconds
        while len(self.polls()) < count:
            assert time.monotonic() < until, self.words()[-3000:]
            time.sleep(0.1)

    def words(self) -> str:
        return self.log.read_text("utf-8") if self.log.exists() else ""

    def end(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.terminate()
        for child in self.children:
            child.wait(20)


@pytest.fixture
def desk(tables, servers, redis_url: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    """``desk(sim, **kis)``: ``kis`` are settings of [kis]. Redis knows nothing yet but is open."""
    made: list[Desk] = []

    def make(sim: RunningSimulator, **kis: object) -> Desk:
        settings = sim.settings | {
            "mariadb": {
                "socket": servers.mariadb.socket,
                "database": tables.name,
                "user_prefix": tables.prefix,
                "passwords": {role: f"pw-{role}" for role in ROLES},
            },
            "redis": {
                "url": redis_url.rsplit("/", 1)[0], "broker_db": QUEUES_DB, "state_db": STATE_DB,
            },
            "local": {"directory": str(tmp_path / "stockd")},
        }  # fmt: skip
        settings["kis"] |= {"env": "real"} | kis
        settings["sweep"] = {"symbols": list(sim.look("stocks"))[:40]}
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(settings), "utf-8")
        url = settings["redis"]["url"]
        state, queues = connect(f"{url}/{STATE_DB}"), connect(f"{url}/{QUEUES_DB}")
        state.flushdb()
        queues.flushdb()
        for one in sim.customers:
            # a Redis that has just started would hold the first calls back for nine seconds
            key = KisKey("test", one.app_key, "", one.account)
            Lanes(state, key.key_id, plan(18)).vouch()
        clean = {k: v for k, v in os.environ.items() if not k.startswith("STOCKD_")}
        made.append(
            Desk(sim, clean | {"STOCKD_CONFIG": str(path)}, tmp_path / "celery.log", state, queues)
        )
        return made[-1]

    yield make
    for one in made:
        one.end()
        one.state.flushdb()
        one.queues.flushdb()
