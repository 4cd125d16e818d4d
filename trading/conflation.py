"""Conflation (겹쳐쓰기): of each stock the newest record, its running minute bar, the one before.

Every record is counted into its bar; only the values between two writes are never rows. A record
belongs to the minute of its exchange time (09:00:00 and the 15:30 close are minutes of their own),
within a minute records count in the order they came. No clock here: what time it is, is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from trading.bars import Bar
from trading.errors import BadInput
from trading.ticks import Tick

RECENT = 12  # last prices kept with their numbers: what a reader may have missed between two looks
MINUTE = timedelta(minutes=1)


class MinuteBar:
    """A bar while it grows. Won, shares; ``at`` is its start, aware KST."""

    __slots__ = ("at", "close", "gap", "high", "low", "open", "ticks", "turnover", "volume")

    def __init__(self, at: datetime, price: int, volume: int, gap: bool = False) -> None:
        self.at = at
        self.open = self.high = self.low = self.close = price
        self.volume = volume
        self.turnover = price * volume
        self.ticks = 1
        self.gap = gap

    def add(self, price: int, volume: int) -> None:
        """One more trade of this minute."""
        self.close = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.volume += volume
        self.turnover += price * volume
        self.ticks += 1

    def frozen(self, symbol: str) -> Bar:
        """As it stands now."""
        return Bar(
            symbol, 1, self.at, self.open, self.high, self.low, self.close, self.volume,
            self.turnover, self.ticks, self.gap,
        )  # fmt: skip


class StockState:
    """One stock: its last record (``tick`` once it was read in full) and its two bars."""

    __slots__ = (
        "bar", "down", "drift", "hhmm", "prev", "price", "received", "recent", "record", "section",
        "seq", "short_in", "symbol", "tick", "total",
    )  # fmt: skip

    def __init__(self, symbol: str, section: int, seq: int) -> None:
        self.symbol = symbol
        self.section = section
        self.seq = seq  # of the last record; grows by one a record, also over restarts
        self.price = 0
        self.total = -1  # ACML_VOL of the last record
        self.hhmm: bytes = b""  # minute mark of the running bar, b"" = look at the date again
        self.record: Any = None  # the wire's own form, read in full only when it is written
        self.tick: Tick | None = None
        self.received = 0.0  # unix seconds
        self.recent: deque[int] = deque(maxlen=RECENT)
        self.bar: MinuteBar | None = None
        self.prev: MinuteBar | None = None
        self.drift = False
        self.short_in: datetime | None = None  # minute in which a record lacked fields
        self.down: list[list[datetime | None]] = []  # [from, until]: when it was not delivered


class Conflator:
    """All stocks of this daemon. ``take`` is the sink of every record; ``dirty`` what to write.

    ``at_of(record)`` gives the exchange time of a record (aware KST; BadInput if unreadable), and
    is asked once a stock and minute. ``closed`` holds the bars of the last minutes by
    (symbol, start) until ``forget`` lets them go.
    """

    def __init__(self, at_of: Callable[[Any], datetime]) -> None:
        self._at_of = at_of
        self.states: dict[bytes, StockState] = {}
        self.dirty: dict[bytes, StockState] = {}
        self.closed: dict[tuple[str, datetime], MinuteBar] = {}
        self.received = 0.0  # unix seconds of what is being taken now
        self.taken = 0
        self.strangers = 0  # records of stocks nobody asked for
        self.unread = 0  # records whose time could not be read
        self.too_late = 0  # records whose bar is gone
        self._day = ""

    # -- which stocks -----------------------------------------------------------------------

    def watch(self, state: StockState) -> None:
        """Take a stock in."""
        self.states[state.symbol.encode()] = state

    def unwatch(self, symbol: str) -> None:
        """Let a stock go; its running bar is kept for the repair."""
        state = self.states.pop(symbol.encode(), None)
        if state is not None and state.bar is not None:
            self.closed[symbol, state.bar.at] = state.bar

    # -- records ----------------------------------------------------------------------------

    def take(  # noqa: PLR0917  the sink of kis.frames: keywords would cost a tenth of it
        self, code: bytes, hhmmss: bytes, price: int, volume: int, total: int, record: Any
    ) -> None:
        """One record: stock code and time as on the wire, KRW, shares, ACML_VOL, and all of it."""
        state = self.states.get(code)
        if state is None:
            self.strangers += 1
            return
        bar = state.bar
        if bar is None or hhmmss[:4] != state.hhmm or total < state.total:
            if not self._turn(state, hhmmss, price, volume, record):
                return
        else:
            bar.close = price
            if price > bar.high:
                bar.high = price
            elif price < bar.low:
                bar.low = price
            bar.volume += volume
            bar.turnover += price * volume
            bar.ticks += 1
        state.price = price
        state.total = total
        state.record = record
        state.received = self.received
        state.seq += 1
        state.recent.append(price)
        self.taken += 1
        self.dirty[code] = state

    def _turn(self, state: StockState, hhmmss: bytes, price: int, volume: int, record: Any) -> bool:
        """A record that is not plainly of the running minute. False when its time is unreadable."""
        try:
            at = self._at_of(record)
        except BadInput:
            self.unread += 1
            return False
        self._look_at_day(at)
        minute = at.replace(second=0, microsecond=0)
        bar = state.bar
        if bar is None or minute > bar.at:
            if bar is not None:
                state.prev = bar
                self.closed[state.symbol, bar.at] = bar
            state.bar = MinuteBar(minute, price, volume, overlaps(state.down, minute))
            state.hhmm = hhmmss[:4]
            if state.short_in is not None and state.short_in + MINUTE <= minute:
                state.drift, state.short_in = False, None  # a minute without a short record
        elif minute == bar.at:
            bar.add(price, volume)
            state.hhmm = hhmmss[:4]
        else:
            late = self.closed.get((state.symbol, minute))
            if late is not None:
                late.add(price, volume)
            elif state.prev is not None and state.prev.at == minute:
                state.prev.add(price, volume)
                self.closed[state.symbol, minute] = state.prev
            else:
                self.too_late += 1
        return True

    def _look_at_day(self, at: datetime) -> None:
        # 09:01 of today looks like 09:01 of yesterday: a new date makes every stock look again
        day = at.date().isoformat()
        if day > self._day:
            self._day = day
            for state in self.states.values():
                state.hhmm = b""

    # -- holes ------------------------------------------------------------------------------

    def lost(self, symbols: Iterable[str], since: datetime) -> None:
        """From ``since`` (aware KST) nothing of these stocks is delivered."""
        for state in self._of(symbols):
            if not state.down or state.down[-1][1] is not None:
                state.down.append([since, None])
            self._mark(state)

    def back(self, symbols: Iterable[str], at: datetime) -> None:
        """These stocks are delivered again from ``at``."""
        for state in self._of(symbols):
            if state.down and state.down[-1][1] is None:
                state.down[-1][1] = at
            self._mark(state)
            del state.down[:-8]

    def mark_short(self, symbol: str, at: datetime) -> None:
        """A record of this stock lacked fields: trading stops on it, its price goes on."""
        for state in self._of([symbol]):
            state.drift = True
            state.short_in = at.replace(second=0, microsecond=0)
            self.touch(state)

    def _mark(self, state: StockState) -> None:
        for bar in (state.bar, state.prev):
            if bar is not None and not bar.gap and overlaps(state.down, bar.at):
                bar.gap = True
                self.touch(state)

    def _of(self, symbols: Iterable[str]) -> list[StockState]:
        found = (self.states.get(symbol.encode()) for symbol in symbols)
        return [state for state in found if state is not None]

    # -- what is to be written --------------------------------------------------------------

    def touch(self, state: StockState) -> None:
        """Write this stock again, if there is anything to write."""
        if state.record is not None or state.tick is not None:
            self.dirty[state.symbol.encode()] = state

    def touch_all(self) -> None:
        """Write everything again (the server was away)."""
        for state in self.states.values():
            self.touch(state)

    def take_dirty(self) -> list[StockState]:
        """What changed since the last call."""
        dirty, self.dirty = self.dirty, {}
        return list(dirty.values())

    def bars_to_check(self, before: datetime) -> list[Bar]:
        """Closed bars that start before ``before``, running ones whose minute is over included."""
        found = [bar.frozen(symbol) for (symbol, at), bar in self.closed.items() if at < before]
        for state in self.states.values():
            if state.bar is not None and state.bar.at < before:
                found.append(state.bar.frozen(state.symbol))
        return found

    def forget(self, before: datetime, but: Iterable[tuple[str, datetime]] = ()) -> None:
        """Let closed bars that start before ``before`` go, except those of ``but``."""
        keep = set(but)
        for key in [key for key in self.closed if key[1] < before and key not in keep]:
            del self.closed[key]


def overlaps(down: Iterable[list[datetime | None]], minute: datetime) -> bool:
    """Whether one of the intervals [from, until) touches the minute that starts at ``minute``."""
    end = minute + MINUTE
    return any(
        since is not None and since < end and (until is None or until > minute)
        for since, until in down
    )
