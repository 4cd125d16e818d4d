"""Tier 3 (전종목 일별 시세): tables `daily_price` and `listing`, a day a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import Engine, func, select
from sqlalchemy.dialects.mysql import insert

from db.errors import mapped
from db.tables import daily_price, listing

ROWS_A_STATEMENT = 500
FIGURES = (
    "day", "symbol", "open", "high", "low", "close", "price_change", "change_rate", "volume",
    "turnover", "listed_shares", "market_cap",
)  # fmt: skip


class Row(Protocol):
    """``datagokr.parse.DailyPrice``; money in KRW, ``change_rate`` in %."""

    @property
    def day(self) -> date: ...
    @property
    def symbol(self) -> str: ...
    @property
    def isin(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def market(self) -> str: ...
    @property
    def close(self) -> int: ...
    @property
    def change_rate(self) -> Decimal: ...


def write_day(engine: Engine, rows: Sequence[Row]) -> int:
    """Store one whole day: all of it or nothing; again is the same. The number of stocks.

    A day older than what ``listing`` knows of a stock leaves its name and market alone.
    """
    figures = [{name: getattr(row, name) for name in FIGURES} for row in rows]
    names = [
        {
            "symbol": row.symbol,
            "isin": row.isin,
            "name": row.name[:60],
            "market": row.market,
            "last_day": row.day,
        }
        for row in rows
    ]
    with mapped(), engine.begin() as connection:
        for part in _parts(figures):
            statement = insert(daily_price).values(part)
            fresh = {name: statement.inserted[name] for name in FIGURES[2:]}
            connection.execute(statement.on_duplicate_key_update(fresh))
        for part in _parts(names):
            statement = insert(listing).values(part)
            # last_day last: MariaDB assigns from left to right, the conditions look at the old one
            newer = statement.inserted.last_day >= listing.c.last_day
            columns = ("isin", "name", "market", "last_day")
            kept = [(n, func.if_(newer, statement.inserted[n], listing.c[n])) for n in columns]
            connection.execute(statement.on_duplicate_key_update(kept))
    return len(rows)


def stored_days(engine: Engine, first: date, last: date) -> set[date]:
    """Days of [first, last] that are stored; a day is stored whole."""
    query = select(daily_price.c.day).where(daily_price.c.day.between(first, last)).distinct()
    with mapped(), engine.connect() as connection:
        return set(connection.scalars(query))


def listed_symbols(engine: Engine) -> list[str]:
    """Every stock of the newest stored day."""
    newest = select(func.max(listing.c.last_day)).scalar_subquery()
    query = select(listing.c.symbol).where(listing.c.last_day == newest).order_by(listing.c.symbol)
    with mapped(), engine.connect() as connection:
        return list(connection.scalars(query))


def _parts(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [rows[at : at + ROWS_A_STATEMENT] for at in range(0, len(rows), ROWS_A_STATEMENT)]
