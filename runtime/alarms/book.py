"""Which faults are open and what is told about them: once, again after a pause, and when over.

The rows of table `alarm` are the memory, so a watchdog that restarts neither repeats itself nor
forgets to say that something is over. Messages leave in a thread: a slow receiver must not make
the watch late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.alarms import mark_sent, open_alarms, write_alarm
from runtime.alarms.judge import ONCE, SERVERS, Trouble
from runtime.alarms.send import Sender
from runtime.loop import kst_now
from trading.errors import StockdError

log = structlog.get_logger(__name__)

LEVELS = ("INFO", "WARNING", "CRITICAL")
MARKS = {"INFO": "알림", "WARNING": "주의", "CRITICAL": "경보"}
OVER_AFTER = 2  # looks without the fault before it is over: one may have fallen between two signs
RETRY = timedelta(seconds=30)


@dataclass
class Open:
    """A fault that was raised. ``delivered``: somebody took the last message about it."""

    trouble: Trouble
    told_at: datetime
    delivered: bool = True
    gone: int = 0


class Book:
    """``level`` is the lowest that is sent; every one is written."""

    def __init__(
        self, engine: Engine, sender: Sender, *, level: str, repeat_s: float, host: str
    ) -> None:
        self._engine, self._sender, self._host = engine, sender, host
        self._from = LEVELS.index(level.upper())
        self._repeat = timedelta(seconds=repeat_s)
        self._open: dict[str, Open] | None = None
        self._unwritten: list[tuple[str, str, str, str, datetime]] = []
        self._post = ThreadPoolExecutor(1, "alarm-post")

    @property
    def open(self) -> dict[str, Trouble]:
        """Faults open now, by name."""
        return {name: one.trouble for name, one in (self._open or {}).items()}

    def take(self, troubles: Iterable[Trouble], now: datetime, *, blind: bool = False) -> None:
        """What is wrong now; tells what is new, what goes on, what is over. Never raises for a
        server that is away: the message leaves, its row follows. ``blind``: a server is away, so
        that a fault that is not among them is not seen, and not over."""
        known = self._remember()
        self._write_late()
        current = {one.name: one for one in troubles}
        for name, trouble in current.items():
            one = known.get(name)
            if one is None:
                known[name] = Open(trouble, now)
                self._tell(trouble, "RAISED", now, known[name])
                continue
            one.gone = 0
            if trouble.kind in ONCE and one.delivered:
                continue
            if now - one.told_at >= (self._repeat if one.delivered else RETRY):
                one.trouble, one.told_at = trouble, now
                self._tell(trouble, "REPEATED", now, one)
        for name in [name for name in known if name not in current]:
            if blind and name not in SERVERS:
                continue
            known[name].gone += 1
            if known[name].gone >= OVER_AFTER:
                self._tell(known.pop(name).trouble, "RECOVERED", now, None)

    def report(self, name: str, title: str, body: str, now: datetime) -> None:
        """A report of the day: always sent."""
        number = self._write(name, "INFO", "REPORT", f"{title}\n{body}", now)
        self._post.submit(self._deliver, "INFO", title, body, number, None)

    def later(self, work: Callable[[], object]) -> None:
        """Something else that speaks to the outside, in its turn."""
        self._post.submit(work)

    def flush(self) -> None:
        """Wait until everything has left (the end of the watchdog)."""
        self._post.submit(lambda: None).result()

    def close(self) -> None:
        """Let what is on its way leave."""
        self._post.shutdown(wait=True)

    # -- inside -----------------------------------------------------------------------------

    def _remember(self) -> dict[str, Open]:
        if self._open is None:
            try:
                self._open = {
                    row.fault: Open(Trouble(row.fault, row.level, row.text), row.at)
                    for row in open_alarms(self._engine).values()
                }
            except (StockdError, SQLAlchemyError):
                return self._open_without_rows()
        return self._open

    def _open_without_rows(self) -> dict[str, Open]:
        # MariaDB was away at the start: what is raised now must be remembered all the same
        self._open = {}
        return self._open

    def _tell(self, trouble: Trouble, what: str, now: datetime, one: Open | None) -> None:
        (log.info if what == "RECOVERED" else log.error)(
            "경보", fault=trouble.name, what=what, text=trouble.text
        )
        number = self._write(trouble.name, trouble.level, what, trouble.text, now)
        if LEVELS.index(trouble.level) < self._from or not self._sender.has_receivers:
            return
        mark = "회복" if what == "RECOVERED" else MARKS[trouble.level]
        again = " (계속)" if what == "REPEATED" else ""
        title = f"[stockd {mark}] {trouble.name}{again}"
        body = f"{trouble.text}\n{self._host} {now:%m-%d %H:%M:%S}"
        if what != "RECOVERED":
            body += f"\n할 일: docs/runbook.md#{trouble.kind}"
        kind = "RECOVERED" if what == "RECOVERED" else trouble.level
        self._post.submit(self._deliver, kind, title, body, number, one)

    def _deliver(self, kind: str, title: str, body: str, number: int, one: Open | None) -> None:
        delivered = self._sender.send(kind, title, body)
        if one is not None:
            one.delivered = delivered
        if delivered and number:
            try:
                mark_sent(self._engine, number, kst_now())
            except (StockdError, SQLAlchemyError) as error:
                log.debug("경보 행을 고치지 못함", error=type(error).__name__)

    def _write(self, fault: str, level: str, what: str, words: str, at: datetime) -> int:
        try:
            return write_alarm(self._engine, fault, level, what, words=words, at=at)
        except (StockdError, SQLAlchemyError):
            self._unwritten.append((fault, level, what, words, at))
            return 0

    def _write_late(self) -> None:
        while self._unwritten:
            try:
                fault, level, what, words, at = self._unwritten[0]
                write_alarm(self._engine, fault, level, what, words=words, at=at)
            except (StockdError, SQLAlchemyError):
                return
            self._unwritten.pop(0)
