"""Order numbers, matching against the walk, and what is told to whom when."""

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import Any

from simulator.account import Account
from simulator.journal import Journal, stamp
from simulator.market import Market
from simulator.order import ALL_OR_NONE, IMMEDIATE, Order, Refused, check_kind, check_means
from simulator.stock import Stock

# told to the notice desk: what happened, the order, extra figures
Tell = Callable[[str, Order, dict[str, int]], None]


class Exchange:
    """All orders of all accounts. Fills follow the market's own prices."""

    def __init__(self, market: Market, journal: Journal, tell: Tell, seed: int) -> None:
        self.market = market
        self.journal = journal
        self.tell = tell
        self.orders: dict[str, Order] = {}
        self.fills = 0
        self.refuse_after_sent = 0  # next so many orders are refused by the exchange itself
        self._random = Random(seed ^ 0x0D)
        self._number = 1_000 + self._random.randrange(90_000)
        market.on_trade = self.traded

    @property
    def scenario(self) -> Any:
        """The knobs."""
        return self.market.scenario

    def place(
        self,
        account: Account,
        code: str,
        *,
        side: str,
        kind: str,
        venue: str,
        quantity: int,
        price: int,
    ) -> Order:
        """Take a new order. Raises Refused."""
        stock = self.market.stocks.get(code)
        if stock is None:
            raise Refused("code")
        if quantity <= 0:
            raise Refused("field")
        self._check_open(stock)
        now = time.monotonic()
        check_kind(kind, venue, price, stock, in_vi=now < stock.vi_until)
        order = Order(
            "", account, stock, side, kind, quantity, price,
            self.market.clock.ymd, self.market.clock.hms, now, venue,
        )  # fmt: skip
        check_means(order, self.scenario.fee_ppm)
        self._enter(order)
        return order

    def modify(self, account: Account, odno: str, kind: str, amounts: tuple[int, int]) -> Order:
        """Replace the price of an open order; (quantity 0 = all, price). Raises Refused."""
        old = self._open_order(account, odno)
        quantity = self._part(old, amounts[0])
        self._check_open(old.stock)
        in_vi = time.monotonic() < old.stock.vi_until
        check_kind(kind, old.venue, amounts[1], old.stock, in_vi=in_vi)
        new = self._follow(old, "MODIFY", quantity, amounts[1], kind)
        old.cancelled += quantity
        self._reserve(old)
        try:
            check_means(new, self.scenario.fee_ppm)
        except Refused:
            old.cancelled -= quantity
            self._reserve(old)
            raise
        self._enter(new)
        return new

    def cancel(self, account: Account, odno: str, quantity: int) -> Order:
        """Cancel the remainder (quantity 0) or a part of it. Raises Refused."""
        old = self._open_order(account, odno)
        quantity = self._part(old, quantity)
        order = self._follow(old, "CANCEL", quantity, 0, old.kind)
        old.cancelled += quantity
        self._reserve(old)
        self._enter(order)
        return order

    def _check_open(self, stock: Stock) -> None:
        if not self.market.orders_taken():
            raise Refused("hours")
        if stock.halted:
            raise Refused("halt")

    def _open_order(self, account: Account, odno: str) -> Order:
        order = self.orders.get(odno.zfill(10))
        if order is None or order.account is not account:
            raise Refused("original")
        if order.remainder <= 0:
            raise Refused("remainder")
        return order

    @staticmethod
    def _part(order: Order, quantity: int) -> int:
        if quantity > order.remainder:
            raise Refused("remainder")
        return quantity or order.remainder

    def _follow(self, old: Order, action: str, quantity: int, price: int, kind: str) -> Order:
        return Order(
            "", old.account, old.stock, old.side, kind, quantity, price,
            self.market.clock.ymd, self.market.clock.hms, time.monotonic(), old.venue,
            action, old.odno,
        )  # fmt: skip

    def _enter(self, order: Order) -> None:
        self._number += 1 + self._random.randrange(3)
        order.odno = f"{self._number:010d}"
        self.orders[order.odno] = order
        order.working = True  # not before its acceptance
        self._reserve(order)
        asyncio.get_running_loop().call_soon(self._accept, order)

    def _accept(self, order: Order) -> None:
        order.working = False
        if self.refuse_after_sent and order.action != "CANCEL":
            self.refuse_after_sent -= 1
            order.rejected = order.remainder
            self._reserve(order)
            self._log("rejected", order, quantity=order.rejected)
            self.tell("rejected", order, {})
            return
        self.tell("accepted" if order.action == "NEW" else order.action.lower(), order, {})
        if order.action == "CANCEL":
            return
        if order.kind in ALL_OR_NONE | IMMEDIATE and not order.marketable():
            self._drop_rest(order)
        elif order.marketable():
            self._start_fill(order, None)

    def _reserve(self, order: Order) -> None:
        order.reserve(self.scenario.fee_ppm)
        stock = order.stock
        if order.remainder > 0 and order not in stock.orders:
            stock.orders.append(order)
        elif order.remainder <= 0 and order in stock.orders:
            stock.orders.remove(order)
        self.market.review(stock)

    def traded(self, stock: Stock) -> None:
        """A trade of the market: orders it touches begin to fill at their own price."""
        for order in list(stock.orders):
            if not order.working and order.odno and order.touched():
                self._start_fill(order, order.price if order.priced() else None)

    def _start_fill(self, order: Order, price: int | None) -> None:
        order.working = True
        left = order.remainder
        parts = max(1, min(left, self._random.randint(1, max(1, self.scenario.fill_parts))))
        sizes = [left // parts] * parts
        sizes[-1] += left - sum(sizes)
        loop = asyncio.get_running_loop()
        # never before its acceptance has been told
        delay = max(self.scenario.fill_delay_s, self.scenario.notice_delay_s)
        for number, size in enumerate(sizes):
            last = number == parts - 1
            loop.call_later(
                delay + number * self.scenario.fill_gap_s, self._fill, order, size, price, last
            )

    def _fill(self, order: Order, size: int, price: int | None, last: bool) -> None:
        size = min(size, order.remainder)
        held_up = order.stock.halted or time.monotonic() < order.stock.vi_until
        if size > 0 and not held_up and (price is not None or order.marketable()):
            if price is None:
                price = order.stock.ask if order.side == "BUY" else order.stock.bid
                price = min(max(price, order.stock.lower), order.stock.upper)
            self._book(order, size, price)
        if not last:
            return
        order.working = False
        if order.kind in ALL_OR_NONE | IMMEDIATE and order.remainder > 0:
            self._drop_rest(order)

    def _book(self, order: Order, size: int, price: int) -> None:
        book = order.account.buy if order.side == "BUY" else order.account.sell
        book(order.stock, size, price, self.scenario)
        order.filled += size
        order.amount += size * price
        self.fills += 1
        when = stamp() | {"hms": self.market.clock.hms, "quantity": size, "price": price}
        order.fills.append(when)
        self._reserve(order)
        self._log("fill", order, quantity=size, price=price, filled=order.filled)
        self.tell("fill", order, {"quantity": size, "price": price})

    def _drop_rest(self, order: Order) -> None:
        order.cancelled += order.remainder
        self._reserve(order)
        self._log("dropped", order, quantity=order.cancelled)
        self.tell("dropped", order, {})

    def _log(self, kind: str, order: Order, **more: int) -> None:
        line = stamp() | {"kind": kind, "account": order.account.label, "odno": order.odno}
        self.journal.order(line | {"symbol": order.code, "side": order.side} | more)

    def new_day(self) -> None:
        """What is still open at the day's end is gone the next."""
        for order in self.orders.values():
            if order.remainder > 0:
                order.cancelled += order.remainder
                self._reserve(order)
