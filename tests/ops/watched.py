"""A whole stack with the simulator behind it, whose parts are stopped one at a time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from db.engines import make_engine
from runtime.demo.broker import Broker, settings_of
from runtime.loop import kst_now
from runtime.settings import Settings
from runtime.stack import programs
from runtime.stack.machine import Stack
from runtime.stack.place import Place
from runtime.wiring import database_url
from trading.errors import StockdError

STOCKS = 20


def until(seen: Callable[[], Any], seconds: float, words: Callable[[], str]) -> float:
    """Seconds it took; fails with ``words()`` when it never came."""
    began = time.monotonic()
    while not seen():
        took = time.monotonic() - began
        assert took < seconds, f"not within {seconds} s: {words()}"
        time.sleep(0.1)
    return time.monotonic() - began


class WatchedStack:
    """The stack of `stockd up`, and what its watchdog told a person (``told``, titles)."""

    def __init__(self, directory: Path, receiver: Any, silence_s: int) -> None:
        self.receiver = receiver
        self.place = Place(directory)
        ports = programs.free_ports(2)
        raw: dict[str, Any] = settings_of(ports, 1)
        raw["kis"] |= {"env": "real"}  # the simulator's TR ids; the addresses are loopback
        later = f"{kst_now() + timedelta(hours=12):%H:%M}"  # no report of the day in between
        raw["alarm"] = {
            "urls": [receiver.url], "silence_s": silence_s, "morning": later, "evening": later,
        }  # fmt: skip
        self.broker = Broker(raw["kis"]["rest_url"])
        self.stack = Stack(
            self.place,
            Settings.model_validate(raw),
            simulator=programs.simulator(
                self.place, (ports[0], ports[1]), 1, ("--scenario=demo", "--rate=100", "--seed=1")
            ),
            bound=True,
            say=lambda _: None,
            before_daemons=self._watch_stocks,
        )

    def _watch_stocks(self, stack: Stack) -> None:
        symbols = tuple(self.broker.get("stocks"))[:STOCKS]
        watch = stack.settings.watch.model_copy(update={"symbols": symbols})
        stack.settings = stack.settings.model_copy(update={"watch": watch})

    @property
    def told(self) -> list[str]:
        return [one["title"].removeprefix("[stockd ") for one in self.receiver.got]

    def words(self) -> str:
        """What was told so far, and what the logs end with."""
        said = "\n".join(f"{one['title']}: {one['message']}" for one in self.receiver.got)
        logs = "\n".join(
            f"--- {one.name}\n{one.read_text('utf-8', 'replace')[-1500:]}"
            for one in sorted(self.place.logs.glob("*.log"))
        )
        return f"told:\n{said}\n{logs}"

    def stop(self, name: str) -> None:
        """Off, and not brought back by the supervisor."""
        self.stack.supervisor.stop(name)

    def start(self, name: str) -> None:
        self.stack.supervisor.start(name)

    def freeze(self, name: str) -> None:
        """It is there, its port is open, and nothing comes from it."""
        os.killpg(self._group(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        os.killpg(self._group(name), signal.SIGCONT)

    def _group(self, name: str) -> int:
        pids = {one["name"]: one["pid"] for one in self.stack.supervisor.processes()}
        return os.getpgid(pids[name])

    def whole(self) -> bool:
        """Prices, account, trader and order worker have shown themselves."""
        return bool(
            self._scalar(
                "SELECT (SELECT COUNT(*) FROM market WHERE price > 0) > 0"
                " AND (SELECT COUNT(*) FROM asset_balance) > 0"
                " AND (SELECT COUNT(*) FROM daemon WHERE name = 'trader'"
                " AND state = 'RUNNING') > 0"
                " AND (SELECT COUNT(*) FROM lease WHERE expires_at > NOW(6)) > 0"
            )
        )

    def age_of_ticks(self) -> float:
        """Seconds since the youngest tick in the table; very long while MariaDB is away."""
        found = self._scalar("SELECT TIMESTAMPDIFF(SECOND, MAX(received_at), NOW(6)) FROM market")
        return 1e9 if found is None else float(found)

    def _scalar(self, query: str) -> Any:
        engine = make_engine(database_url(self.stack.settings.mariadb, "reader"), autocommit=True)
        try:
            with engine.connect() as connection:
                return connection.scalar(sa.text(query))
        except (StockdError, sa.exc.SQLAlchemyError):
            return None
        finally:
            engine.dispose()


@contextmanager
def watched_stack(directory: Path, receiver: Any, silence_s: int) -> Iterator[WatchedStack]:
    """Up and whole; afterwards nothing runs."""
    directory.mkdir(mode=0o700)
    made = WatchedStack(directory, receiver, silence_s)
    made.stack.up()
    try:
        until(made.whole, 120, made.words)
        yield made
    finally:
        made.stack.down()
