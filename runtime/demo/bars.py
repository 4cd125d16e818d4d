"""Bars made anew from the frames the simulator says it sent, against table ``bar`` (P3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from runtime.demo.broker import DAY, HHMMSS, PRICE, SYMBOL, VOLUME

Key = tuple[str, datetime]


@dataclass(slots=True)
class Minute:
    """One minute of one stock from the raw records. KRW and shares."""

    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    ticks: int = 0

    def add(self, price: int, volume: int) -> None:
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.close = price
        self.volume += volume
        self.ticks += 1


def fold(found: Iterable[tuple[float, list[str]]]) -> dict[Key, Minute]:
    """Minute bars (naive KST start) of the records, in the order they were sent."""
    minutes: dict[Key, Minute] = {}
    for _, fields in found:
        price = int(fields[PRICE])
        at = datetime.strptime(fields[DAY] + fields[HHMMSS][:4], "%Y%m%d%H%M")  # noqa: DTZ007
        key = (fields[SYMBOL], at)
        if key not in minutes:
            minutes[key] = Minute(price, price, price, price)
        minutes[key].add(price, int(fields[VOLUME]))
    return minutes


def compare(
    engine: sa.Engine, minutes: dict[Key, Minute], until: datetime
) -> tuple[int, list[str]]:
    """Number of one-minute bars in the table, and a line for each that is wrong or missing.

    ``until``: naive KST; minutes that ended after it are still being copied. A bar that says it
    has a gap is not wrong.
    """
    query = sa.text(
        "SELECT symbol, at, open, high, low, close, volume, ticks, gap FROM bar WHERE minutes = 1"
    )
    with engine.connect() as connection:
        rows = {(row.symbol, row.at): row for row in connection.execute(query)}
    wrong = []
    for key, row in rows.items():
        made = minutes.get(key)
        has = (row.open, row.high, row.low, row.close, row.volume, row.ticks)
        if row.gap or key[1] >= until:
            continue
        if made is None:
            wrong.append(f"{key[0]} {key[1]:%H:%M}: a bar without ticks")
            continue
        want = (made.open, made.high, made.low, made.close, made.volume, made.ticks)
        if has != want:
            wrong.append(f"{key[0]} {key[1]:%H:%M}: {has} instead of {want}")
    wrong += [
        f"{symbol} {at:%H:%M}: no bar"
        for symbol, at in minutes
        if at < until and (symbol, at) not in rows
    ]
    return len(rows), wrong
