"""The stocks of a market daemon: planned over its sections, registered, resumed, forgotten.

``make`` and ``forget_rows`` run in the clerk, for they ask MariaDB; ``apply`` in the feed loop.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from threading import Lock

import structlog

from db.ticks import forget_stocks, read_states
from db.watch import watched_sections
from runtime.feed_link import Link
from runtime.loop import kst_now
from runtime.market_gaps import FeedGaps
from runtime.market_parts import MarketParts
from trading.clock import KST
from trading.conflation import MINUTE, Conflator, StockState
from trading.watch_plan import WatchPlan, plan_watch

log = structlog.get_logger(__name__)

FORGET_AFTER_S = 180  # a stock's last bar is in `bar` by then


class WatchList:
    """What the sections are to watch, and the states of what they watch."""

    def __init__(
        self,
        parts: MarketParts,
        links: Sequence[Link],
        conflator: Conflator,
        lock: Lock,
        gaps: FeedGaps,
    ) -> None:
        self._parts, self._links, self._conflator = parts, links, conflator
        self._lock, self._gaps = lock, gaps
        self._plan: WatchPlan | None = None  # made by the clerk, applied by the loop
        self._applied: WatchPlan | None = None
        self._resumed: dict[str, StockState] = {}

    @property
    def refused(self) -> dict[str, str]:
        """Stocks that found no place, and why."""
        return self._plan.refused if self._plan else {}

    def resume(self) -> None:
        """Read where the last run stopped. Raises Unavailable without MariaDB."""
        self._resumed = {state.symbol: state for state in read_states(self._parts.engine)}

    def make(self) -> None:
        """The wanted stocks over all sections, stable."""
        if len(self._links) == len(self._parts.numbers):  # alone: memory knows more than the table
            known = [*self._resumed.values(), *list(self._conflator.states.values())]
            held = {state.symbol: state.section for state in known}
        else:  # the table is all that several processes know in common
            held = watched_sections(self._parts.engine)
        plan = plan_watch(self._parts.wanted(), held, self._parts.numbers)
        if self._plan is None or plan != self._plan:
            for symbol, reason in plan.refused.items():
                log.error("감시 거절", symbol=symbol, reason=reason)
            self._plan = plan

    def apply(self) -> None:
        """Bring a plan that is new into the states and the sections."""
        plan = self._plan
        if plan is None or plan is self._applied:
            return
        base = int(time.time() * 1000)  # a start never falls back behind what was written before
        ours = {s: link.number for link in self._links for s in plan.sections[link.number]}
        with self._lock:
            for code, state in list(self._conflator.states.items()):
                if code.decode() not in ours:
                    self._conflator.unwatch(state.symbol)
            for symbol, number in ours.items():
                self._watch(symbol, number, base)
        for link in self._links:
            link.section.want(plan.sections[link.number])
        self._applied = plan

    def _watch(self, symbol: str, number: int, base: int) -> None:
        state = self._conflator.states.get(symbol.encode())
        if state is not None:
            if state.section != number:
                state.section = number
                self._conflator.lost([symbol], kst_now())
                self._conflator.touch(state)
            return
        now = kst_now()
        state = self._resumed.pop(symbol, None) or StockState(symbol, number, base)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        last = datetime.fromtimestamp(state.received, KST) if state.received else midnight
        since = self._parts.missed(last, now)
        # after the opening, that is; a market that never closes (a simulator) has none
        state.late = not state.received and since is not None and since > last
        if not state.received:
            since = now - MINUTE
        if base > state.seq:
            state.seq = base
            state.recent.clear()  # their numbers would be other ones now
        state.section = number
        for bar in (state.bar, state.prev):
            if bar is not None:
                self._conflator.closed[symbol, bar.at] = bar
        self._conflator.watch(state)
        self._conflator.lost([symbol], self._gaps.since(number, since or now))
        self._conflator.touch(state)

    def forget_rows(self) -> None:
        """Rows of stocks nobody watches any more, once their last bar is in `bar`."""
        plan = self._plan
        if plan is None:
            return
        watched = {symbol for symbols in plan.sections.values() for symbol in symbols}
        before = time.time() - FORGET_AFTER_S
        left = [
            state.symbol
            for state in read_states(self._parts.engine)
            if state.symbol not in watched and 0 < state.received < before
        ]
        if left:
            forget_stocks(self._parts.engine, left)
