"""What a chart shows besides bars: where they begin, our fills, armed strike prices, the name."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine, select

from db.errors import mapped
from db.tables import ConditionTables, bar, fill, listing
from trading.fills import Side


class FillMark(NamedTuple):
    """One fill on our accounts: KST, KRW, shares."""

    at: datetime
    side: Side
    price: int
    quantity: int


class StrikeLine(NamedTuple):
    """An armed condition's strike price, KRW."""

    condition_id: int
    side: Side
    price: int


def first_of_last(engine: Engine, symbol: str, minutes: int, count: int) -> datetime | None:
    """Start of the oldest of the last ``count`` bars; None when there is no bar."""
    starts = (
        select(bar.c.at)
        .where(bar.c.symbol == symbol, bar.c.minutes == minutes)
        .order_by(bar.c.at.desc())
        .limit(count)
    )
    with mapped(), engine.connect() as connection:
        found = connection.execute(starts).scalars().all()
    return found[-1] if found else None


def fills_of(engine: Engine, symbol: str, since: datetime, until: datetime) -> list[FillMark]:
    """Fills of the stock in [since, until), oldest first."""
    c = fill.c
    query = (
        select(c.at, c.side, c.price, c.quantity)
        .where(c.symbol == symbol, c.at >= since, c.at < until)
        .order_by(c.at, c.id)
    )
    with mapped(), engine.connect() as connection:
        rows = connection.execute(query).all()
    return [FillMark(row.at, Side(row.side), row.price, row.quantity) for row in rows]


def strike_lines(engine: Engine, tables: ConditionTables, symbol: str) -> list[StrikeLine]:
    """The strike prices of the stock's armed conditions."""
    c = tables.condition.c
    query = (
        select(c.id, c.side, c.strike_price)
        .where(c.symbol == symbol, c.enabled == 1, c.deleted_at.is_(None))
        .order_by(c.strike_price)
    )
    with mapped(), engine.connect() as connection:
        rows = connection.execute(query).all()
    return [StrikeLine(row.id, Side(row.side), row.strike_price) for row in rows]


def stock_name(engine: Engine, symbol: str) -> str:
    """종목명, "" when the listing does not have it."""
    with mapped(), engine.connect() as connection:
        query = select(listing.c.name).where(listing.c.symbol == symbol)
        return connection.execute(query).scalar() or ""
