"""The watchdog (감시): a process that is none of the watched ones, and tells a person (P12).

Every two seconds it looks at the tables and at Redis, judges, and tells through apprise. It asks
an outside dead man's switch to stay quiet, so that its own end is noticed too.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from budget.connect import connect
from db.engines import make_engine
from db.heartbeat import Heartbeat
from runtime import orders, wiring
from runtime.alarms.aside import Aside
from runtime.alarms.book import Book
from runtime.alarms.judge import Judge
from runtime.alarms.look import Seen, look, reaches
from runtime.alarms.reports import Reports
from runtime.alarms.send import Sender, ping
from runtime.alarms.window import lanes_shown, show_processes
from runtime.calendar import Calendar, always_open, market_is_awake
from runtime.celeryapp import QUEUES
from runtime.loop import Step, Stop, kst_now, supervise
from runtime.metrics import Exporter
from runtime.settings import load_settings
from trading.hours import PhaseKind, phases_at
from trading.orders import Venue

LOOK_EVERY_S = 2.0
ANSWER_S = (
    4  # of a statement: one look of a hanging MariaDB is a ping, a connect and an alarm's row
)


class Watchdog:
    """One watch. ``look(now)`` is one turn; it never raises for what it watches."""

    def __init__(self) -> None:
        known = load_settings()
        own, rest_url = known.alarm, known.kis.rest_url
        # a server that hangs must be known to hang long before its alarm is due
        url = wiring.database_url(known.mariadb, "watchdog")
        self.engine = make_engine(url, autocommit=True, read_timeout_s=ANSWER_S)
        self._writes = make_engine(url, read_timeout_s=ANSWER_S)
        self.judge = Judge(own.silence_s, lambda: reaches(rest_url))
        sender = Sender([one.get_secret_value() for one in own.urls])
        self.book = Book(
            self._writes, sender, level=own.level, repeat_s=own.repeat_s,
            host=socket.gethostname(),
        )  # fmt: skip
        self.calendar = Calendar(wiring.state_dir())
        self.calendar.day(kst_now().date())  # the library is loaded now, not in a look
        self.reports = Reports(
            wiring.engine("watchdog"), self.book, self.calendar, own.morning, own.evening
        )
        self._aside = Aside("reports")
        self._state = connect(wiring.redis_url(known.redis.state_db))
        self._broker = connect(wiring.redis_url(known.redis.broker_db))
        self._ping_url = own.ping_url.get_secret_value()
        self._ping_every_s, self._next_ping = own.ping_every_s, 0.0
        self._settings = known
        self.seen: Seen | None = None

    def look(self, now: datetime) -> bool:
        """One turn. True: it was a whole one, nothing hid from it."""
        seen = look(self.engine, orders.site(), self._state, self._broker, QUEUES)
        awake = market_is_awake(self._settings, self.calendar, now)
        troubles = self.judge.judge(seen, now, awake=awake, ticking=self._ticking(now))
        self.book.take(troubles, now, blind=bool(seen.mariadb or seen.redis))
        self.seen = seen
        show_processes(self.engine, seen, now)
        if not seen.mariadb:
            self._aside.begin(lambda: self.reports.look(now))
        if self._ping_url and time.monotonic() >= self._next_ping:
            self._next_ping = time.monotonic() + self._ping_every_s
            self.book.later(lambda: ping(self._ping_url))
        return not seen.mariadb

    def _ticking(self, now: datetime) -> bool:
        """Whether trades are to be expected: in an auction silence is as it should be."""
        if always_open(self._settings):
            return True
        today = self.calendar.day(now.date())
        return today is not None and any(
            one.venue is Venue.KRX and one.kind is PhaseKind.CONTINUOUS
            for one in phases_at(today, now)
        )

    def close(self) -> None:
        """Let the last message leave."""
        self._aside.close()
        self.book.close()
        self.engine.dispose()
        self._writes.dispose()


@contextmanager
def opened() -> Iterator[Step]:
    """A round of the supervised loop."""
    watchdog = Watchdog()
    try:
        with Exporter(watchdog), lanes_shown(watchdog.engine):
            yield watchdog.look
    finally:
        watchdog.close()


def main() -> int:
    """`stockd watchdog`: until SIGTERM. The exit code."""
    stop = Stop().on_signals()
    beats = Heartbeat(wiring.engine("watchdog"), "watchdog", kst_now())
    return supervise("watchdog", opened, stop, beats=beats, idle_s=LOOK_EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
