"""Daemons: secrets stay out of every line (P13), trouble is answered by its class, SIGTERM ends."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from runtime.logs import start_logs
from runtime.loop import Step, Stop, pause_s, supervise
from runtime.settings import read_settings
from trading.errors import ConfigError, Unavailable

KEY, SECRET, ACCOUNT = "PSappkeyappkeyappkey", "secret+secret/secret==", "12345678-01"


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[io.StringIO]:
    settings = read_settings(
        {
            "STOCKD_KIS__SECTIONS__0__APP_KEY": KEY,
            "STOCKD_KIS__SECTIONS__0__APP_SECRET": SECRET,
            "STOCKD_KIS__SECTIONS__0__ACCOUNT": ACCOUNT,
            "STOCKD_LOG__FORMAT": "json",
        },
        tmp_path,
    )
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    out = io.StringIO()
    start_logs(settings, "test", out)
    yield out
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_planted_secrets_do_not_get_into_a_line(lines: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(strike_id=7)
    log = structlog.get_logger("x")
    log.info(
        "보냄", appkey=KEY, body={"deep": [f"CANO={ACCOUNT[:8]}"], "n": 3}, url="redis://:pw12@h"
    )
    logging.getLogger("urllib3").warning("header %s, Bearer abcdef.ghi", SECRET)
    try:
        raise RuntimeError(f"account {ACCOUNT}")
    except RuntimeError:
        log.exception("터짐")
    text = lines.getvalue()
    for secret in (KEY, SECRET, ACCOUNT, ACCOUNT[:8], "pw12", "abcdef"):
        assert secret not in text
    first = json.loads(text.splitlines()[0])
    assert (first["event"], first["strike_id"], first["body"]["n"]) == ("보냄", 7, 3)


class Row:
    """What would stand in table daemon."""

    def __init__(self) -> None:
        self.states: list[str] = []

    def beat(self, at: datetime, state: str = "RUNNING", detail: Any = None) -> None:
        self.states.append(state)


def run(troubles: list[Exception | None], beats: Row) -> tuple[int, int]:
    """Supervise a daemon whose rounds meet ``troubles``; exit code and number of rounds."""
    stop, rounds = Stop(), 0

    @contextmanager
    def opened() -> Iterator[Step]:
        nonlocal rounds
        trouble = troubles[min(rounds, len(troubles) - 1)]
        rounds += 1

        def step(now: datetime) -> bool:
            assert now.tzinfo is not None
            if trouble:
                raise trouble
            stop.set()
            return True

        yield step

    stop.wait = lambda seconds: bool(stop)  # type: ignore[method-assign]  no time passes here
    return supervise("test", opened, stop, beats=beats), rounds


def test_an_outage_and_even_the_unforeseen_only_start_the_loop_anew() -> None:
    row = Row()
    assert run([Unavailable("MariaDB is away"), ValueError("unforeseen"), None], row) == (0, 3)
    assert row.states == ["STARTING", "WAITING", "STARTING", "WAITING", "STARTING", "RUNNING",
                          "STOPPED"]  # fmt: skip


def test_a_wrong_setting_ends_the_process() -> None:
    row = Row()
    assert run([ConfigError("kis.sections", "is empty")], row) == (2, 1)
    assert row.states[-1] == "FAILED"


def test_pauses_grow_to_an_end_within_the_30_seconds_promised() -> None:
    pauses = [pause_s(failures, 0.0) for failures in range(1, 12)]
    assert pauses == sorted(pauses)
    assert pauses[0] == 0.5
    assert pauses[-1] == 15.0
    assert all(0.5 * p <= pause_s(n, 0.999) for n, p in enumerate(pauses, 1))
