"""The market: all stocks, the clock they trade by, and which of them somebody looks at."""

import time
from collections import deque
from collections.abc import Callable
from random import Random

from simulator.clock import ExchangeClock
from simulator.scenario import Scenario
from simulator.stock import TAILS, Stock, trade_record
from simulator.symbols import Listing

_OPEN, _AUCTION, _CLOSE = "090000", "152000", "153000"


class Market:
    """Stocks by code. A stock trades by itself while it is watched or has a resting order."""

    def __init__(
        self, listed: list[Listing], scenario: Scenario, clock: ExchangeClock, seed: int
    ) -> None:
        self.scenario = scenario
        self.clock = clock
        self.random = Random(seed)
        # the opening print comes some seconds after nine; at night it is the moment of the start
        hms = clock.hms if clock.hms < "090013" else "090013"
        self.stocks = {one.code: Stock(one, self.random.random, hms) for one in listed}
        self.live: list[Stock] = []
        self.urgent: deque[Stock] = deque()  # next to trade: newly watched, or price forced
        self.on_trade: Callable[[Stock], None] = lambda stock: None
        self.trades = 0
        self._in_closing_auction = False

    def new_day(self) -> None:
        """Turn the page at midnight of the exchange's clock."""
        for stock in self.stocks.values():
            stock.new_day(self.clock.hms)

    def review(self, stock: Stock) -> None:
        """Put the stock on or off the list of those that trade by themselves."""
        wanted = bool(stock.watchers or stock.orders)
        if wanted and stock not in self.live:
            self.live.append(stock)
            self.urgent.append(stock)
        elif not wanted and stock in self.live:
            self.live.remove(stock)

    def pick(self) -> Stock | None:
        """The stock that trades next, None when none is live."""
        if self.urgent:
            return self.urgent.popleft()
        if not self.live:
            return None
        dice: float = self.random.random()
        if self.scenario.skew != 1.0:
            dice **= self.scenario.skew
        return self.live[int(dice * len(self.live))]

    def tradable(self, stock: Stock, now: float) -> bool:
        """False in a halt or while VI has the stock in its call auction."""
        return not stock.halted and now >= stock.vi_until

    def continuous(self) -> bool:
        """True while trades happen: always, or in KRX hours outside the closing auction."""
        return self.scenario.hours == "always" or _OPEN <= self.clock.hms < _AUCTION

    def closing_print_due(self) -> bool:
        """True once a day in KRX hours, when the closing auction (15:20-15:30) has ended."""
        hms = self.clock.hms
        if self.scenario.hours == "always":
            return False
        if _AUCTION <= hms < _CLOSE:
            self._in_closing_auction = True
        elif self._in_closing_auction:
            self._in_closing_auction = False
            return hms >= _CLOSE
        return False

    def orders_taken(self) -> bool:
        """True while the exchange takes orders for the regular session."""
        return self.scenario.hours == "always" or _OPEN <= self.clock.hms < _CLOSE

    def trade(self, stock: Stock, now: float) -> str:
        """One trade of this stock; returns its record as sent on the feed."""
        before = (stock.volume, stock.buy_shares)
        stock.trade(self.scenario.move, self.clock.hms, now)
        self.trades += 1
        if stock.orders:
            self.on_trade(stock)
        return trade_record(
            stock, before, self.clock.hms, self.clock.ymd, TAILS[self.scenario.width]
        )

    def catch_up(self, stock: Stock) -> None:
        """A stock nobody watches trades when it is looked at: a few trades for the time passed."""
        now = time.monotonic()
        passed, stock.seen_at = now - stock.seen_at, now
        if stock.watchers or stock.orders or not self.continuous():
            return
        if not self.tradable(stock, now):
            return
        for _ in range(max(len(stock.forced), min(5, int(passed)))):
            stock.trade(self.scenario.move, self.clock.hms, now)
