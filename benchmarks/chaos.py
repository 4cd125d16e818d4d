"""``make chaos MINUTES=N``: the running stack under random kills and cuts, and what was left of it.

A private stack (`runtime/stack`) with the simulator. While a seeded generator kills processes,
servers, connections and notices, conditions are armed and pushed over all the time. Then all is let
rest, and the tables are compared with the simulator's own book: no order twice, no fill lost, every
strike over. The last line is one JSON object. Same SEED, same order of faults; when each one hits
what is the machine's own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.chaos_judge import judge
from benchmarks.chaos_plan import QUIET, Fault, plan
from db.engines import make_engine
from runtime import orders, wiring
from runtime.demo.arming import arm
from runtime.demo.broker import Broker, settings_of
from runtime.demo.script import away
from runtime.settings import Settings
from runtime.settings_source import CONFIG
from runtime.stack import programs
from runtime.stack.machine import Stack
from runtime.stack.place import Place
from trading.errors import StockdError

STOCKS = 40
REST_S = 150.0  # at the end: how long the machine gets to come to rest
ARM_EVERY_S = 4.0
FIND_S = 4.0  # how long a kill waits for a process that is being started anew
# the guards that count errors and amounts would end the run early: that they trip is tested apart
TRADE = {
    "order_amount": 10**9, "stock_amount": 10**12, "day_amount": 10**12, "day_orders": 10**6,
    "error_rate_percent": 100, "duplicate_open": False, "day_loss": 10**12,
    "price_away_percent": 60,
}  # fmt: skip


@dataclass
class Chaos:
    """One run. ``faults`` counts what was done to the stack; ``rng`` is the trading's."""

    stack: Stack
    broker: Broker
    root: sa.Engine
    rng: random.Random
    faults: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)  # kills that found nobody
    armed: int = 0
    symbols: tuple[str, ...] = ()
    _next: int = 0

    def run(self, seconds: float, faults: Sequence[Fault]) -> None:
        """Disturb, as planned, and trade beside it until the time is over."""
        over = threading.Event()
        trading = threading.Thread(target=self._trade_on, args=(over,), name="trading")
        trading.start()
        began = time.monotonic()
        try:
            for one in faults:
                time.sleep(max(0.0, began + one.at - time.monotonic()))
                self._disturb(one)
            time.sleep(max(0.0, began + seconds - time.monotonic()))
        finally:
            over.set()
            trading.join()

    def _trade_on(self, over: threading.Event) -> None:
        """In a thread of its own: an outage of MariaDB must not hold up the next fault."""
        while not over.is_set():
            with suppress(StockdError):
                self._trade()
            over.wait(ARM_EVERY_S)

    def _trade(self) -> None:
        """Arm two conditions a step away from the market, and push the price over both."""
        pushed = {}
        for _ in range(2):
            symbol = self.symbols[self._next % len(self.symbols)]
            self._next += 1
            with suppress(SQLAlchemyError, StockdError):  # the next two are as good
                price = self._one("SELECT price FROM market WHERE symbol = :s", s=symbol)
                if not price:
                    continue
                level = away(int(price), -4)
                arm({
                    "symbol": symbol, "side": "BUY", "strike_price": level, "order_kind": "MARKET",
                    "quantity": self.rng.randint(1, 5), "max_age_ms": 5000, "memo": "chaos",
                })  # fmt: skip
                self.armed += 1
                pushed[symbol] = away(level, -1)
        if pushed:
            time.sleep(0.3)
            self.broker.post("price", {"prices": pushed, "hold_s": 6.0})

    def _disturb(self, one: Fault) -> None:
        done = self._kill(one.kill) if one.kill else self._cut(one.cut)
        if done and one.counts:
            self.faults[one.name] += 1
        elif not done:
            self.missed[one.name] += 1

    def _cut(self, what: dict[str, Any]) -> bool:
        with suppress(StockdError):
            self.broker.post("fault", what)
            return True
        return False

    def _kill(self, name: str) -> bool:
        """kill -9, children too, as the power would; the supervisor starts it again. One that is
        down waits for its next start, and is killed in the middle of it."""
        until = time.monotonic() + FIND_S
        while time.monotonic() < until:
            with suppress(StockdError, ProcessLookupError):
                for one in self.stack.supervisor.processes():
                    if one["name"] == name and one["pid"]:
                        os.killpg(os.getpgid(one["pid"]), signal.SIGKILL)
                        return True
            time.sleep(0.1)
        return False

    def rest(self) -> float:
        """No more faults: wait until every strike is over; the seconds it took."""
        self.broker.post("fault", QUIET)
        began = time.monotonic()
        while time.monotonic() - began < REST_S:
            with suppress(SQLAlchemyError):
                left = self._one(
                    "SELECT COUNT(*) FROM strike WHERE state IN ('CLAIMED', 'SENDING', 'UNKNOWN',"
                    " 'ACCEPTED', 'PART_FILLED') OR (order_no IS NOT NULL AND"
                    " COALESCE(broker_filled, -1) <> filled)"
                )
                if left == 0:
                    break
            time.sleep(0.5)
        return time.monotonic() - began

    def _one(self, query: str, **values: Any) -> Any:
        with self.root.connect() as connection:
            return connection.scalar(sa.text(query), values)


