"""Tape: trade frames folded into the stocks' running states, every record counted. The hot path.

Per record only what a running bar needs is done; the rest of a record is read when its stock's row
is written. What is not plainly the next trade of a running minute goes to ``Conflator.take``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from kis.frames import ONE_TRADE, TRADE_PREFIX, Record, TradeReader
from kis.parse import HEAD
from trading.clock import KST
from trading.conflation import Conflator
from trading.errors import BadInput


class Tape:
    """All sections of this process write on one. ``shorts``: stocks whose records lack fields,
    since the caller emptied it."""

    def __init__(self, conflator: Conflator) -> None:
        self.conflator = conflator
        self.shorts: list[str] = []

    def fold(self, reader: TradeReader, messages: Sequence[Any]) -> list[Any]:
        """Fold the trade frames among ``messages`` of one section, in the order they came.

        Returns the messages that are something else. ``reader`` counts; a record without a
        readable code, time, price or volume is refused there and changes nothing here. When they
        were received says ``conflator.received`` (unix seconds).
        """
        conflator = self.conflator
        states, dirty, received = conflator.states, conflator.dirty, conflator.received
        others: list[Any] = []
        carets, folded, taken = reader.carets - HEAD, 0, 0
        plain = _is_plain(messages)
        for message in messages:
            records: Sequence[Record]
            if (  # nearly every frame: as in reader.records, without the call
                plain
                and message[:15] == ONE_TRADE
                and (first := message.split(b"^", HEAD))[-1].count(b"^") == carets
            ):
                first[0] = first[0][15:]
                records = (first,)
                folded += 1
            elif message[:11] == TRADE_PREFIX:
                short = reader.short
                records = reader.records_of_many(message)
                carets = reader.carets - HEAD
                if reader.short != short:
                    self._mark_short(message, records)
            else:
                others.append(message)
                continue
            for record in records:
                try:
                    price, volume, total = int(record[2]), int(record[12]), int(record[13])
                except ValueError:
                    reader.unread(record)
                    continue
                code = record[0]
                state = states.get(code)
                if (
                    state is None
                    or record[1][:4] != state.hhmm
                    or total < state.total
                    or price <= 0
                    or (bar := state.bar) is None
                ):
                    self._take(reader, record, price, volume, total)
                    continue
                if price > bar.high:
                    bar.high = price
                elif price < bar.low:
                    bar.low = price
                bar.close = price
                bar.volume += volume
                bar.turnover += price * volume
                bar.ticks += 1
                state.total = total
                state.record = record
                state.received = received
                state.seq += 1
                state.recent.append(price)
                taken += 1
                dirty[code] = state
        reader.frames += folded
        reader.records_read += folded
        conflator.taken += taken
        return others

    def _take(
        self, reader: TradeReader, record: Record, price: int, volume: int, total: int
    ) -> None:
        """A first record of a stock or a minute, a late one, or one that is wrong."""
        if price <= 0:
            reader.unread(record)
            return
        try:
            self.conflator.take(record[0], record[1], price, volume, total, record)
        except BadInput:
            reader.unread(record)

    def _mark_short(self, message: bytes, whole: Sequence[Record]) -> None:
        """Stocks of a record that stands in the message and not among the ``whole`` ones."""
        at = datetime.fromtimestamp(self.conflator.received, KST)
        fields = message.replace(b"|", b"^").split(b"^")
        starts = [
            code
            for code, clock in pairwise(fields)
            if code in self.conflator.states and len(clock) == 6 and clock.isdigit()
        ]
        for record in whole:
            if record[0] in starts:
                starts.remove(record[0])
        for code in starts:
            state = self.conflator.states[code]
            if not state.drift:  # told once, until it is over
                self.shorts.append(state.symbol)
            self.conflator.mark_short(state.symbol, at)


def _is_plain(messages: Sequence[Any]) -> bool:
    """Whether none has a byte that no number has: one look for all is a tenth of one look each.

    int() would take 1_000 for a number, and blanks. False sends each of them the long way.
    """
    try:
        joined = messages[0] if len(messages) == 1 else b"".join(messages)
        return bool(joined.isascii() and b"_" not in joined and b" " not in joined)
    except (TypeError, AttributeError):  # a control frame among them
        return False
