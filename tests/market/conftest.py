"""A market daemon in the test's process, against the real simulator and a real MariaDB."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text

from db.engines import make_engine
from db.grants import RIGHTS, ROLES, user_name
from db.migrate import migrate
from db.tables import condition_tables
from kis.keys import Env, KisKey
from kis.stream import Section
from runtime.loop import kst_now
from runtime.market_parts import MarketParts, SectionParts, wanted
from simulator.testing import RunningSimulator, wait_for
from workers.market import Market, running


@dataclass
class FeedDatabase:
    """A migrated database of its own. ``market`` signs in as the daemon does, ``root`` sees all."""

    name: str
    url: str
    users: str
    root: Engine
    market: Engine

    def rows(self, query: str, **params: Any) -> list[Any]:
        with self.root.connect() as connection:
            return list(connection.execute(text(query), params).all())

    def one(self, query: str, **params: Any) -> Any:
        return self.rows(query, **params)[0][0]

    def do(self, query: str, **params: Any) -> None:
        with self.root.begin() as connection:
            connection.execute(text(query), params)


@pytest.fixture
def feed_db(servers) -> Iterator[FeedDatabase]:  # type: ignore[no-untyped-def]
    token = secrets.token_hex(3)
    name, prefix = f"m_{token}", f"m_{token}_"
    url = make_url(servers.admin_url("stockd"))
    server = make_engine(url.set(database=None))
    passwords = {role: f"pw-{role}" for role in ROLES}
    migrate(server, database=name, passwords=passwords, user_prefix=prefix)
    root = make_engine(url.set(database=name), autocommit=True)
    user = url.set(database=name, username=f"{prefix}market", password="pw-market")
    market = make_engine(user)
    yield FeedDatabase(name, str(url), prefix, root, market)
    market.dispose()
    root.dispose()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS `{name}`"))
        for role in ("admin", *RIGHTS):
            connection.execute(text(f"DROP USER IF EXISTS '{user_name(role, prefix)}'@'%'"))
    server.dispose()


@dataclass
class Budget:
    """A reconnect budget that says yes, and writes down what it was told."""

    wait_s: float = 0.0
    claims: int = 0
    ends: list[bool] = field(default_factory=list)
    held_off: list[float] = field(default_factory=list)
    not_reached: int = 0

    def claim(self, key_id: str) -> float:
        self.claims += 1
        return self.wait_s

    def closed(self, key_id: str, clean: bool) -> None:
        self.ends.append(clean)

    def unused(self, key_id: str) -> None:
        self.not_reached += 1

    def hold_off(self, key_id: str, seconds: float) -> None:
        self.held_off.append(seconds)


@dataclass
class Approval:
    """Approval keys straight from the simulator's door."""

    rest_url: str
    key: KisKey

    def approval_key(self) -> str:
        import requests

        body = {
            "grant_type": "client_credentials",
            "appkey": self.key.app_key,
            "secretkey": self.key.app_secret,
        }
        answer = requests.post(f"{self.rest_url}/oauth2/Approval", json=body, timeout=5)
        return str(answer.json()["approval_key"])

    def renew_approval(self, refused: str) -> str:
        return self.approval_key()


@dataclass
class Feed:
    """A daemon that runs in a thread of the test."""

    market: Market
    budget: Budget
    thread: threading.Thread


StartFeed = Callable[..., AbstractContextManager[Feed]]


@pytest.fixture
def start_feed(feed_db: FeedDatabase) -> StartFeed:
    """``start_feed(simulator, symbols)``: the daemon over all of the simulator's app keys."""

    @contextmanager
    def start(
        simulator: RunningSimulator, symbols: list[str], first_wait_s: float = 0.0, **changes: Any
    ) -> Iterator[Feed]:
        budget = Budget(first_wait_s)
        keys = [
            KisKey(one.label, one.app_key, one.app_secret, one.account, "stockd1")
            for one in simulator.customers
        ]
        sections = [
            SectionParts(
                number,
                key,
                Section(key, Env.REAL, simulator.ws_url),
                Approval(simulator.rest_url, key),
            )
            for number, key in enumerate(keys, start=1)
        ]
        settings: dict[str, Any] = {
            "engine": feed_db.market,
            "sections": sections,
            "numbers": list(range(1, len(keys) + 1)),
            "budget": budget,
            "wanted": lambda: wanted(feed_db.market, condition_tables(), symbols),
            "accounts": {key.account_no: key.label for key in keys},
            "awake": lambda at: True,
        }
        stop = threading.Event()
        with running(MarketParts(**settings | changes)) as market:

            def turn() -> None:
                while not stop.is_set():
                    market(kst_now())

            thread = threading.Thread(target=turn, daemon=True)
            thread.start()
            try:
                yield Feed(market, budget, thread)
            finally:
                stop.set()
                thread.join(5)

    return start


@pytest.fixture
def until() -> Callable[..., Any]:
    return wait_for
