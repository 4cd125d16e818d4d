"""One stock: its walk on price steps and the H0STCNT0 record of each of its trades."""

from collections import deque
from collections.abc import Callable
from typing import Any

from simulator.price_steps import day_limits, down, on_step, step_at, up
from simulator.symbols import Listing


def sign_of(difference: int) -> str:
    """전일 대비 부호 without the limits: 2 up, 3 unchanged, 5 down."""
    return "2" if difference > 0 else "5" if difference < 0 else "3"


class Stock:
    """Day figures of one stock in whole won and shares, moved on by `trade`."""

    __slots__ = (
        "amount",
        "ask",
        "bars",
        "base",
        "bid",
        "buy_count",
        "buy_shares",
        "forced",
        "halted",
        "held_until",
        "high",
        "high_hms",
        "listing",
        "low",
        "low_hms",
        "lower",
        "open",
        "open_hms",
        "orders",
        "previous_volume",
        "price",
        "random",
        "records_sent",
        "seen_at",
        "sell_count",
        "sell_shares",
        "upper",
        "vi_until",
        "volume",
        "watchers",
    )

    def __init__(self, listing: Listing, random: Callable[[], float], hms: str) -> None:
        self.listing = listing
        self.random = random
        self.price = listing.close
        self.halted = False
        self.vi_until = 0.0  # monotonic seconds
        self.held_until = 0.0  # the walk stands still until then
        self.watchers: list[Any] = []  # feed sessions registered for this stock
        self.orders: list[Any] = []  # resting orders of our accounts
        self.forced: deque[int] = deque()
        self.records_sent = 0
        self.seen_at = 0.0  # monotonic time of the last look over REST
        self.new_day(hms)

    def new_day(self, hms: str) -> None:
        """Yesterday's last price becomes the base; the opening auction has just traded."""
        random = self.random
        self.base = self.price
        self.upper, self.lower = day_limits(self.base)
        self.open = self.high = self.low = self.price
        self.open_hms = self.high_hms = self.low_hms = hms
        self.ask, self.bid = up(self.price), down(self.price)
        # auction volume belongs to neither side, so both sides together stay below the total
        self.volume = 1_000 + int(random() * 50_000)
        self.amount = self.volume * self.price
        self.sell_count = self.buy_count = 10
        self.sell_shares = self.volume * 3 // 10
        self.buy_shares = self.volume * 2 // 10
        self.previous_volume = 100_000 + int(random() * 5_000_000)
        self.bars: dict[str, list[int]] = {}  # "HHMM": open, high, low, close, volume, turnover

    def force(self, price: int) -> None:
        """Make the next trade happen at this price. ValueError when it could not on a real day."""
        if not on_step(price):
            step = step_at(price)
            raise ValueError(f"price={price}: not a multiple of its price step {step}")
        if not self.lower <= price <= self.upper:
            raise ValueError(f"price={price}: outside the day's {self.lower}..{self.upper}")
        self.forced.append(price)

    def _next_price(self, move: float, now: float) -> int:
        if self.forced:
            return self.forced.popleft()
        price = self.price
        if now < self.held_until:
            return price
        dice = self.random()
        if dice >= move:
            return price
        # a pull towards the base keeps a day of trades inside the limits, as real days mostly are
        lean = 0.5 + (self.base - price) / self.base * 2.0
        if dice < move * lean:
            price += step_at(price)
        else:
            price -= step_at(price - 1)
        return min(max(price, self.lower), self.upper)

    def trade(self, move: float, hms: str, now: float) -> None:
        """One trade. hms: exchange time; now: monotonic seconds."""
        price = self._next_price(move, now)
        dice = self.random()
        shares = 1 + int(dice * dice * dice * 400)
        self.price = price
        self.volume += shares
        turnover = shares * price
        self.amount += turnover
        if self.random() < 0.5:
            self.buy_count += 1
            self.buy_shares += shares
            self.ask, self.bid = price, price - step_at(price - 1)
        else:
            self.sell_count += 1
            self.sell_shares += shares
            self.ask, self.bid = price + step_at(price), price
        if price > self.high:
            self.high, self.high_hms = price, hms
        if price < self.low:
            self.low, self.low_hms = price, hms
        bar = self.bars.get(hms[:4])
        if bar is None:
            self.bars[hms[:4]] = [price, price, price, price, shares, turnover]
            return
        # plain comparisons: max() and min() cost three times as much, twice a tick
        if price > bar[1]:  # noqa: PLR1730
            bar[1] = price
        if price < bar[2]:  # noqa: PLR1730
            bar[2] = price
        bar[3] = price
        bar[4] += shares
        bar[5] += turnover

    def sign(self) -> str:
        """전일 대비 부호: 1 upper limit, 2 up, 3 unchanged, 4 lower limit, 5 down."""
        if self.price == self.upper:
            return "1"
        return "4" if self.price == self.lower else sign_of(self.price - self.base)


def trade_record(stock: Stock, before: tuple[int, int], hms: str, ymd: str, tail: str) -> str:
    """The H0STCNT0 record of the stock's last trade.

    before: (volume, shares bought) before that trade; tail: what follows the 46th field.
    """
    price, base, volume = stock.price, stock.base, stock.volume
    change = price - base
    shares = volume - before[0]
    bought = stock.buy_shares != before[1]
    sells, buys = stock.sell_shares, stock.buy_shares
    from_open, from_high, from_low = price - stock.open, price - stock.high, price - stock.low
    same_hour = stock.previous_volume // 2
    depth = volume % 90_000 + 100
    return (
        f"{stock.listing.code}^{hms}^{price}^{stock.sign()}^{change}^{change * 100 / base:.2f}"
        f"^{stock.amount / volume:.2f}^{stock.open}^{stock.high}^{stock.low}"
        f"^{stock.ask}^{stock.bid}^{shares}^{volume}^{stock.amount}"
        f"^{stock.sell_count}^{stock.buy_count}^{stock.buy_count - stock.sell_count}"
        f"^{buys * 100 / sells:.2f}^{sells}^{buys}^{'1' if bought else '5'}^{buys / volume:.2f}"
        f"^{volume * 100 / stock.previous_volume:.2f}"
        f"^{stock.open_hms}^{sign_of(from_open)}^{from_open}"
        f"^{stock.high_hms}^{sign_of(from_high)}^{from_high}"
        f"^{stock.low_hms}^{sign_of(from_low)}^{from_low}"
        f"^{ymd}^20^{'Y' if stock.halted else 'N'}^{depth}^{depth * 2}^{depth * 11}^{depth * 13}"
        f"^{volume * 100 / stock.listing.shares:.2f}^{same_hour}^{volume * 100 / same_hour:.2f}"
        f"^0^^{stock.open}{tail}"
    )


# what stands after the 46th field since 2026-09-14, and a field nobody has announced yet
TAILS = {46: "", 47: "^2", 48: "^2^0"}
