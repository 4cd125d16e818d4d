"""The watch list (관심 종목): what a person added, after what armed conditions need."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import Engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from db.errors import mapped
from db.tables import ConditionTables, market, watch
from trading.errors import BadInput

_SYMBOL = re.compile(r"[A-Z0-9]{6,9}")


def add_watch(engine: Engine, symbol: str, by: str, at: datetime) -> bool:
    """Add a stock; False when it is there already. BadInput when it is no symbol."""
    if not _SYMBOL.fullmatch(symbol):
        raise BadInput("symbol", symbol, "6 to 9 capital letters and digits, e.g. 005930")
    statement = insert(watch).values(symbol=symbol, added_by=by[:20], added_at=at)
    try:
        with mapped(), engine.begin() as connection:
            connection.execute(statement)
    except IntegrityError:
        return False
    return True


def remove_watch(engine: Engine, symbol: str) -> bool:
    """Remove a stock; False when it was not there."""
    with mapped(), engine.begin() as connection:
        return connection.execute(delete(watch).where(watch.c.symbol == symbol)).rowcount == 1


def read_watch(engine: Engine) -> list[str]:
    """What people added, oldest first."""
    with mapped(), engine.connect() as connection:
        query = select(watch.c.symbol).order_by(watch.c.added_at, watch.c.symbol)
        return list(connection.scalars(query))


def armed_symbols(engine: Engine, tables: ConditionTables) -> list[str]:
    """Stocks of armed conditions, the longest armed first."""
    c = tables.condition.c
    query = (
        select(c.symbol).where(c.enabled == 1, c.deleted_at.is_(None)).order_by(c.updated_at, c.id)
    )
    with mapped(), engine.connect() as connection:
        return list(dict.fromkeys(connection.scalars(query)))


def wanted_symbols(engine: Engine, tables: ConditionTables) -> list[str]:
    """Everything to be watched in order of importance: armed stocks, then the list.

    The caller cuts it at its capacity (sections × 40) and names what did not fit.
    """
    return list(dict.fromkeys([*armed_symbols(engine, tables), *read_watch(engine)]))


def watched_sections(engine: Engine) -> dict[str, int]:
    """Which section delivers a stock: symbol -> section number, as `market` says.

    What daemons that share the watch list over several machines know in common.
    """
    with mapped(), engine.connect() as connection:
        rows = connection.execute(select(market.c.symbol, market.c.section))
        return {row.symbol: row.section for row in rows}
