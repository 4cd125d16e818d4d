"""Phases of a trading day (장 운영 시간), KST, as data: a rule change is a new line here.

Sources: fact sheet gotchas §3; what changed on 2026-09-14 is marked by its ``since``. A late
opening (수능, first day of the year) moves the edges: each edge hangs on the opening, on the close,
or on the clock. Pure: whether a day is a trading day, and when it opens, comes from the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from trading.clock import KST
from trading.orders import Venue

OPENS, CLOSES = time(9, 0), time(15, 30)  # of an ordinary day
RULES_OF_2026_09 = date(2026, 9, 14)


class PhaseKind(StrEnum):
    """What happens in a phase."""

    AUCTION = "AUCTION"  # 단일가: orders collected, one price at the end, no ticks in between
    CONTINUOUS = "CONTINUOUS"  # 접속매매
    FIXED = "FIXED"  # 시간외 종가: at the closing price
    AFTER = "AFTER"  # 애프터마켓: continuous, a book of its own, no market orders
    PRE = "PRE"  # 프리마켓


class Anchor(StrEnum):
    """What an edge moves with on a day of other hours."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"
    CLOCK = "CLOCK"


@dataclass(frozen=True, slots=True)
class Edge:
    """A time of day and what it hangs on."""

    at: time
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Phase:
    """One line of the rules. ``until`` is the last day of the rule, None while it holds."""

    venue: Venue
    kind: PhaseKind
    name: str
    start: Edge
    end: Edge
    since: date = date(2025, 3, 4)
    until: date | None = None


def _open(hour: int, minute: int, second: int = 0) -> Edge:
    return Edge(time(hour, minute, second), Anchor.OPEN)


def _close(hour: int, minute: int) -> Edge:
    return Edge(time(hour, minute), Anchor.CLOSE)


def _clock(hour: int, minute: int) -> Edge:
    return Edge(time(hour, minute), Anchor.CLOCK)


_BEFORE = RULES_OF_2026_09 - timedelta(days=1)
K, N = Venue.KRX, Venue.NXT

PHASES: tuple[Phase, ...] = (
    Phase(K, PhaseKind.FIXED, "장전 시간외 종가", _open(8, 30), _open(8, 40)),
    Phase(K, PhaseKind.AUCTION, "시가 단일가", _open(8, 30), _open(9, 0)),
    Phase(K, PhaseKind.CONTINUOUS, "정규장", _open(9, 0), _close(15, 20)),
    Phase(K, PhaseKind.AUCTION, "종가 단일가", _close(15, 20), _close(15, 30)),
    Phase(K, PhaseKind.FIXED, "장후 시간외 종가", _close(15, 40), _close(16, 0)),
    Phase(K, PhaseKind.AUCTION, "시간외 단일가", _close(16, 0), _close(18, 0), until=_BEFORE),
    Phase(
        K, PhaseKind.AFTER, "애프터마켓", _close(16, 0), _clock(20, 0), since=RULES_OF_2026_09
    ),
    Phase(N, PhaseKind.PRE, "프리마켓", _open(8, 0), _open(8, 50)),
    Phase(N, PhaseKind.CONTINUOUS, "메인마켓", _open(9, 0, 30), _close(15, 20)),
    Phase(N, PhaseKind.AFTER, "애프터마켓", _close(15, 40), _clock(20, 0)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TradingDay:
    """A day the exchange opens, with its hours of the regular market (KST)."""

    day: date
    opens: time = OPENS
    closes: time = CLOSES

    def moment(self, edge: Edge) -> datetime:
        """When an edge of the rules falls on this day, aware KST."""
        ordinary = {Anchor.OPEN: OPENS, Anchor.CLOSE: CLOSES, Anchor.CLOCK: time(0)}[edge.anchor]
        actual = {Anchor.OPEN: self.opens, Anchor.CLOSE: self.closes, Anchor.CLOCK: time(0)}
        moved = _minutes(actual[edge.anchor]) - _minutes(ordinary)
        return datetime.combine(self.day, edge.at, tzinfo=KST) + timedelta(minutes=moved)


# What the calendar library (XKRX) does not know; the broker's word (chk-holiday) comes before both.
CSAT_OPENS, CSAT_CLOSES = time(10, 0), time(16, 30)
SPECIAL_DAYS: dict[date, TradingDay | None] = {
    day: TradingDay(day, CSAT_OPENS, CSAT_CLOSES)  # 수능일: one hour later, both ends
    for day in (date(2025, 11, 13), date(2026, 11, 19), date(2027, 11, 18))
} | {
    date(2026, 6, 3): None,  # 전국동시지방선거
}


def phases_of(today: TradingDay) -> list[tuple[Phase, datetime, datetime]]:
    """The phases in force on that day with their start and end (end not included)."""
    return [
        (phase, today.moment(phase.start), today.moment(phase.end))
        for phase in PHASES
        if phase.since <= today.day and (phase.until is None or today.day <= phase.until)
    ]


def phases_at(today: TradingDay, at: datetime) -> list[Phase]:
    """The phases running at ``at`` (aware)."""
    return [phase for phase, start, end in phases_of(today) if start <= at < end]


def is_working_time(today: TradingDay, at: datetime) -> bool:
    """Whether anything of the account or the market can move: first phase's start to last's end.

    What polls and alarms go by: pauses between two phases are working time.
    """
    edges = phases_of(today)
    return min(start for _, start, _ in edges) <= at < max(end for _, _, end in edges)


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
