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
from trading.ticks import Tick

RECENT = 12  # last prices kept, numbered back from ``seq``: what a reader may have missed
MINUTE = timedelta(minutes=1)


class MinuteBar:
    """A bar while it grows. Won, shares; ``at`` is its start, aware KST.

    ``before`` is ACML_VOL (cumulative volume of the day) before its first record, -1 when unknown.
    """

    __slots__ = (
        "at", "before", "close", "gap", "high", "low", "open", "ticks", "turnover", "volume",
    )  # fmt: skip

    def __init__(
        self, at: datetime, price: int, volume: int, gap: bool = False, before: int = -1
    ) -> None:
        self.at = at
        self.open = self.high = self.low = self.close = price
        self.volume = volume
        self.turnover = price * volume
        self.ticks = 1
        self.gap = gap
        self.before = before

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
        "bar", "down", "drift", "hhmm", "late", "prev", "received", "recent", "record", "section",
        "seq", "short_in", "symbol", "tick", "total", "unsure",
    )  # fmt: skip

    def __init__(self, symbol: str, section: int, seq: int) -> None:
        self.symbol = symbol
        self.section = section
        self.seq = seq  # of the last record; grows by one a record, also over restarts
        self.total = -1  # highest ACML_VOL of the day so far
        self.hhmm: bytes = b""  # minute mark of the running bar, b"" = look at the date again
        self.record: Any = None  # the wire's own form, read in full only when it is written
        self.tick: Tick | None = None
        self.received = 0.0  # unix seconds
        self.recent: deque[int] = deque(maxlen=RECENT)  # the last is ``seq``, no number left out
        self.bar: MinuteBar | None = None
        self.prev: MinuteBar | None = None
        self.drift = False
        self.short_in: datetime | None = None  # minute in which a record lacked fields
        self.down: list[list[datetime | None]] = []  # [from, until]: when it was not delivered
        self.late = False  # taken in after the day had begun: what it traded before is in no bar
        self.unsure = True  # records may be missing since the running bar began: no volume check

    @property
    def price(self) -> int:
        """Of the last record; 0 before the first."""
        return self.recent[-1] if self.recent else 0


