"""The supervised loop of a daemon: catch by class, back off, report progress, leave on SIGTERM.

A daemon gives ``step``: one short piece of work, called again and again with the time. Errors are
cut by what is to be done (trading/errors.py): outside trouble starts the step's surroundings anew
after a pause, a wrong setting ends the process with exit code 2, anything unforeseen is logged with
its traceback, counted, and the loop is built anew as well: a machine left alone must not stay down.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog

from trading.clock import KST
from trading.errors import AuthError, BadInput, ConfigError, OutsideError, StockdError

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0  # whole again within 30 s of anything coming back
STEADY_AFTER_S = 30.0  # a round that lived this long starts the pauses anew
BEAT_EVERY_S = 2.0


class Beats(Protocol):
    """Where progress is written: ``db.heartbeat.Heartbeat``."""

    def beat(
        self, at: datetime, state: str = ..., detail: Mapping[str, Any] | None = ...
    ) -> None: ...


class Step(Protocol):
    """One short piece of work. Returns whether something moved (then progress is reported)."""

    def __call__(self, now: datetime, /) -> bool: ...


@dataclass
class Stop:
    """The stop flag. ``wait`` sleeps and wakes at once when it is set."""

    _event: threading.Event = field(default_factory=threading.Event)

    def set(self) -> None:
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to ``seconds``; True when told to stop."""
        return self._event.wait(seconds)

    def on_signals(self) -> Stop:
        """SIGTERM and SIGINT set the flag (main thread only)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._event.set())
        return self


def kst_now() -> datetime:
    """Now, aware, KST."""
    return datetime.now(KST)


def pause_s(failures: int, roll: float) -> float:
    """Seconds before round number ``failures`` + 1: 0.5, 1, 2 … 15, less up to half by ``roll``."""
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 10))
    return whole * (1.0 - roll / 2)


def supervise(
    name: str,
    opened: Callable[[], AbstractContextManager[Step]],
    stop: Stop,
    *,
    beats: Beats | None = None,
    idle_s: float = 0.0,
    now: Callable[[], datetime] = kst_now,
    monotonic: Callable[[], float] = time.monotonic,
    roll: Callable[[], float] = random.random,
) -> int:
    """Run until ``stop``; returns the exit code (0 stopped, 2 wrong setting).

    ``opened()`` makes what a round needs and closes it; its step is called every ``idle_s`` s.
    """
    reporter = _Reporter(name, beats, now, monotonic)
    failures = 0
    while not stop:
        started = monotonic()
        try:
            reporter.tell("STARTING")
            with opened() as step:
                while not stop:
                    reporter.moved(step(now()))
                    if idle_s:
                        stop.wait(idle_s)
        except ConfigError as error:
            log.error("설정 오류로 끝냅니다", error=str(error))
            reporter.tell("FAILED", str(error))
            return 2
        except StockdError as error:
            failures = 1 if monotonic() - started > STEADY_AFTER_S else failures + 1
            _say(name, error, failures)
            reporter.tell("WAITING", str(error))
        except Exception as error:  # the last net: a machine left alone must come back
            failures = 1 if monotonic() - started > STEADY_AFTER_S else failures + 1
            log.exception("예상하지 못한 오류, 다시 시작합니다", daemon=name, failures=failures)
            reporter.tell("WAITING", f"{type(error).__name__}: {error}")
        if not stop:
            stop.wait(pause_s(failures, roll()))
    reporter.tell("STOPPED")
    return 0


def _say(name: str, error: StockdError, failures: int) -> None:
    # a refused key or wrong input will not mend itself; an outage does
    serious = isinstance(error, AuthError | BadInput) or not isinstance(error, OutsideError)
    (log.error if serious else log.warning)(
        "다시 시작합니다",
        daemon=name,
        error=str(error),
        kind=type(error).__name__,
        failures=failures,
    )


class _Reporter:
    """Writes progress at most every BEAT_EVERY_S; never brings the loop down."""

    def __init__(
        self,
        name: str,
        beats: Beats | None,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._name, self._beats, self._now, self._monotonic = name, beats, now, monotonic
        self._next = 0.0

    def moved(self, did: bool) -> None:
        if did and self._monotonic() >= self._next:
            self.tell("RUNNING")

    def tell(self, state: str, why: str = "") -> None:
        # the first step after anything else is told at once
        self._next = self._monotonic() + BEAT_EVERY_S if state == "RUNNING" else 0.0
        if self._beats is None:
            return
        try:
            self._beats.beat(self._now(), state, {"why": why[:200]} if why else None)
        except StockdError as error:
            # the row is a sign of life; when MariaDB is away its growing old is the sign
            log.debug("데몬 표를 쓰지 못했습니다", daemon=self._name, error=str(error))
