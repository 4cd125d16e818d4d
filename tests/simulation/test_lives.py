"""A sample of whole lives in every run, drawn by Hypothesis: one that breaks a promise is shrunk to
the shortest that still does. `make simulate SEEDS=N` lives many more of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from json import loads
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, note, settings

sys.path.insert(0, str(Path(__file__).parent))
from drawn import Drawn, drawn
from planted import PLANTED
from worlds import World

SAMPLE = settings(
    max_examples=60,
    deadline=None,
    database=None,  # a failure prints the blob that repeats it; nothing is left in the tree
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def url(servers: Any) -> str:
    return str(servers.admin_url())


@pytest.fixture
def world(url: str) -> Iterator[World]:
    made = World(url)
    yield made
    made.close()


@pytest.mark.timeout(600)
def test_lives_keep_the_promises(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    @SAMPLE
    @given(drawn())
    def lives(choices: Drawn) -> None:
        life = world.life(choices)
        wrong = life.run()
        note("\n".join(life.told))
        assert wrong == []

    lives()
    with capsys.disabled():
        print(f"\n{world.lives} lives, {world.calls} order calls, {world.faults.total()} faults:"
              f" {dict(world.faults)}")  # fmt: skip


def test_a_seed_is_one_life_alone_and_after_others(world: World) -> None:
    """Nothing of the lives before it is left: what a night finds can be lived again."""

    def story(seed: int) -> list[str]:
        world.live(seed)
        return [*world.story, *map(str, history(world))]

    alone = {seed: story(seed) for seed in (7, 42)}
    for other in range(100, 110):
        world.live(other)
    assert {seed: story(seed) for seed in (42, 7)} == alone
    assert alone[7] != alone[42]


def history(world: World) -> list[dict[str, Any]]:
    """Every event of the ledger, by what is the life's own: ids and hashes go on counting."""
    return world.rows(
        "SELECT e.strike_id - (SELECT MIN(id) FROM strike) AS strike, e.at, e.from_state,"
        " e.to_state, e.detail FROM order_event e ORDER BY e.id"
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(bug: str, url: str) -> None:
    world = World(url, **PLANTED[bug])
    found: list[str] = []
    for seed in range(1000):
        try:
            found = world.live(seed)
        except sa.exc.DBAPIError as error:
            found = [str(error)]
        if found:
            break
    world.close()
    print(bug, "found after", world.lives, "lives:", found)
    assert found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_life_that_found_a_bug_is_shrunk(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a person has to read of a violation is short: the same machine, without the noise."""
    world = World(url, **PLANTED["retry on time-out"])
    finds: list[list[str]] = []

    @settings(SAMPLE, max_examples=1000, phases=(Phase.generate, Phase.shrink),
              report_multiple_bugs=False, print_blob=False)  # fmt: skip
    @given(drawn(longest=12))
    def lives(choices: Drawn) -> None:
        life = world.life(choices)
        wrong = life.run()
        if wrong:
            finds.append([*life.told, *wrong])
        assert wrong == []

    with pytest.raises(AssertionError):
        lives()
    world.close()
    with capsys.disabled():
        first, last = finds[0], finds[-1]
        print(f"\nshrunk from {len(first)} steps to {len(last)}:", *last, sep="\n    ")
    assert any("P4" in one or "P6" in one for one in finds[-1])


@pytest.mark.slow
def test_a_night_counts_and_repeats() -> None:
    """`make simulate`: the seeds are divided among processes, and none is left out."""
    night = Path(__file__).parent / "night.py"
    argv = [sys.executable, str(night), "--first", "500", "--seeds", "7", "--processes", "2"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=100)
    told = loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert (told["ok"], told["first"], told["lives"]) == (True, 500, 7)
    assert told["faults"] == sum(told["faults_by_kind"].values()) > 0
    assert told["events_verified"] > 7
