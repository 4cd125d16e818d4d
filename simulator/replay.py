"""Playing recorded frames to the sessions instead of the random walk."""

import asyncio
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path

from simulator.feed import Feed
from simulator.pump import Pump
from simulator.world import World

_QUIET_S = 1.0  # start when nobody has registered anything for so long
_BEHIND = 1 << 20  # bytes; wait for the slowest session beyond this
_SLOT_FRAMES = 200


def read_frames(path: Path) -> Iterator[tuple[float | None, str]]:
    """(time in seconds or None, frame) of each line: a bare frame, "SECONDS FRAME", or a line of
    frames.jsonl; .gz is read through gzip. Lines that hold no trade frame are passed over."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for raw in file:
            line, at = raw.strip(), None
            if line.startswith("{"):
                logged = json.loads(line)
                line, at = logged["frame"], logged["mono"]
            elif line[:2] not in ("0|", "1|"):
                stamp, _, line = line.partition(" ")
                try:
                    at = float(stamp)
                except ValueError:
                    continue
            if line.startswith("0|H0STCNT0|"):
                yield at, line


class Replay:
    """Plays one file. `speed` 1 is as recorded, 10 ten times as fast, 0 as fast as it is read."""

    def __init__(self, world: World, feed: Feed, pump: Pump) -> None:
        self.world, self.feed, self.pump = world, feed, pump
        self.frames = self.records = self.skipped = 0
        self.running = self.finished = False

    async def run(self, path: Path, speed: float, *, wait: bool = True) -> None:
        """Play the file once; afterwards the walk stays silent."""
        self.pump.paused = self.running = True
        if wait:
            await self._registrations()
        first: float | None = None
        started, rate = time.monotonic(), self.world.scenario.rate
        for number, (at, text) in enumerate(read_frames(path)):
            if speed > 0:
                if at is None:
                    due = number / rate
                else:
                    first = at if first is None else first
                    due = at - first
                await self._pause(started + due / speed)
            elif number % _SLOT_FRAMES == 0:
                await self._pause(0.0)
            self._play(text)
        self._flush()
        self.running, self.finished = False, True

    async def _registrations(self) -> None:
        while not self.feed.registered_at or time.monotonic() - self.feed.registered_at < _QUIET_S:
            await asyncio.sleep(0.05)

    async def _pause(self, until: float) -> None:
        wait = until - time.monotonic()
        if until > 0 and wait <= 0.001:
            return
        self._flush()
        await asyncio.sleep(max(wait, 0))
        while any(session.behind > _BEHIND for session in self.feed.sessions):
            await asyncio.sleep(0.001)

    def _flush(self) -> None:
        for session in list(self.feed.sessions):
            session.flush()

    def _play(self, text: str) -> None:
        _, _, count, body = text.split("|", 3)
        fields = body.split("^", 3)
        stock = self.world.market.stocks.get(fields[0])
        if stock is None or not stock.watchers:
            self.skipped += 1
            return
        stock.price = int(fields[2])
        if stock.orders:
            self.world.exchange.traded(stock)
        self.frames += 1
        self.records += int(count)
        self.pump.queue(stock, text, int(count), time.monotonic())
