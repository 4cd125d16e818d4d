"""The broker of the lives, with a book of its own, and the order lane that Redis would keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trading.errors import Throttled, Unavailable
from trading.fills import Notice, NoticeKind
from trading.orders import Accepted, BrokerOrder, NewOrder, Outcome, Rejected, Unknown

if TYPE_CHECKING:
    from lives import Life

PRICE = 10_000


@dataclass
class Held:
    """An order in the broker's book."""

    number: str
    order: NewOrder
    at: datetime
    filled: int = 0
    amount: int = 0
    cancelled: bool = False
    shown_at: float = 0.0  # true time from which the list shows it

    @property
    def open(self) -> int:
        return 0 if self.cancelled else self.order.quantity - self.filled


@dataclass
class SimBroker:
    """``trading.orders.Broker`` with a book of its own."""

    life: Life
    book: list[Held] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)

    def prepare(self) -> None:
        if self.life.chance(0.03):
            self.life.count("no connection to the broker")
            raise Unavailable("connect")

    def place(self, order: NewOrder) -> Outcome:
        life = self.life
        life.clock.true += life.rng.uniform(0.001, 0.05)
        life.between("before the request", kill=0.03)
        fate = 1 - life.rng.random()
        if fate < 0.06:
            life.count("request lost")
            life.clock.true += 4
            return Unknown("timeout")
        self.arrivals.append(life.clock.true)
        life.world.calls += 1
        if fate < 0.11:
            return Rejected("APBK0656", "no")
        if fate < 0.16:
            life.count("token refused")
            life.between("after the request", kill=0.06)
            return Rejected("EGW00123", "expired", token_refused=True)
        life.number += 1
        shown = life.clock.true
        if life.chance(0.2):
            life.count("list lags")
            shown += life.rng.uniform(0, 3)
        held = Held(str(life.number), order, life.clock.now(), shown_at=shown)
        self.book.append(held)
        self._trade(held, life.rng.random())  # a notice may come before the answer
        life.between("after the request", kill=0.06)
        if fate < 0.25:
            life.count("reply lost")
            life.clock.true += life.rng.uniform(0.5, 7)
            return Unknown("reset")
        if life.chance(0.05):
            life.count("reply late")
            life.clock.true += life.rng.uniform(0.05, 3)
        life.clock.true += life.rng.uniform(0.001, 0.05)
        return Accepted(held.number, "06010", "100000")

    def cancel(self, *_: Any) -> Outcome:
        raise AssertionError("nobody cancels in these lives")

    def orders_of_day(self, day: datetime) -> list[BrokerOrder]:
        life = self.life
        if life.chance(0.1):
            life.count("list unavailable")
            raise Unavailable("list")
        life.clock.true += life.rng.uniform(0.01, 0.2)
        shown = [_row(h) for h in self.book if h.shown_at <= life.clock.true]
        life.between("while the list is on its way", kill=0.02)
        return shown

    def _trade(self, held: Held, roll: float) -> None:
        if held.open <= 0 or roll < 0.4:
            return
        shares = held.open if roll > 0.7 else self.life.rng.randint(1, held.open)
        held.filled += shares
        held.amount += shares * PRICE
        self._tell(held, NoticeKind.FILL, shares)

    def _tell(self, held: Held, kind: NoticeKind, shares: int) -> None:
        life, order = self.life, held.order
        notice = Notice(
            "1", held.number, "", order.side, kind, order.symbol, shares, PRICE,
            order.quantity, life.clock.now().replace(microsecond=0),
        )  # fmt: skip
        if life.chance(0.2):
            life.count("notice lost")
        else:
            life.notices.append(notice)
        if life.chance(0.1):
            life.count("notice doubled")
            life.notices.append(notice)

    def move(self) -> None:
        """The market goes on: fills, and now and then a cancel by the owner's hand."""
        for held in self.book:
            if held.open > 0:
                if self.life.chance(0.05):
                    self.life.count("cancelled part filled" if held.filled else "cancelled")
                    held.cancelled = True
                    self._tell(held, NoticeKind.CANCELLED, held.order.quantity - held.filled)
                else:
                    self._trade(held, self.life.rng.random())


def _row(held: Held) -> BrokerOrder:
    order, left = held.order, held.order.quantity - held.filled
    return BrokerOrder(
        held.number, "", "06010", order.symbol, order.side, "00", order.quantity, order.price,
        held.at.replace(microsecond=0), held.filled, held.amount, held.open,
        left if held.cancelled else 0, 0, held.cancelled,
    )  # fmt: skip


@dataclass
class SimLane:
    """The order lane: one call, and a second after its answer (true time, as Redis keeps it)."""

    life: Life

    def take(self, timeout: float) -> None:
        life = self.life
        if life.chance(0.03):
            life.count("no permit")
            raise Throttled("lane")
        if life.lane_free > life.clock.true + timeout:
            raise Throttled("lane")
        life.clock.true = max(life.clock.true, life.lane_free)
        life.lane_free = life.clock.true + 8

    def give_back(self) -> None:
        self.life.lane_free = self.life.clock.true + 1
