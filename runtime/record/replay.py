"""Replay: recorded frames through the simulator's websocket into the daemon as it is, and its bars.

On servers of its own in a directory of its own: nothing of the running machine is touched. Bars go
by the exchange's times in the records, so a day that is over comes out with every bar completed;
what the wall clock decides (``updated_at``, and whether the EVENT or the daemon's repair was first
to bring a bar: ``source``) is left out of ``bars.csv``, and two replays write the same bytes.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from db.engines import make_engine
from runtime.loop import kst_now
from runtime.record.replay_stack import ReplayStack
from runtime.record.scan import Contents, scan
from runtime.stack.place import Place
from trading.errors import BadInput, Unavailable

COLUMNS = ("symbol", "minutes", "at", "open", "high", "low", "close", "volume", "turnover", "ticks")
COLUMNS_ALL = (*COLUMNS, "gap")
MARK = ".replay"  # this directory is a replay's: the next one may empty it
SETTLE_S = 45.0  # nothing new in `bar` for so long: what is missing will not come
LOOK_S = 0.5


@dataclass(frozen=True)
class Wish:
    """What was asked for. ``speed`` 1 is as recorded, 0 as fast as the daemon takes it."""

    files: Sequence[Path]
    directory: Path
    speed: float = 0.0
    say: Callable[[str], None] = lambda line: None


def replay(wish: Wish) -> dict[str, Any]:
    """Play and wait for the bars; leaves ``bars.csv`` and the MariaDB's data in the directory.

    Returns records, records_in_bars, bars, seconds (playing), settle_s, records_per_s, sha256,
    connects. BadInput for files that cannot be replayed, Unavailable when something does not run.
    """
    contents = look(wish.files, kst_now())
    place = Place(wish.directory.absolute())
    wish.say(f"{contents.records:,} 체결, {len(contents.stocks)} 종목")
    with _alone(place), ReplayStack(place, contents.prices) as stack:
        engine = make_engine(stack.admin_url, autocommit=True)
        try:
            stack.wait_registered()
            played, seconds = _play(stack, wish)
            began = time.monotonic()
            in_bars = _settle(engine, played["records"])
            settled = time.monotonic() - began
            csv = place.directory / "bars.csv"
            bars, digest = write_bars(engine, csv)
            connects = stack.connects()
        finally:
            engine.dispose()
    return {
        "records": played["records"],
        "records_skipped": played["skipped"],
        "records_in_bars": in_bars,
        "bars": bars,
        "seconds": round(seconds, 1),
        "settle_s": round(settled, 1),
        "records_per_s": round(played["records"] / seconds) if seconds else 0,
        "connects": connects,
        "whole": in_bars == played["records"] == contents.records
        and connects == stack.sections
        and not played["skipped"],
        "bars_file": str(csv),
        "sha256": digest,
    }


def look(files: Sequence[Path], now: datetime) -> Contents:
    """What is in the files. BadInput when their day is not over: its bars are not completed yet."""
    for path in files:
        if not path.is_file():
            raise BadInput("file", str(path), "no such file")
    contents = scan(files)
    if contents.last_at is None or contents.last_at > now - timedelta(minutes=3):
        raise BadInput("file", str(files[0]), f"goes to {contents.last_at}: replay it when over")
    return contents


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """The directory, empty and ours. BadInput when something else is in it or runs there."""
    lock = place.directory.with_name(place.directory.name + ".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput("--directory", str(place.directory), "a replay runs there") from None
        if place.is_running():
            raise BadInput("--directory", str(place.directory), "a stack runs there")
        if place.directory.exists():
            if any(place.directory.iterdir()) and not (place.directory / MARK).exists():
                raise BadInput("--directory", str(place.directory), "is not empty, and no replay's")
            shutil.rmtree(place.directory)
        place.make()
        (place.directory / MARK).touch()
        yield


def _play(stack: ReplayStack, wish: Wish) -> tuple[dict[str, Any], float]:
    began = told = time.monotonic()
    files = [str(path.absolute()) for path in wish.files]
    stack.broker.post("replay", {"files": files, "speed": wish.speed})
    while True:
        time.sleep(LOOK_S)
        stack.look()
        seen: dict[str, Any] = stack.broker.get("stats")["replay"]
        if seen["finished"]:
            return seen, time.monotonic() - began
        if not seen["running"]:
            raise Unavailable(f"simulator: the replay ended after {seen['records']} records")
        if time.monotonic() - told >= 5:
            told = time.monotonic()
            wish.say(f"{seen['records']:,} 체결, {told - began:.0f}초")


def _settle(engine: sa.Engine, wanted: int) -> int:
    """Wait until every record is in its minute's and its day's bar; how many there are."""
    last, since = (-1, -1), time.monotonic()
    while True:
        query = "SELECT minutes, SUM(ticks) FROM bar WHERE minutes IN (1, 1440) GROUP BY minutes"
        with engine.connect() as connection:
            sums = {row[0]: row[1] for row in connection.execute(sa.text(query))}
        now = (int(sums.get(1, 0)), int(sums.get(1440, 0)))
        if now == (wanted, wanted):
            return wanted
        if now != last:
            last, since = now, time.monotonic()
        if time.monotonic() - since > SETTLE_S:
            return min(now)
        time.sleep(LOOK_S)


def write_bars(engine: sa.Engine, path: Path) -> tuple[int, str]:
    """Table `bar` as CSV in the order of its key; (rows, SHA-256 of the file)."""
    names = ", ".join(f"`{name}`" for name in COLUMNS_ALL)
    query = sa.text(f"SELECT {names} FROM bar ORDER BY symbol, minutes, at")
    digest, rows = hashlib.sha256(), 0
    with engine.connect() as connection, path.open("wb") as file:
        head = (",".join(COLUMNS_ALL) + "\n").encode()
        file.write(head)
        digest.update(head)
        for row in connection.execute(query):
            line = (",".join(map(str, row)) + "\n").encode()
            file.write(line)
            digest.update(line)
            rows += 1
    return rows, digest.hexdigest()