@contextmanager
def running(directory: Path, seed: int, say: Callable[[str], None]) -> Iterator[Chaos]:
    """The whole machine on private servers; nothing of it is left afterwards."""
    place = Place(directory)
    ports = programs.free_ports(2)
    raw = settings_of(ports, 1)
    raw["kis"] |= {"env": "real"}
    raw["trade"] = TRADE
    options = ("--scenario=calm", "--rate=100", f"--seed={seed}", "--no-frame-log",
               "--set", f"cash={10**13}", "--set", "fill_parts=3")  # fmt: skip
    broker = Broker(raw["kis"]["rest_url"])
    symbols: list[str] = []

    def before_daemons(stack: Stack) -> None:
        stocks = broker.get("stocks")
        symbols.extend(one for one in stocks if 5_000 < stocks[one]["price"] < 300_000)
        del symbols[STOCKS:]
        watch = stack.settings.watch.model_copy(update={"symbols": tuple(symbols)})
        stack.settings = stack.settings.model_copy(update={"watch": watch})
        stack.place.write_settings(stack.settings)
        os.environ[CONFIG] = str(place.settings_file)
        wiring.forget()
        orders.forget()
        wiring.lanes().vouch()  # Redis and broker are a moment old: no call can be on its way

    stack = Stack(
        place,
        Settings.model_validate(raw),
        simulator=programs.simulator(place, (ports[0], ports[1]), 1, options),
        bound=True,
        say=say,
        before_daemons=before_daemons,
    )
    try:
        stack.up()
        root = make_engine(place.mariadb().admin_url("stockd"), autocommit=True)
        yield Chaos(stack, broker, root, random.Random(seed), symbols=tuple(symbols))
        root.dispose()
    finally:
        stack.down()


def run(minutes: float = 2.0, seed: int = 1, say: Callable[[str], None] = print) -> dict[str, Any]:
    """One run and its judgement."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as scratch:
        with running(Path(scratch) / "stack", seed, say) as chaos:
            wait_for_prices(chaos)
            say(f"{minutes:g} minutes, seed {seed}")
            chaos.run(minutes * 60, plan(seed, minutes * 60))
            rested = chaos.rest()
            found = judge(chaos.root, chaos.broker.get("book"), chaos.broker.get("stats"))
            logs = {
                one.stem: one.read_text("utf-8", "replace")
                for one in chaos.stack.place.logs.glob("*.log")
            }
        result = {
            "minutes": minutes, "seed": seed, "faults": sum(chaos.faults.values()),
            "faults_by_kind": dict(sorted(chaos.faults.items())),
            "missed": dict(sorted(chaos.missed.items())), "armed": chaos.armed, **found,
            "rest_s": round(rested, 1),
            "tracebacks": {n: errors_in(t) for n, t in logs.items() if "Traceback" in t},
        }  # fmt: skip
        if not result["ok"]:
            kept = Path(tempfile.mkdtemp(prefix="chaos-logs-"))
            for name, words in logs.items():
                (kept / f"{name}.log").write_text(words, "utf-8")
            result["logs"] = str(kept)
        return result


def errors_in(words: str) -> dict[str, int]:
    """How often each kind of error ended a traceback of this log."""
    found: Counter[str] = Counter()
    depth = -1  # how far the traceback we are in is indented, -1 outside
    for line in words.splitlines():
        here = len(line) - len(line.lstrip())
        if "Traceback (most recent call last)" in line:
            depth = here
        elif depth >= 0 and line.strip() and here <= depth:
            found[line.strip()[:120]] += 1
            depth = -1
    return dict(found)


def wait_for_prices(chaos: Chaos) -> None:
    """Until prices and account are in the tables. RuntimeError when they never are."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with suppress(SQLAlchemyError):
            priced = chaos._one("SELECT COUNT(*) FROM market WHERE price > 0")
            if priced >= STOCKS // 2 and chaos._one("SELECT COUNT(*) FROM asset_balance"):
                return
        time.sleep(0.2)
    raise RuntimeError("no prices or no account within 90 s")


def main() -> int:
    """`python -m benchmarks.chaos --minutes 20 --seed 7`; exit 1 when anything was violated."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    asked = parser.parse_args()
    result = run(asked.minutes, asked.seed, lambda line: print(line, file=sys.stderr))
    print(json.dumps(result, ensure_ascii=False))
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
