"""One private MariaDB and one private Redis for all tests of a pytest process, as in the demo."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from db.grants import ROLES
from db.migrate import migrate
from runtime.servers import MariaDBServer, RedisServer
from runtime.settings import MariaDb
from runtime.wiring import database_url


@dataclass(frozen=True)
class Servers:
    """The two private servers of this pytest process; database ``stockd`` exists, migrated."""

    mariadb: MariaDBServer
    redis: RedisServer
    directory: Path
    passwords: dict[str, str]  # role: password

    def url(self, role: str) -> str:
        """SQLAlchemy URL of one role's user (db/grants.py)."""
        part = MariaDb(
            socket=self.mariadb.socket,
            passwords={name: SecretStr(value) for name, value in self.passwords.items()},
        )
        return database_url(part, role).render_as_string(hide_password=False)

    def admin_url(self, database: str = "stockd") -> str:
        return self.mariadb.admin_url(database)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Started once a pytest process (once an xdist worker), ended by pid, also if pytest dies."""
    directory = tmp_path_factory.mktemp("servers")
    mariadb, redis = MariaDBServer(directory / "mariadb"), RedisServer(directory / "redis")
    try:
        mariadb.start(bound=True)
        redis.start(bound=True)
        mariadb.wait_ready()
        redis.wait_ready()
        passwords = {role: secrets.token_urlsafe(16) for role in ROLES}
        admin = sa.create_engine(mariadb.admin_url())
        migrate(admin, passwords=passwords)
        admin.dispose()
        yield Servers(mariadb, redis, directory, passwords)
    finally:
        redis.stop()
        mariadb.stop()


@pytest.fixture(scope="session")
def mariadb(servers: Servers) -> MariaDBServer:
    return servers.mariadb


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    return servers.redis.url()


@pytest.fixture(scope="session")
def admin_engine(servers: Servers) -> Iterator[sa.Engine]:
    """Engine of the admin on database ``stockd``: sees and changes everything."""
    engine = sa.create_engine(servers.admin_url(), isolation_level="READ COMMITTED")
    yield engine
    engine.dispose()
