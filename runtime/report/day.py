"""One day's report: read, compared, with what is drawn on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Engine

from db import report_reads as reads
from db.bars import read_bars
from db.chart_reads import FillMark, fills_of, stock_name
from runtime.report.compare import (
    Compared,
    Difference,
    bars_with_closes,
    broker_with_account,
    ledger_with_broker,
    new_orders,
)
from trading.bars import Bar
from trading.clock import KST
from trading.fills import Side
from trading.hours import TradingDay
from trading.orders import BrokerOrder

BAR_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Drawn:
    """One traded stock's day: bars oldest first, our fills."""

    symbol: str
    name: str
    bars: list[Bar]
    fills: list[FillMark]


@dataclass(frozen=True, slots=True)
class Report:
    """What the evening found. Money KRW. ``by_hand``: the owner's own orders, left alone."""

    day: date
    account: str
    made_at: datetime
    orders: list[reads.LedgerOrder]
    by_hand: list[BrokerOrder]
    bought: int
    sold: int
    compared: Compared
    drawn: list[Drawn]

    @property
    def ok(self) -> bool:
        return not self.compared.differences

    @property
    def differences(self) -> tuple[Difference, ...]:
        return self.compared.differences

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": self.ok,
            "day": self.day.isoformat(),
            "account": self.account,
            "strikes": len(self.orders),
            "orders": sum(1 for one in self.orders if one.order_no),
            "by_hand": len(self.by_hand),
            "bought": self.bought,
            "sold": self.sold,
            "differences": [asdict(one) for one in self.differences],
            "left_out": list(self.compared.left_out),
        }


def make_report(
    engine: Engine,
    account: str,
    today: TradingDay,
    orders_of_day: Callable[[date], list[BrokerOrder]],
    now: datetime,
) -> Report:
    """Compare one day. Raises as the broker's read does (Throttled, Unavailable, AuthError …)."""
    day = today.day
    theirs = orders_of_day(day)  # first: the account is read after it and can only be newer
    ours = reads.ledger_orders(engine, account, day)
    known = {one.order_no for one in ours}
    traded = sorted({one.symbol for one in theirs if one.filled})
    compared = (
        ledger_with_broker(ours, theirs)
        + broker_with_account(
            theirs,
            reads.account_before(engine, account, day),
            reads.account_after(engine, account, day),
        )
        + bars_with_closes(
            reads.last_bars(engine, day, today.closes, traded),
            reads.closes(engine, day, traded),
            traded,
        )
    )
    return Report(
        day,
        account,
        now,
        ours,
        [one for one in new_orders(theirs) if one.order_no not in known],
        sum(one.filled_amount for one in theirs if one.side is Side.BUY),
        sum(one.filled_amount for one in theirs if one.side is Side.SELL),
        compared,
        [_drawn(engine, symbol, day) for symbol in traded],
    )


def _drawn(engine: Engine, symbol: str, day: date) -> Drawn:
    since = datetime.combine(day, time(), tzinfo=KST)
    until = since + timedelta(days=1)
    return Drawn(
        symbol,
        stock_name(engine, symbol),
        read_bars(engine, symbol, BAR_MINUTES, since, until),
        fills_of(engine, symbol, since, until),
    )
