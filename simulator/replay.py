"""Playing recorded frames to the sessions instead of the random walk."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from simulator.feed import Feed
from simulator.pump import Pump
from simulator.recording import read_all
from simulator.world import World

_QUIET_S = 1.0  # start when nobody has registered anything for so long
_BEHIND = 1 << 20  # bytes; wait for the slowest session beyond this
_SLOT_FRAMES = 200


class Replay:
    """Plays files, one a section, together.

    `speed` 1 is as recorded, 10 ten times as fast, 0 as fast as the clients take it.
    """

    def __init__(self, world: World, feed: Feed, pump: Pump) -> None:
        self.world, self.feed, self.pump = world, feed, pump
        self.frames = self.records = self.skipped = 0
        self.running = self.finished = False

    async def run(self, paths: Sequence[Path], speed: float, *, wait: bool = True) -> None:
        """Play the files once; afterwards the walk stays silent."""
        self.pump.paused = self.running = True
        if wait:
            await self._registrations()
        first: float | None = None
        started, rate = time.monotonic(), self.world.scenario.rate
        for number, (at, frame) in enumerate(read_all(paths)):
            if speed > 0:
                if at is None:
                    due = number / rate
                else:
                    first = at if first is None else first
                    due = at - first
                await self._pause(started + due / speed)
            if number % _SLOT_FRAMES == 0:  # also when it is late and never waits
                await self._breathe()
            self._play(frame)
        self._flush()
        self.running, self.finished = False, True

    async def _registrations(self) -> None:
        while not self.feed.registered_at or time.monotonic() - self.feed.registered_at < _QUIET_S:
            await asyncio.sleep(0.05)

    async def _pause(self, until: float) -> None:
        wait = until - time.monotonic()
        if wait > 0.001:
            self._flush()
            await asyncio.sleep(wait)

    async def _breathe(self) -> None:
        """Let the others have a turn, and the slowest session catch up."""
        self._flush()
        await asyncio.sleep(0)
        while any(session.behind > _BEHIND for session in self.feed.sessions):
            await asyncio.sleep(0.001)

    def _flush(self) -> None:
        for session in list(self.feed.sessions):
            session.flush()

    def _play(self, frame: bytes) -> None:
        fields = frame[15:].split(b"^", 3)  # what stands after 0|H0STCNT0|NNN|
        stock = self.world.market.stocks.get(fields[0].decode("ascii", "replace"))
        if stock is None or not stock.watchers:
            self.skipped += 1
            return
        try:
            count, stock.price = int(frame[11:14]), int(fields[2])
        except (ValueError, IndexError):
            count = 1  # as broken as it came: the client has to live with it
        if stock.orders:
            self.world.exchange.traded(stock)
        self.frames += 1
        self.records += count
        self.pump.queue(stock, frame, count, time.monotonic())
