"""A stand-in for the market daemon's bar columns, and bars straight from raw ticks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, text


class Print(NamedTuple):
    """A trade: when it happened, when it arrives, naive KST."""

    symbol: str
    at: datetime
    arrives: datetime
    price: int
    volume: int


BarKey = tuple[str, int, datetime]
# open, high, low, close, volume, turnover, ticks
BarValue = tuple[int, int, int, int, int, int, int]


def start_of(at: datetime, minutes: int) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = int((at - midnight).total_seconds()) // 60
    return midnight + timedelta(minutes=passed // minutes * minutes)


def bar_of(prints: list[Print]) -> BarValue:
    prices = [p.price for p in prints]
    turnover = sum(p.price * p.volume for p in prints)
    volume = sum(p.volume for p in prints)
    return prices[0], max(prices), min(prices), prices[-1], volume, turnover, len(prices)


def exact_bars(prints: Iterable[Print], lengths: Iterable[int]) -> dict[BarKey, BarValue]:
    """Straight from the trades in their own order: what P3 compares with."""
    groups: dict[BarKey, list[Print]] = defaultdict(list)
    for p in prints:
        for minutes in lengths:
            groups[p.symbol, minutes, start_of(p.at, minutes)].append(p)
    return {key: bar_of(group) for key, group in groups.items()}


@dataclass
class Row:
    """The running and the previous bar of one stock; minutes that left the row before the EVENT
    came are in ``gone`` (what the real daemon keeps for its repair)."""

    running: list[Print] = field(default_factory=list)
    previous: list[Print] = field(default_factory=list)
    gone: dict[datetime, list[Print]] = field(default_factory=dict)

    def take(self, one: Print) -> None:
        minute = start_of(one.at, 1)
        if not self.running or minute > start_of(self.running[0].at, 1):
            if self.previous:
                self.gone[start_of(self.previous[0].at, 1)] = self.previous
            self.previous, self.running = self.running, [one]
        elif minute == start_of(self.running[0].at, 1):
            self.running.append(one)
        elif self.previous and minute == start_of(self.previous[0].at, 1):
            self.previous.append(one)
        else:
            self.gone.setdefault(minute, []).append(one)

    def columns(self) -> dict[str, object]:
        names = ("open", "high", "low", "close", "volume", "turnover", "ticks")
        values: dict[str, object] = {}
        for prefix, prints in (("bar", self.running), ("prev", self.previous)):
            figures = bar_of(prints) if prints else (0,) * 7
            values |= {f"{prefix}_{n}": v for n, v in zip(names, figures, strict=True)}
            values[f"{prefix}_at"] = start_of(prints[0].at, 1) if prints else None
        return values


def write_row(connection: Connection, symbol: str, row: Row, section: int = 1) -> None:
    values = {"symbol": symbol, "section": section} | row.columns()
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    updates = ", ".join(f"{name} = VALUES({name})" for name in values)
    connection.execute(
        text(f"INSERT INTO market ({names}) VALUES ({places}) ON DUPLICATE KEY UPDATE {updates}"),
        values,
    )


def stored_bars(connection: Connection) -> dict[BarKey, BarValue]:
    rows = connection.execute(
        text("SELECT symbol, minutes, at, open, high, low, close, volume, turnover, ticks FROM bar")
    )
    return {(r[0], r[1], r[2]): tuple(r[3:]) for r in rows}  # type: ignore[misc]
