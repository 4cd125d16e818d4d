"""The real broker's stand-in, a real Redis and a real MariaDB under one asset poll."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
