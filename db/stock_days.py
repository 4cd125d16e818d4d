"""Table `stock_day`: limits and designations of the stocks that have conditions, a row each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

from sqlalchemy import Connection, Engine, bindparam, select, text, update
from sqlalchemy.dialects.mysql import insert

from db.errors import mapped
from db.ledger import Site
from db.tables import stock_day
from trading.clock import KST
from trading.designations import StockDay, joined, not_bought


def stocks_to_read(engine: Engine, site: Site, since: datetime) -> list[str]:
    """Stocks with a condition that is not removed and whose row is older than ``since`` (aware);
    those with an armed one first."""
    query = text(
        f"SELECT c.symbol FROM {site.table('condition')} c"
        " LEFT JOIN stock_day d ON d.symbol = c.symbol AND d.received_at >= :since"
        " WHERE c.deleted_at IS NULL AND d.symbol IS NULL"
        " GROUP BY c.symbol ORDER BY MAX(c.enabled) DESC, c.symbol"
    )
    with mapped(), engine.connect() as connection:
        return list(connection.scalars(query, {"since": since.astimezone(KST)}))


def write_stock_day(engine: Engine, one: StockDay, no_buy: Collection[str], at: datetime) -> None:
    """Overwrite a stock's row; ``at`` is when the answer came, aware KST."""
    designations = None if one.designations is None else joined(one.designations)
    row = {
        "symbol": one.symbol,
        "day": at.date(),
        "base_price": one.base_price,
        "upper_limit": one.upper_limit,
        "lower_limit": one.lower_limit,
        "designations": designations,
        "no_buy": not_bought(designations or "", no_buy),
        "received_at": at,
    }
    statement = insert(stock_day).values(row)
    with mapped(), engine.begin() as connection:
        connection.execute(statement.on_duplicate_key_update(row))


def apply_no_buy(engine: Engine, no_buy: Collection[str], day: date) -> int:
    """Judge the rows of ``day`` anew by the owner's setting, it may have changed; rows changed."""
    c = stock_day.c
    query = select(c.symbol, c.designations, c.no_buy).where(c.day == day, c.designations != "")
    with mapped(), engine.begin() as connection:
        rows = connection.execute(query).all()
        changed = [
            {"of": row.symbol, "now": now}
            for row in rows
            if (now := not_bought(row.designations, no_buy)) != row.no_buy
        ]
        if changed:
            of_stock = update(stock_day).where(c.symbol == bindparam("of"))
            connection.execute(of_stock.values(no_buy=bindparam("now")), changed)
    return len(changed)


def not_bought_today(connection: Connection, symbols: Iterable[str], day: date) -> dict[str, str]:
    """Of these stocks, those that are not bought on ``day``, and why."""
    wanted = sorted(set(symbols))
    if not wanted:
        return {}
    c = stock_day.c
    query = select(c.symbol, c.no_buy).where(c.symbol.in_(wanted), c.day == day, c.no_buy != "")
    return {row.symbol: row.no_buy for row in connection.execute(query)}
