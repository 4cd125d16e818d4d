"""The ticking: so many trades a second, to whoever registered for the stock."""

import asyncio
import time

from simulator import wire
from simulator.registration import TRADES
from simulator.stock import Stock
from simulator.world import World

_CATCH_UP_S = 0.5  # a stall longer than this is not made up for


class Pump:
    """Turns the market's trades into frames."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.records_sent = 0
        self.frames_sent = 0
        self.records_spoilt = 0  # sent with a broken byte
        self.paused = False  # a replay feeds the sessions instead

    async def run(self) -> None:
        """Tick until cancelled. Work is done in slots, so that REST calls get in between."""
        last, credit = time.monotonic(), 0.0
        while True:
            rate = self.world.scenario.rate
            await asyncio.sleep(0.001 if rate > 1000 else 0.004)
            now = time.monotonic()
            credit = min(credit + rate * (now - last), max(1.0, rate * _CATCH_UP_S))
            last = now
            if self.world.clock.refresh():
                self._new_day()
            market = self.world.market
            if self.paused or self.world.scenario.stop_ticks or not market.continuous():
                credit = 0.0
                if market.closing_print_due() and not self.paused:
                    self._print_close(now)
                continue
            if credit >= 1.0 or market.urgent:
                credit = self._slot(credit, now)

    def _print_close(self, now: float) -> None:
        """One print of every stock: the price of the closing auction."""
        for stock in list(self.world.market.live):
            if self.world.market.tradable(stock, now):
                self.emit(stock, 1, now)
            for session in stock.watchers:
                session.flush()

    def _new_day(self) -> None:
        self.world.exchange.new_day()
        self.world.market.new_day()
        for account in self.world.accounts.values():
            account.new_day()

    def _slot(self, credit: float, now: float) -> float:
        """Spend the credit, one unit a record; returns what is left."""
        market, most = self.world.market, self.world.scenario.records_max
        touched = set()
        while credit >= 1.0 or market.urgent:
            stock = market.pick()
            if stock is None:
                return 0.0
            if not market.tradable(stock, now):
                credit -= 1.0
                continue
            count = 1 + int(market.random.random() ** 2 * most)
            credit -= count
            self.emit(stock, count, now)
            touched.update(stock.watchers)
        for session in touched:
            session.flush()
        return max(credit, -float(most))  # a long frame is paid back by the next slots

    def emit(self, stock: Stock, count: int, now: float) -> None:
        """Trade `count` times and queue the one frame that tells of it."""
        trade = self.world.market.trade
        records = [trade(stock, now) for _ in range(count)]
        if stock.watchers:
            self.queue(stock, wire.plain(TRADES, records).encode(), count, now)

    def queue(self, stock: Stock, payload: bytes, count: int, now: float) -> None:
        """Queue a data frame of `count` records for every session that watches the stock."""
        knobs, random = self.world.scenario, self.world.dice.random
        told = payload
        spoilt = knobs.invalid_utf8 and random() < knobs.invalid_utf8
        if spoilt:
            payload = payload[:-1] + b"\xff"
        if knobs.fragment and random() < knobs.fragment:
            data = wire.fragments(payload, int(random() * len(payload)))
        else:
            data = wire.frame(payload)
        journal = self.world.journal
        for session in stock.watchers:
            session.queue(data)
            if journal.frames:
                journal.data_frame(now, session.label, told.decode("utf-8", "replace"))
            stock.records_sent += count
            self.records_sent += count
            self.frames_sent += 1
            self.records_spoilt += 1 if spoilt else 0
