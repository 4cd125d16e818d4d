"""``stockd bench soak``: the whole private stack for a long time, with a broker that misbehaves.

Spurious refusals, 500s, broken JSON, slow answers, dropped sections and one expiry of every token,
while ticks flow and an order goes out every half minute. A line a minute goes to
``soak-<pid>.jsonl`` (or ``out``), so that a run that is cut short still tells.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from benchmarks import soak_verdict
from benchmarks.soak_samples import Processes, Snapshots, Spoilt
from benchmarks.soak_stack import SECTIONS, TRADES, SoakStack
from benchmarks.soak_trouble import DROP_EVERY_S, Faults, Orders
from db.engines import make_engine
from runtime import wiring
from runtime.celeryapp import app, read_settings_again
from runtime.loop import kst_now
from runtime.wiring import database_url
from trading.errors import StockdError

FIRST_ROWS_S = 60.0  # prices and account, before the clock starts
LOOK_EVERY_S, SAMPLE_EVERY_S, LINE_EVERY_S = 0.25, 10.0, 60.0
DRAIN_S = 15.0  # the feed has stopped; open fills are settled, a last poll is made


def run(
    seconds: float = 3600.0,
    rate: float = 300.0,
    seed: int = 1,
    out: str = "",
    drop_every_s: float = DROP_EVERY_S,
) -> dict[str, Any]:
    """``rate``: ticks/s over all sections; ``out``: the file of the lines, appended to;
    ``drop_every_s``: a section is dropped so often, 0 for never.

    Ctrl-C or SIGTERM ends it early with what there is; nothing is left running either way.
    """
    before = signal.signal(signal.SIGTERM, _as_ctrl_c)
    lines = Path(out or Path(tempfile.gettempdir()) / f"soak-{os.getpid()}.jsonl")
    print(f"soak: {lines}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as scratch:
        stack = SoakStack(Path(scratch) / "s", rate, seed)
        try:
            stack.up()
            soak = _Soak(stack, seconds, rate, lines, drop_every_s)
            return soak.run()
        finally:
            stack.down()
            wiring.forget()
            signal.signal(signal.SIGTERM, before)


def _as_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


class _Soak:
    def __init__(
        self, stack: SoakStack, seconds: float, rate: float, lines: Path, drop_every_s: float
    ) -> None:
        self.stack, self.seconds, self.rate, self.lines = stack, seconds, rate, lines
        url = database_url(stack.stack.settings.mariadb, "reader")
        self.engine: sa.Engine = make_engine(url, autocommit=True)
        self.faults = Faults(stack.broker, SECTIONS, seconds, drop_every_s=drop_every_s)
        self.orders = Orders(self.engine, stack.broker)
        self.processes = Processes(stack.place)
        self.snapshots = Snapshots(self.engine)
        self.spoilt = Spoilt()
        self.began = time.monotonic()
        self.errors: list[str] = []

    def run(self) -> dict[str, Any]:
        self._wait_for_first_rows()
        # at 07:40 it loads the calendar: what a start fills must be full when memory is compared
        read_settings_again()
        app.send_task("tasks.morning.prepare", queue="sweep")
        self.faults.start()
        self.began = time.monotonic()
        interrupted = False
        try:
            self._watch()
        except KeyboardInterrupt:
            interrupted = True
        ended = kst_now()  # of the cadence: the drain is not counted
        elapsed = time.monotonic() - self.began
        self.faults.calm()
        time.sleep(DRAIN_S)
        result = self._figures(elapsed, ended) | {"interrupted": interrupted}
        soak_verdict.judge(result, self.orders.errors + self.errors, self.processes.down)
        self._write(result)
        self.engine.dispose()
        return result

    def _wait_for_first_rows(self) -> None:
        deadline = time.monotonic() + FIRST_ROWS_S
        query = sa.text(
            "SELECT (SELECT COUNT(*) FROM asset_balance) > 0 AND (SELECT COUNT(*) FROM market) > 0"
        )
        while time.monotonic() < deadline:
            with suppress(SQLAlchemyError), self.engine.connect() as connection:
                if connection.scalar(query):
                    return
            time.sleep(0.2)

    def _watch(self) -> None:
        due: list[list[Any]] = [
            [SAMPLE_EVERY_S, 0.0, self.processes.sample],
            [LINE_EVERY_S, LINE_EVERY_S, self._line],
        ]
        while (elapsed := time.monotonic() - self.began) < self.seconds:
            self._try(self.snapshots.look)
            self._try(lambda at=elapsed: self.faults.step(at))  # type: ignore[misc]
            self.orders.step(elapsed)
            for entry in due:
                if elapsed >= entry[1]:
                    entry[1] += entry[0]
                    self._try(entry[2])
            time.sleep(LOOK_EVERY_S)

    def _try(self, act: Callable[[], Any]) -> None:
        """The soak goes on whatever answers badly; that it did is one of its figures."""
        try:
            act()
        except (StockdError, SQLAlchemyError) as error:
            self.errors.append(f"{kst_now():%H:%M:%S} {type(error).__name__}: {error}"[:200])

    def _line(self) -> None:
        found = self._figures(time.monotonic() - self.began, kst_now())
        self._write({"partial": True, "at": kst_now().isoformat(timespec="seconds")} | found)

    def _figures(self, elapsed: float, now: datetime) -> dict[str, Any]:
        broker = self.stack.broker
        self.spoilt.read(self.stack.place.simulator_log, TRADES)
        spans = self.spoilt.polls + self.faults.slow_spans
        return (
            {"seconds_watched": round(elapsed, 1), "rate": self.rate}
            | self.snapshots.cadence(now, spans)
            | soak_verdict.at_broker(broker.get("stats"))
            | soak_verdict.in_tables(self.engine, broker.get("stats"), broker.get("book"))
            | {
                "spoilt_polls_and_settles": len(self.spoilt.polls),
                "spoilt_orders": self.spoilt.orders,
                "sections_dropped": self.faults.drops,
                "token_expiries": self.faults.expiries,
                "conditions_armed": self.orders.armed,
                "processes": self.processes.growth(),
            }
        )

    def _write(self, line: dict[str, Any]) -> None:
        with self.lines.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
