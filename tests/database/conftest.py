"""A migrated database of its own for each test that asks, on the private server of the run."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import URL, Engine, make_url, text

from db.engines import make_engine
from db.grants import RIGHTS, ROLES, user_name
from db.migrate import migrate


@dataclass
class Database:
    """``name`` is migrated with all users; ``engine(role)`` signs in as one of them."""

    admin_url: URL
    name: str
    user_prefix: str
    site: str | None = None
    prefix: str = ""
    engines: list[Engine] = field(default_factory=list)

    def root(self) -> Engine:
        return self._keep(make_engine(self.admin_url.set(database=self.name)))

    def server(self) -> Engine:
        return self._keep(make_engine(self.admin_url.set(database=None)))

    def engine(self, role: str, *, autocommit: bool = True) -> Engine:
        url = self.admin_url.set(
            database=self.name if role != "site" or not self.site else self.site,
            username=user_name(role, self.user_prefix),
            password=f"pw-{role}",
        )
        return self._keep(make_engine(url, autocommit=autocommit))

    def migrate(self, **changes: object) -> int:
        settings: dict[str, object] = {
            "database": self.name,
            "site_database": self.site,
            "prefix": self.prefix,
            "passwords": {role: f"pw-{role}" for role in ROLES},
            "user_prefix": self.user_prefix,
        }
        return migrate(self.server(), **(settings | changes))  # type: ignore[arg-type]

    def _keep(self, engine: Engine) -> Engine:
        self.engines.append(engine)
        return engine

    def drop(self) -> None:
        with self.server().connect() as connection:
            for database in (self.name, self.site):
                if database:
                    connection.execute(text(f"DROP DATABASE IF EXISTS `{database}`"))
            for role in ("admin", *RIGHTS):
                user = user_name(role, self.user_prefix)
                connection.execute(text(f"DROP USER IF EXISTS '{user}'@'%'"))
        for engine in self.engines:
            engine.dispose()


def _new(servers, **settings: object) -> Database:  # type: ignore[no-untyped-def]
    token = secrets.token_hex(3)
    url = make_url(servers.admin_url("stockd"))
    database = Database(url, f"t_{token}", f"t_{token}_", **settings)  # type: ignore[arg-type]
    return database


@pytest.fixture
def make_database(servers) -> Iterator[Callable[..., Database]]:  # type: ignore[no-untyped-def]
    """Makes databases that are not migrated yet; dropped at the end."""
    made: list[Database] = []

    def make(**settings: object) -> Database:
        made.append(_new(servers, **settings))
        return made[-1]

    yield make
    for database in made:
        database.drop()


@pytest.fixture
def database(make_database: Callable[..., Database]) -> Database:
    """A migrated database with every user, alone on its name."""
    made = make_database()
    made.migrate()
    return made


@pytest.fixture
def quiet_database(database: Database) -> Database:
    """As ``database``, with the EVENTs switched off: the test makes their runs itself."""
    with database.root().connect() as connection:
        for event in ("ev_bar_minute", "ev_asset_history", "ev_partitions"):
            connection.execute(text(f"ALTER EVENT {event} DISABLE"))
    return database