class Conflator:
    """All stocks of this daemon. ``take`` takes a record; ``dirty`` is what is to be written.

    ``at_of(record)`` gives the exchange time of a record (aware KST; BadInput if unreadable), and
    is asked once a stock and minute. ``closed`` holds the bars of the last minutes by
    (symbol, start) until ``forget`` lets them go. The records of a minute that runs are taken by
    ``kis.tape``, which does what ``take`` does in one loop (tests hold the two equal).
    """

    def __init__(self, at_of: Callable[[Any], datetime]) -> None:
        self._at_of = at_of
        self.states: dict[bytes, StockState] = {}
        self.dirty: dict[bytes, StockState] = {}
        self.closed: dict[tuple[str, datetime], MinuteBar] = {}
        self.received = 0.0  # unix seconds of what is being taken now
        self.taken = 0
        self.strangers = 0  # records of stocks nobody asked for
        self.too_late = 0  # records whose bar is gone
        self.volume_off = 0  # closed bars whose volume is not the growth of ACML_VOL
        self.off: dict[str, tuple[datetime, int]] = {}  # stock -> its first such bar, shares off
        self._day = ""

    # -- which stocks -----------------------------------------------------------------------

    def watch(self, state: StockState) -> None:
        """Take a stock in."""
        self.states[state.symbol.encode()] = state

    def unwatch(self, symbol: str) -> None:
        """Let a stock go; its running bar is kept for the repair, with the hole it now has."""
        state = self.states.pop(symbol.encode(), None)
        if state is not None and state.bar is not None:
            state.bar.gap = True
            self.closed[symbol, state.bar.at] = state.bar

    # -- records ----------------------------------------------------------------------------

    def take(  # noqa: PLR0917  one record is these six
        self, code: bytes, hhmmss: bytes, price: int, volume: int, total: int, record: Any
    ) -> None:
        """One record: stock code and time as on the wire, KRW, shares, ACML_VOL, and all of it.

        BadInput when its time is unreadable; nothing has changed then.
        """
        state = self.states.get(code)
        if state is None:
            self.strangers += 1
            return
        bar = state.bar
        if bar is None or hhmmss[:4] != state.hhmm or total < state.total:
            self._turn(state, hhmmss, price, volume, total, record)
        else:
            bar.add(price, volume)
        state.total = max(state.total, total)
        state.record = record
        state.received = self.received
        state.seq += 1
        state.recent.append(price)
        self.taken += 1
        self.dirty[code] = state

    def _turn(  # noqa: PLR0917
        self, state: StockState, hhmmss: bytes, price: int, volume: int, total: int, record: Any
    ) -> None:
        """A record that is not plainly of the running minute."""
        at = self._at_of(record)
        self._look_at_day(at)
        minute = at.replace(second=0, microsecond=0)
        bar = state.bar
        if bar is None or minute > bar.at:
            state.bar = MinuteBar(
                minute, price, volume, overlaps(state.down, minute), total - volume
            )
            if bar is not None:
                self._close(state, bar, state.bar)
            if state.late:  # what was traded before it is missing in its hour and in its day
                state.bar.gap, state.late = state.bar.gap or total > volume, False
            state.hhmm = hhmmss[:4]
            state.unsure = False
            if bar is None or bar.at.date() != minute.date():
                state.total = -1  # ACML_VOL begins anew each day
            if state.drift and state.short_in is None:  # of a run before: when, is not known
                state.short_in = minute
            elif state.short_in is not None and state.short_in + MINUTE <= minute:
                state.drift, state.short_in = False, None  # a minute without a short record
        elif minute == bar.at:
            bar.add(price, volume)
            state.hhmm = hhmmss[:4]
        else:
            if total > state.total and bar.before >= 0:
                bar.before += volume  # counted by the exchange within the running bar
            late = self.closed.get((state.symbol, minute))
            if late is not None:
                late.add(price, volume)
            elif state.prev is not None and state.prev.at == minute:
                state.prev.add(price, volume)
                self.closed[state.symbol, minute] = state.prev
            else:
                self.too_late += 1

    def _close(self, state: StockState, bar: MinuteBar, following: MinuteBar) -> None:
        """``bar`` is over: keep it, and hold its volume against what ACML_VOL grew by."""
        state.prev = bar
        self.closed[state.symbol, bar.at] = bar
        if state.unsure or bar.gap or bar.before < 0:
            return
        within = state.total - bar.before - bar.volume
        same_day = bar.at.date() == following.at.date()
        between = following.before - state.total if same_day and not following.gap else 0
        if within or between:
            self.volume_off += 1
            self.off.setdefault(state.symbol, (bar.at, within + between))
        # shares without a record: the bar has a hole. A surplus (a correction) is no hole
        bar.gap = within > 0 or between > 0
        following.gap = following.gap or between > 0

    def _look_at_day(self, at: datetime) -> None:
        # 09:01 of today looks like 09:01 of yesterday: a new date makes every stock look again
        day = at.date().isoformat()
        if day > self._day:
            self._day = day
            self.look_at_dates()

    def look_at_dates(self) -> None:
        """The next record of each stock may be of another day: its date is to be read."""
        for state in self.states.values():
            state.hhmm = b""

    # -- holes ------------------------------------------------------------------------------

    def lost(self, symbols: Iterable[str], since: datetime) -> None:
        """From ``since`` (aware KST) nothing of these stocks is delivered."""
        for state in self._of(symbols):
            state.unsure = True
            if not state.down or state.down[-1][1] is not None:
                state.down.append([since, None])
            self._mark(state)

    def back(self, symbols: Iterable[str], at: datetime) -> None:
        """These stocks are delivered again from ``at``."""
        for state in self._of(symbols):
            state.unsure = True
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
        """Bars that are over: closed ones, and running ones that start before ``before``.

        A bar that was read back after a restart stands in ``closed`` while it runs on: as long as
        its minute is not over it is left out, or the repair would race with its growth.
        """
        running = {
            (state.symbol, state.bar.at): state.bar for state in self.states.values() if state.bar
        }
        over = {
            key: bar
            for key, bar in (running | self.closed).items()
            if key not in running or key[1] < before
        }
        return [bar.frozen(symbol) for (symbol, _), bar in over.items()]

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
