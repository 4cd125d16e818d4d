"""Bars (봉): reading them, and repairing what the EVENT never saw."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine, select, text

from db.errors import mapped
from db.tables import bar as bar_table
from db.types import to_kst_naive
from trading.bars import LENGTHS, Bar
from trading.errors import BadInput

_BATCH = 2000  # bars a call: some 400 kB of JSON, far below max_allowed_packet


def repair_bars(engine: Engine, bars: Iterable[Bar]) -> int:
    """Give minute bars to the server's own upsert (procedure `bar_repair`, role market); the larger
    ones follow in the same transaction. Returns how many minute bars were new or changed.

    Idempotent. A stored bar with more ticks stays as it is. Raises BadInput for a bar that is not
    a whole minute's, Transient when the EVENT holds the bars for 10 s, Unavailable without server.
    """
    rows = [_as_json(one) for one in bars]
    changed = 0
    with mapped(), engine.connect() as connection:
        for start in range(0, len(rows), _BATCH):
            body = json.dumps(rows[start : start + _BATCH])
            result = connection.execute(text("CALL bar_repair(:body)"), {"body": body})
            changed += int(result.scalar_one())
        connection.commit()
    return changed


def read_bars(
    engine: Engine, symbol: str, minutes: int, since: datetime, until: datetime
) -> list[Bar]:
    """Bars of one stock starting in [since, until), oldest first. The last one may still grow."""
    if minutes not in LENGTHS:
        raise BadInput("minutes", minutes, f"one of {', '.join(map(str, LENGTHS))}")
    c = bar_table.c
    query = (
        select(c.symbol, c.minutes, c.at, c.open, c.high, c.low, c.close, c.volume, c.turnover)
        .add_columns(c.ticks, c.gap)
        .where(c.symbol == symbol, c.minutes == minutes, c.at >= since, c.at < until)
        .order_by(c.at)
    )
    with mapped(), engine.connect() as connection:
        rows = connection.execute(query).all()
    return [Bar(**{**row._mapping, "gap": bool(row.gap)}) for row in rows]


def _as_json(one: Bar) -> dict[str, object]:
    at = to_kst_naive(one.at)
    if one.minutes != 1 or at.second or at.microsecond:
        raise BadInput("bar", f"{one.symbol} {one.minutes}분 {at}", "a whole minute's bar expected")
    if one.ticks < 1:
        raise BadInput(
            "ticks", one.ticks, f"{one.symbol} {at}: a minute without a trade has no bar"
        )
    return {
        "symbol": one.symbol,
        "at": at.isoformat(sep=" "),
        "open": one.open,
        "high": one.high,
        "low": one.low,
        "close": one.close,
        "volume": one.volume,
        "turnover": one.turnover,
        "ticks": one.ticks,
        "gap": int(one.gap),
    }
