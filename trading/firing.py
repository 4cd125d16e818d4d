"""When an armed condition fires: on the tick, not on the look. Pure; the trader calls it.

Two looks are about 5 ms apart and several ticks can come between them. The row of ``market``
carries the prices of the last of them, so a touch between two looks is seen as long as the ring
reaches back to the last look; where it does not, the running bar's high and low tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trading.conditions import Condition, TriggerOp, in_its_time
from trading.price_step import price_step


@dataclass(frozen=True, slots=True)
class Look:
    """One row of ``market`` at one look. ``now`` is MariaDB's clock when the row was read."""

    symbol: str
    seq: int
    price: int
    recent: str  # "price price …", oldest first; the last is ``seq``, no number is left out
    received_at: datetime | None
    traded_at: datetime | None
    halted: bool
    drift: bool
    hour_class: str
    bar_at: datetime | None
    bar_low: int
    bar_high: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Crossing:
    """The first tick since the last look that makes a condition true.

    ``received_at`` is never later than the tick's true time of reception: for a tick that was
    already overwritten it is the time of the last look, so that its age is never understated (P7).
    """

    price: int
    seq: int
    received_at: datetime
    traded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Trail:
    """The best price since a trailing stop was armed; KRW."""

    best: int

    def stop(self, condition: Condition) -> int:
        """Price at which it fires now, on the price step, rounded to the safe side."""
        part = (condition.trail_percent or Decimal(0)) / 100
        if condition.trigger_op is TriggerOp.LE:
            raw = (self.best * (Decimal(1) - part)).to_integral_value(ROUND_CEILING)
            step = price_step(int(raw))
            return -(-int(raw) // step) * step
        raw = (self.best * (Decimal(1) + part)).to_integral_value(ROUND_FLOOR)
        return int(raw) // price_step(int(raw)) * price_step(int(raw))


def is_true(op: TriggerOp, strike_price: int, price: int) -> bool:
    """Whether ``price`` has reached ``strike_price`` in the trigger's direction."""
    return price <= strike_price if op is TriggerOp.LE else price >= strike_price


def parse_recent(recent: str, seq: int, newest: int = 0) -> list[tuple[int, int]]:
    """[(seq, price), …] oldest first; ``seq`` is the last one's. Of the ``newest`` only (0: all).
    ValueError when the column is malformed."""
    prices = recent.rsplit(None, newest)[-newest:] if newest else recent.split()
    return [(number, int(price)) for number, price in enumerate(prices, seq - len(prices) + 1)]


def new_ticks(look: Look, last: Look | None) -> list[tuple[int, int]]:
    """Ticks since ``last`` as (seq, price), the row's own last. The first look sees one tick only.

    Where the ring does not reach back to the last look, the running bar's new low and high are put
    in front with the sequence number of the oldest tick still known.
    """
    if look.price <= 0 or look.seq <= 0 or (last is not None and look.seq == last.seq):
        return []
    if last is None or look.seq < last.seq:  # first sight, or the feed started anew
        return [(look.seq, look.price)]
    missed = look.seq - last.seq - 1
    # its own tick stands there too
    known = parse_recent(look.recent, look.seq, missed + 1) if missed else []
    ticks = [pair for pair in known if last.seq < pair[0] < look.seq]
    ticks.append((look.seq, look.price))
    if ticks[0][0] > last.seq + 1 and look.bar_at is not None and look.bar_at == last.bar_at:
        unseen = []
        if 0 < look.bar_low < last.bar_low:
            unseen.append((ticks[0][0], look.bar_low))
        if look.bar_high > last.bar_high:
            unseen.append((ticks[0][0], look.bar_high))
        ticks = unseen + ticks
    return ticks


def is_usable(look: Look, condition: Condition) -> bool:
    """Whether the row may fire anything: fresh, whole, not halted, a price that was traded."""
    if (
        look.received_at is None
        or look.drift
        or look.halted
        or look.hour_class in ("A", "B", "C", "D")
    ):
        return False
    return look.now - look.received_at <= timedelta(milliseconds=condition.max_age_ms)


def fires(
    condition: Condition, look: Look, last: Look | None, trail: Trail | None = None
) -> tuple[Crossing | None, Trail | None]:
    """The first crossing since ``last`` (None: first look at this arming), and the trail then."""
    at = look.received_at
    if at is None or not is_usable(look, condition) or not in_its_time(condition, look.now):
        return None, trail
    for seq, price in new_ticks(look, last) or _standing(look, last):
        level = condition.strike_price
        if condition.trail_percent is not None:
            trail = _follow(condition, trail, price)
            if trail is None:
                continue
            level = trail.stop(condition)
        if is_true(condition.trigger_op, level, price):
            newest = seq == look.seq
            received = at if newest or last is None else min(last.now, at)
            return Crossing(price, seq, received, look.traded_at if newest else None), trail
    return None, trail


def _standing(look: Look, last: Look | None) -> list[tuple[int, int]]:
    # nothing new since the last look, but the tick is fresh: a window that just opened, or a
    # parent that just filled, must not wait for the next trade
    return [(look.seq, look.price)] if last is not None and look.price > 0 else []


def _follow(condition: Condition, trail: Trail | None, price: int) -> Trail | None:
    """A trailing stop wakes when the strike price is reached on the winning side, then follows."""
    low_side = condition.trigger_op is TriggerOp.LE
    if trail is None:
        woken = price >= condition.strike_price if low_side else price <= condition.strike_price
        return Trail(price) if woken else None
    best = max(trail.best, price) if low_side else min(trail.best, price)
    return replace(trail, best=best)
