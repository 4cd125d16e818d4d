"""Tier 2 (2계층): table `sweep_quote`, overwritten; each row keeps its own age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Engine, select, update
from sqlalchemy.dialects.mysql import insert

from db.errors import mapped
from db.tables import market, sweep_quote


class Quoted(Protocol):
    """``kis.parse_quotes.Price``; KRW and shares."""

    @property
    def symbol(self) -> str: ...
    @property
    def price(self) -> int: ...
    @property
    def change(self) -> int: ...
    @property
    def open(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def low(self) -> int: ...
    @property
    def base(self) -> int: ...
    @property
    def upper_limit(self) -> int: ...
    @property
    def lower_limit(self) -> int: ...
    @property
    def ask(self) -> int: ...
    @property
    def bid(self) -> int: ...
    @property
    def day_volume(self) -> int: ...
    @property
    def day_turnover(self) -> int: ...


def write_quotes(engine: Engine, quotes: Sequence[Quoted], at: datetime) -> None:
    """Overwrite these stocks' rows; ``at`` is when the answer came, aware KST."""
    if not quotes:
        return
    rows = [
        {
            "symbol": one.symbol,
            "name": getattr(one, "name", ""),
            "price": one.price,
            "price_change": one.change,
            "day_open": one.open,
            "day_high": one.high,
            "day_low": one.low,
            "upper_limit": one.upper_limit,
            "lower_limit": one.lower_limit,
            "base_price": one.base,
            "ask": one.ask,
            "bid": one.bid,
            "day_volume": one.day_volume,
            "day_turnover": one.day_turnover,
            "received_at": at,
            "missing_since": None,
        }
        for one in quotes
    ]
    statement = insert(sweep_quote).values(rows)
    fresh = {name: statement.inserted[name] for name in rows[0] if name != "symbol"}
    with mapped(), engine.begin() as connection:
        connection.execute(statement.on_duplicate_key_update(fresh))


def mark_missing(engine: Engine, symbols: Sequence[str], at: datetime) -> None:
    """These were asked for and did not come back: their rows keep old values and say since when."""
    if not symbols:
        return
    c = sweep_quote.c
    with mapped(), engine.begin() as connection:
        connection.execute(
            update(sweep_quote)
            .where(c.symbol.in_(symbols), c.missing_since.is_(None))
            .values(missing_since=at)
        )


def ages(engine: Engine) -> dict[str, datetime]:
    """When each stock's row was received."""
    with mapped(), engine.connect() as connection:
        rows = connection.execute(select(sweep_quote.c.symbol, sweep_quote.c.received_at)).all()
    return {row.symbol: row.received_at for row in rows}


def on_websocket(engine: Engine) -> set[str]:
    """Stocks the websocket has: never priced over REST."""
    with mapped(), engine.connect() as connection:
        return set(connection.scalars(select(market.c.symbol)))
