"""A server for one test, and a client of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.kis.door import Door, Kis


@pytest.fixture
def kis() -> Iterator[Kis]:
    with Kis() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def door(kis: Kis) -> Door:
    return Door(kis)
