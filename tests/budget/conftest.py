"""A Redis of its own for these tests: they empty it, make it forget its scripts, count in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from budget.connect import connect
from runtime.servers import RedisServer


@pytest.fixture(scope="session")
def own_redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = RedisServer(tmp_path_factory.mktemp("budget-redis"))
    server.start(bound=True)
    server.wait_ready()
    yield server.url()
    server.stop()


@pytest.fixture
def store(own_redis_url: str) -> Iterator[redis.Redis]:
    """An empty Redis that has just been started: its data and its scripts are gone."""
    client = connect(own_redis_url)
    client.flushall()
    client.script_flush()
    yield client
    client.close()


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"
