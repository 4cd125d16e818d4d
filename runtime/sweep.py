"""Tier 2: the rest of the market, 30 stocks a call, on each app key's own surplus calls.

Every key has its own callers; they take the next chunk from one list, so that a key with more
surplus does more. The oldest rows come first: a turn that ends before the list does loses nothing
but age, and the next one starts where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue

import structlog
from sqlalchemy import Engine

from db.heartbeat import Heartbeat
from db.sweep import mark_missing, write_quotes
from kis.parse_quotes import Price
from kis.quotes import MULTPRICE_MAX, KisQuotes
from trading.errors import BadInput, OutsideError, Refused

log = structlog.get_logger(__name__)

TURN_S = 9.4  # no new call after this: the next turn is due at 10 s
PAUSE_S = 2.0  # of a caller whose call failed in spite of its retries


@dataclass(frozen=True, slots=True)
class Key:
    """One app key's quote calls and how many may be on their way at once (its sweep lane)."""

    quotes: KisQuotes
    callers: int


@dataclass(slots=True)
class Turn:
    """What one turn did. ``left`` were not asked for: out of time or their call failed."""

    asked: int = 0
    written: int = 0
    missing: int = 0
    bad: int = 0
    failed_calls: int = 0
    left: int = 0
    seconds: float = 0.0

    def detail(self) -> dict[str, object]:
        """For the row of table daemon."""
        return {
            "asked": self.asked,
            "written": self.written,
            "missing": self.missing,
            "bad": self.bad,
            "failed_calls": self.failed_calls,
            "left": self.left,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, slots=True)
class Caught:
    """What came back for one chunk; ``prices`` None when the call failed."""

    symbols: Sequence[str]
    prices: Mapping[str, Price] | None
    missing: Sequence[str] = ()
    bad: int = 0


class Sweep:
    """``turn`` once a period. Writes as user stockd_sweep while the calls go on."""

    def __init__(
        self,
        keys: Sequence[Key],
        engine: Engine,
        heartbeat: Heartbeat,
        now: Callable[[], datetime],
        turn_s: float = TURN_S,
    ) -> None:
        self._keys = keys
        self._engine = engine
        self._heartbeat = heartbeat
        self._now = now
        self._turn_s = turn_s

    def turn(self, symbols: Sequence[str], ages: Mapping[str, datetime]) -> Turn:
        """Price ``symbols`` once, those never priced and the oldest first.

        Unavailable when MariaDB is gone; the broker's trouble is in the figures instead.
        """
        started = time.monotonic()
        size = MULTPRICE_MAX if all(key.quotes.has_multprice for key in self._keys) else 1
        ordered = sorted(symbols, key=lambda one: (one in ages, ages.get(one, 0), one))
        todo: SimpleQueue[list[str]] = SimpleQueue()
        for at in range(0, len(ordered), size):
            todo.put(ordered[at : at + size])
        done: SimpleQueue[Caught | None] = SimpleQueue()
        callers = [key.quotes for key in self._keys for _ in range(key.callers)]
        turn = Turn()
        with ThreadPoolExecutor(max(1, len(callers)), "sweep") as pool:
            for quotes in callers:
                pool.submit(_call, quotes, todo, done, started + self._turn_s)
            for caught in _caught(done, len(callers)):
                self._keep(turn, caught)
        turn.left = len(symbols) - turn.asked
        turn.seconds = time.monotonic() - started
        if turn.written:
            self._heartbeat.beat(self._now(), "RUNNING", turn.detail())
        return turn

    def _keep(self, turn: Turn, caught: Caught) -> None:
        if caught.prices is None:
            turn.failed_calls += 1
            return
        at = self._now()
        write_quotes(self._engine, list(caught.prices.values()), at)
        mark_missing(self._engine, caught.missing, at)
        turn.asked += len(caught.symbols)
        turn.written += len(caught.prices)
        turn.missing += len(caught.missing)
        turn.bad += caught.bad
        if caught.missing:
            log.warning("sweep_missing", symbols=" ".join(caught.missing))


def _caught(done: SimpleQueue[Caught | None], callers: int) -> Iterator[Caught]:
    while callers:
        caught = done.get()
        if caught is None:
            callers -= 1
        else:
            yield caught


def _call(
    quotes: KisQuotes,
    todo: SimpleQueue[list[str]],
    done: SimpleQueue[Caught | None],
    until: float,
) -> None:
    """One caller: the next chunk, until there is none or the time is up."""
    try:
        while time.monotonic() < until:
            try:
                symbols = todo.get_nowait()
            except Empty:
                return
            try:
                done.put(_ask(quotes, symbols))
            except (OutsideError, BadInput) as error:
                log.warning("sweep_call_failed", kind=type(error).__name__, error=str(error))
                done.put(Caught(symbols, None))
                time.sleep(PAUSE_S)  # the broker has refused in spite of retries: let it breathe
    finally:
        done.put(None)


def _ask(quotes: KisQuotes, symbols: Sequence[str]) -> Caught:
    if quotes.has_multprice:
        answer = quotes.multprice(symbols)
        return Caught(symbols, answer.prices, answer.missing, len(answer.bad))
    try:
        price = quotes.price(symbols[0])
    except Refused:  # 종목코드 오류: the single call says so instead of leaving it out
        return Caught(symbols, {}, symbols)
    return Caught(symbols, {price.symbol: price})
