"""Tape: trade frames folded into one running state a stock, exact to the record. The hot path.

What a table of latest values and running bars needs, and nothing more, is done per record; the
rest of a record is read (``kis.parse.parse_tick``) only when its stock's row is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kis.frames import ONE_TRADE, TRADE_PREFIX, Record, TradeReader
from kis.parse import HEAD, parse_tick
from trading.errors import BadInput
from trading.ticks import Tick

MinuteBar = tuple[bytes, int, int, int, int, int, int, int]
"""(HHMM, open, high, low, close, volume, turnover = sum of price × volume, ticks), KRW, shares."""


class Running:
    """One stock: its last record, its running minute, and the minute before that."""

    __slots__ = (
        "close", "closed", "high", "late", "low", "minute", "open", "record", "seq", "symbol",
        "ticks", "turnover", "volume",
    )  # fmt: skip

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.seq = 0  # records so far: grows by one each
        self.record: Record = []  # the last one
        self.minute = b""  # HHMM of the running bar
        self.open = self.high = self.low = self.close = 0
        self.volume = self.turnover = self.ticks = 0
        self.closed: MinuteBar | None = None  # the bar before the running one
        self.late = 0  # records older than both bars: in none of them

    @property
    def bar(self) -> MinuteBar:
        """The running bar."""
        return (
            self.minute, self.open, self.high, self.low, self.close,
            self.volume, self.turnover, self.ticks,
        )  # fmt: skip

    def tick(self) -> Tick:
        """The last record in full. BadInput if something beyond the running figures is wrong."""
        return parse_tick(self.record)

    def turn(self, minute: bytes, price: int, volume: int) -> None:
        """A record of another minute: a later one closes the bar, an earlier one belongs back."""
        if minute > self.minute:
            if self.minute:
                self.closed = self.bar
            self.minute = minute
            self.open = self.high = self.low = self.close = price
            self.volume, self.turnover, self.ticks = volume, price * volume, 1
        elif self.closed is not None and self.closed[0] == minute:
            _, first, high, low, _, shares, turnover, ticks = self.closed
            self.closed = (
                minute, first, max(high, price), min(low, price), price,
                shares + volume, turnover + price * volume, ticks + 1,
            )  # fmt: skip
        else:
            self.late += 1


class Tape:
    """All stocks of some sections. ``dirty`` holds those that changed since the caller took it."""

    def __init__(self) -> None:
        self.stocks: dict[bytes, Running] = {}
        self.dirty: dict[bytes, Running] = {}

    def take_dirty(self) -> Iterable[Running]:
        """The stocks that changed since the last call, each with its newest record."""
        taken, self.dirty = self.dirty, {}
        return taken.values()

    def new_day(self) -> None:
        """Forget everything: minutes are HHMM only, so a day begins empty."""
        self.stocks.clear()
        self.dirty = {}

    def fold(self, reader: TradeReader, messages: Iterable[Any]) -> list[Any]:
        """Fold the trade frames among ``messages`` of one section, in the order they came.

        Returns the messages that are something else. ``reader`` counts; a record without a
        readable code, time, price or volume is refused there and changes nothing here.
        """
        stocks, dirty = self.stocks, self.dirty
        others: list[Any] = []
        carets, folded = reader.carets, 0
        for message in messages:
            records: Sequence[Record]
            if (  # as in reader.records, without the call: this is nearly every frame
                message[:15] == ONE_TRADE
                and message.count(b"^") == carets
                and message.isascii()
                and b"_" not in message
                and b" " not in message
            ):
                first = message.split(b"^", HEAD)
                first[0] = first[0][15:]
                records = (first,)
                folded += 1
            elif message[:11] == TRADE_PREFIX:
                records = reader.records_of_many(message)
                carets = reader.carets
            else:
                others.append(message)
                continue
            for record in records:
                try:
                    price, volume = int(record[2]), int(record[12])
                except ValueError:
                    reader.unread(record)
                    continue
                code = record[0]
                minute = record[1][:4]
                stock = stocks.get(code)
                if stock is None or price <= 0 or minute != stock.minute:
                    stock = self._uncommon(reader, record)
                    if stock is None:
                        continue
                    stock.turn(minute, price, volume)
                else:
                    if price > stock.high:
                        stock.high = price
                    elif price < stock.low:
                        stock.low = price
                    stock.close = price
                    stock.volume += volume
                    stock.turnover += price * volume
                    stock.ticks += 1
                stock.seq += 1
                stock.record = record
                dirty[code] = stock
        reader.frames += folded
        reader.records_read += folded
        return others

    def _uncommon(self, reader: TradeReader, record: Record) -> Running | None:
        """First record of a stock or a minute: looked at in full, refused if anything is wrong."""
        try:
            tick = parse_tick(record)
        except BadInput:
            reader.unread(record)
            return None
        return self.stocks.setdefault(record[0], Running(tick.symbol))
