"""What the evening report compares: the ledger's day, the account before and after it, closes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Engine, bindparam, text

from db.errors import mapped
from db.ledger import kst
from trading.clock import KST
from trading.fills import Side


@dataclass(frozen=True, slots=True)
class LedgerOrder:
    """A strike of the day and what its fills add up to. Money KRW."""

    strike_id: int
    symbol: str
    side: Side
    state: str
    order_no: str  # "" when it never became an order
    quantity: int
    price: int
    filled: int  # as the strike says
    filled_amount: int
    fills: int  # as the rows of table fill say
    fills_amount: int
    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """The account at a moment. Money KRW: ``cash`` is the deposit of D+2 (moves with each fill);
    ``bought``, ``sold``, ``fees`` are the day's where known (history does not keep them)."""

    at: datetime
    shares: dict[str, int]
    bought: int | None = None
    sold: int | None = None
    cash: int | None = None
    fees: int | None = None


_ORDERS = """
SELECT s.id, s.symbol, s.side, s.state, s.order_no, s.quantity, s.price, s.filled, s.filled_amount,
  s.reason, COALESCE(f.shares, 0) AS shares, COALESCE(f.amount, 0) AS amount
FROM strike s LEFT JOIN (
  SELECT order_no, SUM(quantity) AS shares, SUM(quantity * price) AS amount FROM fill
   WHERE account = :account AND order_day = :day GROUP BY order_no) f ON f.order_no = s.order_no
WHERE s.account = :account AND COALESCE(s.order_day, DATE(s.claimed_at), DATE(s.fired_at)) = :day
ORDER BY s.id
"""


def ledger_orders(engine: Engine, account: str, day: date) -> list[LedgerOrder]:
    """Every strike of the day, orders or not, in the order of firing."""
    return [
        LedgerOrder(
            r.id, r.symbol, Side(r.side), r.state, r.order_no or "", r.quantity, r.price, r.filled,
            r.filled_amount, int(r.shares), int(r.amount), r.reason,
        )
        for r in _rows(engine, _ORDERS, account=account, day=day)
    ]  # fmt: skip


def account_before(engine: Engine, account: str, day: date) -> Account | None:
    """The last snapshot before the day, None when nothing was recorded before."""
    end = datetime.combine(day, time())
    return _from_history(engine, account, end - timedelta(days=400), end)


def account_after(engine: Engine, account: str, day: date) -> Account | None:
    """The last snapshot of the day: the asset tables when they are of that day, else history."""
    found = _rows(
        engine,
        "SELECT received_at, bought_today, sold_today, deposit_d2, fees_today FROM asset_balance"
        " WHERE account = :account AND received_at >= :day AND received_at < :day + INTERVAL 1 DAY",
        account=account, day=day,
    )  # fmt: skip
    if not found:
        start = datetime.combine(day, time())
        return _from_history(engine, account, start, start + timedelta(days=1))
    shares = _rows(
        engine, "SELECT symbol, quantity FROM asset_position WHERE account = :a", a=account
    )
    own = found[0]
    return Account(
        _at(own.received_at), _held(shares), own.bought_today, own.sold_today, own.deposit_d2,
        own.fees_today,
    )  # fmt: skip


def closes(engine: Engine, day: date, symbols: Collection[str]) -> dict[str, int]:
    """data.go.kr's close of the day by stock; empty when the day is not published yet."""
    if not symbols:
        return {}
    query = "SELECT symbol, close FROM daily_price WHERE day = :day AND symbol IN :symbols"
    return {r.symbol: r.close for r in _rows(engine, query, day=day, symbols=list(symbols))}


def last_bars(
    engine: Engine, day: date, until: time, symbols: Collection[str]
) -> dict[str, tuple[int, bool]]:
    """(close, whole) of each stock's last minute of the regular market, the closing auction in it.

    ``whole`` is False when any minute of the day had a hole: its close may not be the last trade.
    """
    if not symbols:
        return {}
    query = (
        "SELECT b.symbol, b.close, EXISTS (SELECT 1 FROM bar g WHERE g.symbol = b.symbol AND"
        " g.minutes = 1 AND g.at >= :since AND g.at <= :until AND g.gap = 1) AS torn"
        " FROM bar b JOIN (SELECT symbol, MAX(at) AS at FROM bar WHERE minutes = 1"
        " AND symbol IN :symbols AND at >= :since AND at <= :until GROUP BY symbol) l"
        " ON l.symbol = b.symbol AND l.at = b.at WHERE b.minutes = 1"
    )
    since, end = datetime.combine(day, time()), datetime.combine(day, until)
    found = _rows(engine, query, since=since, until=end, symbols=list(symbols))
    return {r.symbol: (r.close, not r.torn) for r in found}


def _from_history(engine: Engine, account: str, since: datetime, until: datetime) -> Account | None:
    last = _rows(
        engine,
        "SELECT at, snapshot_no, cash FROM asset_history WHERE account = :a AND symbol = ''"
        " AND at >= :since AND at < :until ORDER BY at DESC LIMIT 1",
        a=account, since=since, until=until,
    )  # fmt: skip
    if not last:
        return None
    shares = _rows(
        engine,
        "SELECT symbol, quantity FROM asset_history WHERE account = :a AND symbol <> ''"
        " AND at = :at AND snapshot_no = :no",
        a=account, at=last[0].at, no=last[0].snapshot_no,
    )  # fmt: skip
    return Account(_at(last[0].at), _held(shares), cash=last[0].cash)


def _held(rows: Collection[Any]) -> dict[str, int]:
    return {r.symbol: int(r.quantity) for r in rows if r.quantity}


def _at(value: datetime) -> datetime:
    return kst(value) or datetime.now(KST)


def _rows(engine: Engine, query: str, **values: Any) -> list[Any]:
    statement = text(query)
    if "symbols" in values:
        statement = statement.bindparams(bindparam("symbols", expanding=True))
    with mapped(), engine.connect() as connection:
        return list(connection.execute(statement, values))
