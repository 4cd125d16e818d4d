"""One token for all: fetched by one process, kept over a Redis restart, readable by nobody else."""

from __future__ import annotations

import multiprocessing as mp
import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis

from budget.connect import connect
from budget.tokens import RedisTokenStore
from trading.clock import KST
from trading.errors import Unavailable

SECRET = "eyJ-planted-token"


def fetch(url: str, state_dir: Path, issued: Path) -> None:
    """What each process does when it starts: look, and ask KIS only if nobody has."""
    store = RedisTokenStore(connect(url), state_dir)
    with store.lock("access", "k1", 10.0):
        if store.get("access", "k1") is None:
            assert store.claim_issue("access", "k1", 60.0)
            with issued.open("a") as out:
                out.write(f"{os.getpid()}\n")
            time.sleep(0.2)
            store.put("access", "k1", SECRET, datetime.now(KST) + timedelta(hours=24))


def test_six_processes_that_start_together_fetch_one_token(
    own_redis_url: str, store: redis.Redis, state_dir: Path, tmp_path: Path
) -> None:
    context = mp.get_context("spawn")
    issued = tmp_path / "issued"
    crowd = [
        context.Process(target=fetch, args=(own_redis_url, state_dir, issued)) for _ in range(6)
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(60)
    assert [one.exitcode for one in crowd] == [0] * 6
    assert len(issued.read_text().splitlines()) == 1


def test_the_token_survives_a_redis_that_comes_back_empty(
    store: redis.Redis, state_dir: Path
) -> None:
    tokens = RedisTokenStore(store, state_dir)
    ends = datetime(2099, 1, 1, tzinfo=KST)
    assert tokens.get("access", "k1") is None
    assert tokens.claim_issue("access", "k1", 60.0)
    tokens.put("access", "k1", SECRET, ends)
    store.flushall()
    assert tokens.get("access", "k1") == (SECRET, ends)
    assert not tokens.claim_issue("access", "k1", 60.0), "the minute is not forgotten either"
    assert tokens.get("approval", "k1") is None
    assert tokens.get("access", "k2") is None


def test_the_one_stored_last_counts_wherever_it_is(store: redis.Redis, state_dir: Path) -> None:
    tokens = RedisTokenStore(store, state_dir)
    ends = datetime(2099, 1, 1, tzinfo=KST)
    tokens.put("access", "k1", "old", ends)
    kept = store.get("stockd:token:access:k1")
    tokens.put("access", "k1", "new", ends)
    store.set("stockd:token:access:k1", kept)  # Redis restored from an older save
    assert tokens.get("access", "k1") == ("new", ends)


def test_the_files_are_for_our_eyes_only(store: redis.Redis, state_dir: Path) -> None:
    tokens = RedisTokenStore(store, state_dir)
    with tokens.lock("access", "k1", 1.0):
        tokens.claim_issue("access", "k1", 60.0)
        tokens.put("access", "k1", SECRET, datetime(2099, 1, 1, tzinfo=KST))
    files = [path for path in state_dir.rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not any("k1" not in path.name for path in files)


def test_a_half_written_file_is_no_token(store: redis.Redis, state_dir: Path) -> None:
    tokens = RedisTokenStore(store, state_dir)
    tokens.put("access", "k1", SECRET, datetime(2099, 1, 1, tzinfo=KST))
    (state_dir / "tokens" / "access-k1.json").write_text('{"value": "eyJ')
    store.flushall()
    assert tokens.get("access", "k1") is None


def test_the_lock_ends_its_wait_and_is_free_after_a_failure(
    store: redis.Redis, state_dir: Path
) -> None:
    tokens = RedisTokenStore(store, state_dir)
    with (
        tokens.lock("access", "k1", 1.0),
        pytest.raises(Unavailable, match="held"),
        tokens.lock("access", "k1", 0.1),
    ):
        pass
    with pytest.raises(ValueError, match="refused"), tokens.lock("access", "k1", 1.0):
        raise ValueError("refused")
    with tokens.lock("access", "k1", 0.1):
        pass


def test_without_redis_everything_says_so_and_nothing_says_the_token(state_dir: Path) -> None:
    tokens = RedisTokenStore(connect("redis://127.0.0.1:1/0", 0.2), state_dir)
    for call in (
        lambda: tokens.get("access", "k1"),
        lambda: tokens.put("access", "k1", SECRET, datetime(2099, 1, 1, tzinfo=KST)),
        lambda: tokens.claim_issue("access", "k1", 60.0),
    ):
        with pytest.raises(Unavailable) as told:
            call()
        assert SECRET not in str(told.value)
