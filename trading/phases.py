"""Phases of a trading day by venue, and the order kinds each takes. Data, no clock of its own.

Source: fact sheet gotchas §3 (hours since 2026-09-14) and rest/_codes_order.json (kinds by venue).
KRX's after-market (16:00-20:00) has codes of its own (41-47), which stockd does not send.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum

from trading.clock import KST
from trading.hours import CLOSES, OPENS, SPECIAL_DAYS, TradingDay
from trading.orders import OrderKind, Venue


class Phase(StrEnum):
    """장 구분 of one venue."""

    CLOSED = "CLOSED"
    PRE = "PRE"  # NXT 프리마켓
    OPENING = "OPENING"  # 시가 단일가
    REGULAR = "REGULAR"  # 정규장 접속매매
    CLOSING = "CLOSING"  # 종가 단일가
    AFTER = "AFTER"  # NXT 애프터마켓


_ALL = frozenset(OrderKind)
_AUCTION = frozenset({OrderKind.LIMIT, OrderKind.MARKET})
_QUIET = frozenset({OrderKind.LIMIT, OrderKind.BEST, OrderKind.FIRST})  # APBK3013

# venue: (from, until, phase), KST, until exclusive
HOURS: dict[Venue, tuple[tuple[time, time, Phase], ...]] = {
    Venue.KRX: (
        (time(8, 30), time(9, 0), Phase.OPENING),
        (time(9, 0), time(15, 20), Phase.REGULAR),
        (time(15, 20), time(15, 30), Phase.CLOSING),
    ),
    Venue.NXT: (
        (time(8, 0), time(8, 50), Phase.PRE),
        (time(9, 0, 30), time(15, 20), Phase.REGULAR),
        (time(15, 40), time(20, 0), Phase.AFTER),
    ),
    Venue.SOR: (
        (time(8, 0), time(8, 50), Phase.PRE),
        (time(9, 0), time(15, 20), Phase.REGULAR),
        (time(15, 20), time(15, 30), Phase.CLOSING),
        (time(15, 40), time(20, 0), Phase.AFTER),
    ),
}

# kinds a venue knows at all (NXT has no plain market order, ORD_DVSN 01)
VENUE_KINDS: dict[Venue, frozenset[OrderKind]] = {
    Venue.KRX: _ALL,
    Venue.NXT: _ALL - {OrderKind.MARKET},
    Venue.SOR: _ALL,
}

PHASE_KINDS: dict[Phase, frozenset[OrderKind]] = {
    Phase.CLOSED: frozenset(),
    Phase.PRE: _QUIET,
    Phase.OPENING: _AUCTION,
    Phase.REGULAR: _ALL,
    Phase.CLOSING: _AUCTION,
    Phase.AFTER: _QUIET,
}


def phase_at(venue: Venue, at: time) -> Phase:
    """Phase of ``venue`` at a KST time of a trading day."""
    for start, end, phase in HOURS[venue]:
        if start <= at < end:
            return phase
    return Phase.CLOSED


def phase_on(today: TradingDay, venue: Venue, at: time) -> Phase:
    """Phase of ``venue`` at a KST time of ``today``, whose hours may be moved (수능일).

    What lies before the opening moves with it, what ends with the market moves with the close; the
    end of the after-market (20:00) hangs on the clock.
    """
    for start, end, phase in HOURS[venue]:
        if _moved(start, today) <= at < _moved(end, today):
            return phase
    return Phase.CLOSED


def _moved(edge: time, today: TradingDay) -> time:
    if edge == time(20, 0):
        return edge
    ordinary, actual = (OPENS, today.opens) if edge < time(9, 1) else (CLOSES, today.closes)
    shift = timedelta(hours=actual.hour - ordinary.hour, minutes=actual.minute - ordinary.minute)
    return (datetime.combine(today.day, edge, tzinfo=KST) + shift).time()


def kinds_at(venue: Venue, phase: Phase) -> frozenset[OrderKind]:
    """Order kinds that ``venue`` takes in ``phase``."""
    return VENUE_KINDS[venue] & PHASE_KINDS[phase]


def takes_now(venue: Venue, kind: OrderKind, at: datetime) -> bool:
    """Whether ``venue`` takes orders of ``kind`` at ``at`` (aware), were it a trading day.

    For the trader, which sees prices of other hours and other books too (the closing print at
    15:30, 시간외, KRX's after-market): they must not spend an arming on an order nobody takes.
    """
    now = at.astimezone(KST)
    today = SPECIAL_DAYS.get(now.date()) or TradingDay(now.date())
    return kind in kinds_at(venue, phase_on(today, venue, now.time()))
