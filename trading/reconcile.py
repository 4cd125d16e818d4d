"""Reconciling: what the broker's list says about a strike. Pure; db/broker_list.py writes it.

Notices are hints, the list is truth. An UNKNOWN order is settled by the list only: by stock, side,
kind, size, price, time, and an order number that is not ours yet. What nearly fits (another kind, a
minute off) may be ours under a wrong clock or made by the owner's hand: a person must say which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.fills import Side
from trading.orders import BrokerOrder, OrderKind

# ORD_TMD has whole seconds, and the broker's clock is not ours
CLOCK_SLACK = timedelta(seconds=5)
AFTER = timedelta(seconds=30)  # how long an order call may be on its way
NEAR = timedelta(seconds=60)  # further off than that it is another order
# what is asked of a day's list begins so long before the first strike that it is asked about: far
# beyond any clock's error that the order guard lets pass
LOOK_BACK = timedelta(minutes=10)
ABSENT_FOR = timedelta(seconds=10)  # two reads at least this far apart without the order


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What is known of an UNKNOWN strike. ``absent_since``: the first read without it."""

    id: int
    symbol: str
    side: Side
    quantity: int
    price: int
    claimed_at: datetime
    absent_since: datetime | None
    kind: OrderKind | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The broker has exactly this order."""

    order: BrokerOrder


@dataclass(frozen=True, slots=True)
class Absent:
    """Not in the list; ``final`` when it was absent long enough: it was never sent."""

    final: bool


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one order fits, or one nearly: a person must look, the stock stays blocked."""

    order_nos: tuple[str, ...]


Finding = Found | Absent | Ambiguous


def candidates(
    strike: Unsettled,
    orders: Iterable[BrokerOrder],
    known: Collection[str],
    further: timedelta = timedelta(0),
) -> list[BrokerOrder]:
    """Orders of the list that can be this strike, ``further`` off in time than they should be.
    ``known`` are numbers of other strikes."""
    return [
        order
        for order in orders
        if order.order_no not in known
        and not order.original_order_no  # a change or a cancel is not a new order
        and order.symbol == strike.symbol
        and order.side is strike.side
        and order.quantity == strike.quantity
        and strike.price in (0, order.price)
        and order.ordered_at >= strike.claimed_at - CLOCK_SLACK - further
        and order.ordered_at <= strike.claimed_at + AFTER + further
    ]


def _same_kind(strike: Unsettled, order: BrokerOrder) -> bool:
    return strike.kind is None or order.kind is None or order.kind is strike.kind


def find(
    strike: Unsettled,
    orders: Iterable[BrokerOrder],
    known: Collection[str],
    read_at: datetime,
) -> Finding:
    """What the list says about an UNKNOWN strike. ``read_at``: when the read was started."""
    orders = list(orders)
    fitting = [one for one in candidates(strike, orders, known) if _same_kind(strike, one)]
    if len(fitting) == 1:
        return Found(fitting[0])
    fitting = fitting or candidates(strike, orders, known, NEAR)
    if fitting:
        return Ambiguous(tuple(order.order_no for order in fitting))
    since = strike.absent_since
    return Absent(since is not None and read_at - since >= ABSENT_FOR)


def correction(filled_sum: int, previous: int | None, now: int, over_for: timedelta | None) -> int:
    """Shares to add to (or take from) our fills so that they agree with the broker's figure.

    A figure is made up for only when the read before it already had it: a notice on its way gets
    that much time. Fills beyond the broker's figure are taken back when two reads ``ABSENT_FOR``
    apart both say so: the list can lag.
    """
    if now > filled_sum:
        certain = min(now, previous if previous is not None else 0)
        return max(0, certain - filled_sum)
    if now < filled_sum and over_for is not None and over_for >= ABSENT_FOR:
        return now - filled_sum
    return 0
