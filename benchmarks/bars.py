"""``stockd bench bars``: every bar of every length against the ticks that were sent, under faults.

The truth is the simulator's log of sent frames: a minute in which a stock was registered all the
time must equal its ticks to the last won and share; a minute in which it was not must say so, and
must hold nothing that was not sent. Larger bars must be those of the stored minutes.

Two halves, so that there are minutes of both kinds: first what makes holes (cut connections, kill
-9 of the daemon), then what must make none (kill -9 of MariaDB, EVENTs that do not run for up to
10 s, and once for longer than two minutes, which the daemon has to repair).
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, text

from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from runtime.servers import MariaDBServer
from simulator.testing import RunningSimulator, start_simulator
from trading.bars import LENGTHS
from trading.clock import KST

ROOT = Path(__file__).resolve().parent.parent
BREAKING = ["cut"] * 20 + ["daemon"] * 5
HARMLESS = ["mariadb"] * 2 + ["event"] * 6
OUT_S = 130.0  # the EVENT is off for so long that at least one bar leaves `market` unseen
MINUTE = timedelta(minutes=1)
Bar = tuple[int, int, int, int, int, int, int]  # open high low close volume turnover ticks


def run(
    seconds: float = 600.0, rate: float = 2000.0, symbols: int = 200, seed: int = 1
) -> dict[str, Any]:
    """Figures of contract.md, how many bars were whole, and minutes flagged without need.

    With 600 s or more the halves begin at a multiple of five minutes, so that bars of three and
    five minutes are whole too.
    """
    with tempfile.TemporaryDirectory(prefix="stockd-bars-") as scratch:
        server = MariaDBServer(Path(scratch) / "db")
        server.start(bound=True)
        server.wait_ready()
        passwords = {role: f"pw-{role}" for role in ROLES}
        migrate(make_engine(server.admin_url("mysql")), database="stockd", passwords=passwords)
        try:
            with start_simulator("calm", sections=5, symbols=symbols, rate=rate) as simulator:
                began = time.time()
                trial = _Trial(server, simulator, passwords["market"], Path(scratch), seed)
                done = trial.run(seconds)
                return trial.judge(began, done)
        finally:
            server.stop()


class _Trial:
    def __init__(
        self,
        server: MariaDBServer,
        simulator: RunningSimulator,
        password: str,
        scratch: Path,
        seed: int,
    ) -> None:
        self.server, self.simulator = server, simulator
        self.dice = random.Random(seed)
        self.root = make_engine(server.admin_url("stockd"), autocommit=True)
        user = make_url(server.admin_url("stockd")).set(username="stockd_market", password=password)
        self.symbols = list(simulator.look("stocks"))
        config = scratch / "daemon.json"
        keys = [
            [one.label, one.app_key, one.app_secret, one.account, "stockd1"]
            for one in simulator.customers
        ]
        config.write_text(json.dumps({"keys": keys, "symbols": self.symbols}), "utf-8")
        self.command = [
            sys.executable, "-m", "benchmarks.bars_daemon", simulator.rest_url, simulator.ws_url,
            user.render_as_string(hide_password=False), str(config),
        ]  # fmt: skip
        self.daemon = self._start()
        self.cuts: list[tuple[float, str]] = []  # when, section label or "" for all
        self.injected: dict[str, int] = defaultdict(int)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command, cwd=ROOT, stdout=subprocess.DEVNULL)

    def run(self, seconds: float) -> float:
        """Both halves; returns when the last minute to be judged ended."""
        time.sleep(10)
        step = 300 if seconds >= 600 else 60
        begins = (time.time() // step + 1) * step
        time.sleep(begins - time.time() - 2)
        self._spread(BREAKING, begins + seconds / 2 - 12)  # the last is registered in time
        time.sleep(begins + seconds / 2 + 1 - time.time())
        if seconds >= 400:
            self._event_off(OUT_S)
            self.injected["event_out"] += 1
        self._spread(HARMLESS, begins + seconds - 10)
        done = (time.time() // 60 + 1) * 60
        time.sleep(done + 45 - time.time())  # EVENT, and the daemon's check of what it left
        self.simulator.control("fault", stop_ticks=True)
        time.sleep(3)
        self.daemon.terminate()
        self.daemon.wait(10)
        return done

    def _spread(self, faults: list[str], until: float) -> None:
        """These faults in any order, until then."""
        faults = list(faults)
        self.dice.shuffle(faults)
        for number, fault in enumerate(faults):
            self._inject(fault)
            pause = (until - time.time()) / (len(faults) - number)
            time.sleep(max(0.0, pause * self.dice.uniform(0.5, 1.2)))

    def _event_off(self, seconds: float) -> None:
        for word, pause in (("DISABLE", seconds), ("ENABLE", 0.0)):
            with self.root.connect() as connection:
                connection.execute(text(f"ALTER EVENT ev_bar_minute {word}"))
            time.sleep(pause)

    def _inject(self, fault: str) -> None:
        self.injected[fault] += 1
        if fault == "cut":
            number = self.dice.randrange(5) + 1
            self.cuts.append((time.time(), f"simkey-{number}"))
            self.simulator.control("fault", drop_ws=number)
        elif fault == "daemon":
            self.cuts.append((time.time(), ""))
            self.daemon.kill()
            self.daemon.wait()
            time.sleep(self.dice.uniform(0.2, 3.0))
            self.daemon = self._start()
        elif fault == "mariadb":
            self.server.kill()
            time.sleep(self.dice.uniform(0.2, 3.0))
            self.server.start(bound=True)
            self.server.wait_ready()
        else:
            self._event_off(self.dice.uniform(1.0, 10.0))

    # -- the verdict ------------------------------------------------------------------------

    def judge(self, began: float, done: float) -> dict[str, Any]:
        """Compare table `bar` with what was sent."""
        ticks, acks = self._sent()
        down = self._down(began, acks)
        until = datetime.fromtimestamp(done, KST).replace(tzinfo=None)
        with self.root.connect() as connection:
            rows = connection.execute(text("SELECT * FROM bar")).all()
        stored = {(row.symbol, row.minutes, row.at): row for row in rows}
        wrong: list[Any] = _not_of_their_minutes(stored)
        compared, whole, gaps, flagged, overflagged = 0, 0, 0, 0, 0
        for length in LENGTHS:
            truth: dict[tuple[str, datetime], list[tuple[int, int]]] = defaultdict(list)
            for symbol, at, price, volume in ticks:
                truth[symbol, _start(at, length)].append((price, volume))
            for (symbol, at), trades in truth.items():
                end = at + length * MINUTE
                if end > until and length < 1440:
                    continue
                compared += 1
                row = stored.get((symbol, length, at))
                if any(a < end and b > at for a, b in down[symbol]):
                    gaps += length == 1
                    flagged += length == 1 and row is not None and row.gap == 1
                    if row is None:  # killed before its only ticks were written
                        continue
                    if not row.gap:
                        wrong.append((symbol, length, at, "gap not flagged"))
                    elif not _within(_values(row), _bar(trades)):
                        wrong.append((symbol, length, at, _values(row), "more than was sent"))
                    continue
                whole += 1
                if row is None or _values(row) != _bar(trades):
                    wrong.append((symbol, length, at, row and _values(row), _bar(trades)))
                elif row.gap:
                    overflagged += length == 1
        return {
            "bars": compared,
            "bars_whole": whole,
            "wrong": len(wrong),
            "gap_minutes": gaps,
            "gap_minutes_flagged": flagged,
            "minutes_flagged_without_need": overflagged,
            "faults_injected": dict(self.injected),
            "repaired": sum(row.source == "REPAIR" for row in rows if row.minutes == 1),
            "ticks": len(ticks),
            "examples": [str(one) for one in wrong[:5]],
        }

    def _sent(self) -> tuple[list[tuple[str, datetime, int, int]], dict[str, list[float]]]:
        """Every record sent, and when each stock was registered (unix)."""
        ticks, acks = [], defaultdict(list)
        for line in self.simulator.lines("frames"):
            frame = line["frame"]
            if frame.startswith("0|H0STCNT0|"):
                count, body = int(frame[11:14]), frame[15:]
                fields = body.split("^")
                width = len(fields) // count
                for start in range(0, len(fields), width):
                    one = fields[start : start + width]
                    at = datetime.strptime(one[33] + one[1], "%Y%m%d%H%M%S")  # noqa: DTZ007
                    ticks.append((one[0], at, int(one[2]), int(one[12])))
            elif '"OPSP0000"' in frame:
                acks[json.loads(frame)["header"]["tr_key"]].append((line["wall"], line["section"]))
        return ticks, acks

    def _down(self, began: float, acks: Any) -> dict[str, list[tuple[datetime, datetime]]]:
        """When each stock was not registered, naive KST."""
        down: dict[str, list[tuple[datetime, datetime]]] = {}
        for symbol in self.symbols:
            told = acks.get(symbol, [])
            home = told[0][1] if told else ""
            spans = [began - 86_400.0, *(at for at, who in self.cuts if who in ("", home))]
            down[symbol] = [
                (
                    _naive(at),
                    _naive(next((when for when, _ in told if when > at), time.time())),
                )
                for at in spans
            ]
        return down


def _naive(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, KST).replace(tzinfo=None)


def _start(at: datetime, minutes: int) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0)
    passed = int((at - midnight).total_seconds()) // 60
    return midnight + timedelta(minutes=passed // minutes * minutes)


def _bar(trades: list[tuple[int, int]]) -> Bar:
    prices = [price for price, _ in trades]
    volume = sum(shares for _, shares in trades)
    turnover = sum(price * shares for price, shares in trades)
    return prices[0], max(prices), min(prices), prices[-1], volume, turnover, len(trades)


def _within(part: Bar, whole: Bar) -> bool:
    """Whether a bar with a hole can come of ticks that are all in ``whole``."""
    _, high, low, _, *sums = part
    return whole[2] <= low <= high <= whole[1] and all(
        one <= other for one, other in zip(sums, whole[4:], strict=True)
    )


def _not_of_their_minutes(stored: dict[tuple[str, int, datetime], Any]) -> list[Any]:
    """Larger bars that are not what the stored minutes make."""
    made: dict[tuple[str, int, datetime], list[Any]] = defaultdict(list)
    for (symbol, minutes, at), row in sorted(stored.items()):
        if minutes == 1:
            for length in LENGTHS[1:]:
                made[symbol, length, _start(at, length)].append(row)
    wrong: list[Any] = [key for key in stored if key[1] > 1 and key not in made]
    for key, rows in made.items():
        row = stored.get(key)
        sums = [sum(getattr(one, name) for one in rows) for name in ("volume", "turnover", "ticks")]
        high, low = max(one.high for one in rows), min(one.low for one in rows)
        values = (rows[0].open, high, low, rows[-1].close, *sums)
        if row is None or _values(row) != values or row.gap < max(one.gap for one in rows):
            wrong.append((*key, row and _values(row), values, "its minutes"))
    return wrong


def _values(row: Any) -> Bar:
    return row.open, row.high, row.low, row.close, row.volume, row.turnover, row.ticks
