"""A sample of whole lives in every run; `make simulate SEEDS=N` lives more of them."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from db.engines import make_engine

sys.path.insert(0, str(Path(__file__).parent))
from lives import PLANTED, Clock, World

SAMPLE = int(os.environ.get("STOCKD_SIMULATE_SEEDS", "60"))


@pytest.fixture
def engine(servers: Any) -> Iterator[sa.Engine]:
    made = make_engine(servers.admin_url(), pool_size=4)
    with made.begin() as connection:
        for table in ("strike", "order_event", "fill", "notice", "market", "stockd_condition",
                      "stockd_halt", "lease", "order_gate", "guard_trip"):  # fmt: skip
            connection.execute(sa.text(f"TRUNCATE TABLE {table}"))
        connection.execute(sa.text("UPDATE event_head SET hash = REPEAT('0', 64)"))
    yield made
    made.dispose()


def world(engine: sa.Engine, **makers: Any) -> World:
    clock = Clock()
    clock.attach(engine)
    return World(engine, clock, **makers)


@pytest.mark.timeout(600)
def test_lives_keep_the_promises(engine: sa.Engine, capsys: pytest.CaptureFixture[str]) -> None:
    first = int(os.environ.get("STOCKD_SIMULATE_FIRST", random.randrange(10**6)))
    here = world(engine)
    for seed in range(first, first + SAMPLE):
        here.live(seed)
    with capsys.disabled():
        print(f"\n{here.lives} lives from seed {first}, {here.calls} order calls,"
              f" {sum(here.faults.values())} faults:"
              f" {dict(here.faults)}; {len(here.violations)} violations")  # fmt: skip
    assert here.violations == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str, engine: sa.Engine) -> None:
    here = world(engine, **PLANTED[bug])
    found: list[str] = []
    for seed in range(1000):
        try:
            found = here.live(seed)
        except sa.exc.DBAPIError as error:
            found = [str(error)]
        if found:
            break
    print(bug, "found after", here.lives, "lives:", found)
    assert found
