"""The broker of the lives, with a book of its own, and the order lane that Redis would keep."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trading.errors import Throttled, Unavailable
from trading.fills import Notice, NoticeKind, Side
from trading.orders import (
    Accepted,
    BrokerOrder,
    NewOrder,
    OrderKind,
    Outcome,
    Rejected,
    Unknown,
)

if TYPE_CHECKING:
    from lives import Life

PRICE = 10_000


@dataclass
class Held:
    """An order in the broker's book. ``strike``: whose it is, None for one by the owner's hand."""

    number: str
    order: NewOrder
    at: datetime
    strike: int | None = None
    original: str = ""  # of a change or a cancel
    is_cancel: bool = False
    cancelled: bool = False
    shown_at: float = 0.0  # true time from which the list shows it
    fills: list[tuple[float, int]] = field(default_factory=list)  # true time, shares

    @property
    def filled(self) -> int:
        return sum(shares for _, shares in self.fills)

    @property
    def open(self) -> int:
        return 0 if self.cancelled or self.is_cancel else self.order.quantity - self.filled

    def row(self, seen_at: float) -> BrokerOrder:
        """As the list shows it, with the fills up to ``seen_at``."""
        order, filled = self.order, sum(n for at, n in self.fills if at <= seen_at)
        gone = order.quantity - self.filled if self.cancelled or self.is_cancel else 0
        return BrokerOrder(
            self.number, self.original, "06010", order.symbol, order.side, "00", order.quantity,
            order.price, self.at.replace(microsecond=0), filled, filled * PRICE,
            order.quantity - filled - gone, gone, 0, self.cancelled,
        )  # fmt: skip


@dataclass
class SimBroker:
    """``trading.orders.Broker`` with a book of its own."""

    life: Life
    book: list[Held] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)  # true times of the order calls

    def prepare(self) -> None:
        if self.life.chance(0.03):
            self.life.count("no connection to the broker")
            raise Unavailable("connect")

    # -- the order calls ----------------------------------------------------------------------

    def place(self, order: NewOrder) -> Outcome:
        life = self.life
        fate = 1 - self._arrive()
        if fate < 0.06:
            return self._never_arrived()
        self._count_call()
        if fate < 0.11:
            return self._answer(Rejected("APBK0656", "no"))
        if fate < 0.16:
            life.count("token refused")
            life.between("after the request", kill=0.06)
            return self._answer(Rejected("EGW00123", "expired", token_refused=True))
        held = self._enter(order, strike=life.whose.get(id(order)))
        self._trade(held, life.rng.random())  # a notice may come before the answer
        life.between("after the request", kill=0.06)
        return self._reply(fate < 0.25, Accepted(held.number, "06010", "100000"))

    def cancel(self, order_no: str, _branch: str, _kind: OrderKind, _venue: Any) -> Outcome:
        """The machine's own wish, after a halt that asks for it."""
        life = self.life
        fate = 1 - self._arrive()
        if fate < 0.06:
            return self._never_arrived()
        self._count_call()
        held = next((h for h in self.book if h.number == order_no), None)
        if held is None or held.open <= 0:
            return self._answer(Rejected("APBK0345", "정정/취소할 수량이 없습니다."))
        life.count("cancelled part filled by a halt" if held.filled else "cancelled by a halt")
        cancel = self._enter(
            replace(held.order, quantity=held.open), original=held.number, is_cancel=True
        )
        held.cancelled = True
        self._tell(cancel, NoticeKind.CONFIRMED, cancel.order.quantity)
        life.between("after the request", kill=0.06)
        return self._reply(fate < 0.25, Accepted(cancel.number, "06010", "100000"))

    def _arrive(self) -> float:
        life = self.life
        life.clock.true += life.rng.uniform(0.001, 0.05)
        life.between("before the request", kill=0.03)
        return float(life.rng.random())

    def _count_call(self) -> None:
        self.arrivals.append(self.life.clock.true)
        self.life.world.calls += 1

    def _never_arrived(self) -> Outcome:
        self.life.count("request lost")
        self.life.clock.true += 4
        return Unknown("timeout")

    def _reply(self, lost: bool, outcome: Outcome) -> Outcome:
        life = self.life
        if lost:
            life.count("reply lost")
            life.clock.true += life.rng.uniform(0.5, 7)
            return Unknown("reset")
        if life.chance(0.05):
            life.count("reply late")
            life.clock.true += life.rng.uniform(0.05, 3)
        life.clock.true += life.rng.uniform(0.001, 0.05)
        return self._answer(outcome)

    def _answer(self, outcome: Outcome) -> Outcome:
        """Read by the client: the lane may be used again a second from now."""
        self.life.lane_free = self.life.clock.true + 1
        return outcome

    # -- the book -----------------------------------------------------------------------------

    def _enter(self, order: NewOrder, **more: Any) -> Held:
        life = self.life
        life.number += 1
        shown = life.clock.true
        if life.chance(0.2):
            life.count("list lags")
            shown += life.rng.uniform(0, 3)
        held = Held(str(life.number), order, life.clock.now(), shown_at=shown, **more)
        self.book.append(held)
        return held

    def orders_of_day(self, day: datetime, since: datetime | None = None) -> list[BrokerOrder]:
        """What may be left out, as older than ``since``, is left out."""
        life = self.life
        if life.chance(0.1):
            life.count("list unavailable")
            raise Unavailable("list")
        life.clock.true += life.rng.uniform(0.01, 0.2)
        seen_at = life.clock.true
        if life.chance(0.1):
            life.count("list lags by fills")
            seen_at -= life.rng.uniform(0, 5)
        rows = [h.row(seen_at) for h in self.book if h.shown_at <= life.clock.true]
        if since is not None:
            rows = [one for one in rows if one.ordered_at >= since]
        life.between("while the list is on its way", kill=0.02)
        return rows

    def _trade(self, held: Held, roll: float) -> None:
        if held.open <= 0 or roll < (0.8 if self.life.slow else 0.4):
            return
        shares = (
            held.open
            if roll > (0.95 if self.life.slow else 0.7)
            else self.life.rng.randint(1, held.open)
        )
        held.fills.append((self.life.clock.true, shares))
        self._tell(held, NoticeKind.FILL, shares)

    def _tell(self, held: Held, kind: NoticeKind, shares: int) -> None:
        life, order = self.life, held.order
        notice = Notice(
            "1", held.number, held.original, order.side, kind, order.symbol, shares, PRICE,
            order.quantity, life.clock.now().replace(microsecond=0),
        )  # fmt: skip
        if life.chance(0.2):
            life.count("notice lost")
        else:
            life.notices.append(notice)
        if life.chance(0.1):
            life.count("notice doubled")
            life.notices.append(notice)

    # -- the market and the owner ---------------------------------------------------------------

    def move(self) -> None:
        """The market goes on: fills, and now and then a cancel or a change by the owner's hand."""
        for held in list(self.book):
            if held.open <= 0:
                continue
            roll = self.life.rng.random()
            if not self.life.chance(0.1):
                self._trade(held, roll)
            elif roll < 0.5:
                self.life.count("cancelled part filled" if held.filled else "cancelled")
                left, held.cancelled = held.open, True
                self._tell(held, NoticeKind.CANCELLED, left)
            else:
                self.life.count("changed by the owner")
                order = replace(held.order, quantity=held.open, price=PRICE - 100)
                held.cancelled = True
                changed = self._enter(order, original=held.number)
                self._tell(changed, NoticeKind.CONFIRMED, order.quantity)
        if self.life.chance(0.05):
            self.life.count("order by the owner")
            size, symbol = self.life.rng.randint(1, 4), self.life.symbol
            self._enter(NewOrder(symbol, Side.BUY, OrderKind.LIMIT, size, PRICE - 100))


@dataclass
class SimLane:
    """The order lane: one call, and a second after its answer (true time, as Redis keeps it)."""

    life: Life

    def take(self, timeout: float) -> None:
        life = self.life
        if life.redis_gone():
            raise Unavailable("redis")
        if life.chance(0.03):
            life.count("no permit")
            raise Throttled("lane")
        if life.lane_free > life.clock.true + timeout:
            raise Throttled("lane")
        life.clock.true = max(life.clock.true, life.lane_free)
        life.lane_free = life.clock.true + 8

    def give_back(self) -> None:
        self.life.lane_free = self.life.clock.true + 1
