"""Writing `market` from the feed's own loop: a statement is sent, its answer awaited beside ticks.

One statement is under way at a time; when it is answered, everything that changed meanwhile goes
out in the next (docs/adr/0003). MariaDB away: the feed goes on folding records into the states,
connecting is tried again in a pool thread with a growing pause, and then every stock is written,
because it is not known what the server still has.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

import structlog

from db.ticks import TickWriter, row_text, slim_text, standing
from trading.conflation import Conflator, StockState
from trading.errors import BadInput, Transient, Unavailable
from trading.ticks import Tick

log = structlog.get_logger(__name__)

PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
ANSWER_S = 5.0  # a statement takes a millisecond: a server silent for so long is gone
LATE_S = 5.0
ROWS_A_STATEMENT = 500  # some 125 kB; beyond 2,000 stocks a single statement would hold up ticks

Number = tuple[str, int]  # symbol, seq


class Batch(NamedTuple):
    """Rows of one statement."""

    rows: list[str]
    numbers: list[Number]
    slim: bool
    received: float  # unix seconds: oldest record in it


class MarketWriter:
    """``turn`` from the feed loop; ``fileno`` is readable when ``turn`` has something to do.

    ``read(record)`` is ``kis.parse.parse_tick``, ``figures(record)`` its ``parse_figures``.
    ``written(numbers, unix)`` is told of every committed statement.
    """

    def __init__(  # noqa: PLR0917
        self,
        writer: TickWriter,
        conflator: Conflator,
        pool: Executor,
        read: Callable[[Any], Tick],
        figures: Callable[[Any], tuple[str, tuple[bytes, ...]] | None],
        written: Callable[[list[Number], float], object] | None = None,
    ) -> None:
        self.rows = 0
        self.statements = 0
        self.last_at = 0.0  # unix seconds of the last committed write
        self.failing = ""  # why nothing can be written now
        self.unread = 0  # last records that could not be read in full
        self._slowest_s = 0.0  # from a record's arrival to its committed row, since last asked
        self._writer = writer
        self._conflator = conflator
        self._pool = pool
        self._read = read
        self._figures = figures
        self._written = written
        self._stands: dict[str, tuple[object, ...]] = {}  # stock -> what its whole row says
        self._queue: deque[Batch] = deque()
        self._sent: Batch | None = None
        self._sent_at = 0.0
        self._opening: Future[None] | None = None
        self._failures = 0
        self._next_open = 0.0

    @property
    def busy(self) -> bool:
        """A statement is under way or waits its turn."""
        return self._sent is not None or bool(self._queue)

    def slowest_ms(self) -> float:
        """Slowest record to committed row since the last time this was asked."""
        found, self._slowest_s = self._slowest_s, 0.0
        return round(found * 1000, 1)

    def await_answer(self, seconds: float) -> None:
        """Wait for the answer of what is under way, at most so long, and take it."""
        if self._sent is not None and select.select([self._writer], [], [], seconds)[0]:
            self.turn()

    def turn(self) -> None:
        """Take the answer if it is there, send what is due. Never waits for the server."""
        try:
            if not self._is_open():
                return
            if self._sent is not None and not self._take_answer():
                return
            if not self._queue and self._conflator.dirty:
                self._collect()
            if self._queue:
                self._send(self._queue.popleft())
        except Transient as error:
            self._fail(error)

    def stop(self, timeout: float) -> bool:
        """Write what is left; False when that was not possible within ``timeout`` s."""
        ends = time.monotonic() + timeout
        while (self.busy or self._conflator.dirty) and time.monotonic() < ends:
            self.turn()
            if self._sent is None:
                time.sleep(0.01)
            self.await_answer(0.05)
        done = not self.busy and not self._conflator.dirty
        if self._opening is None:
            self._writer.close()
        return done

    # -- the connection ---------------------------------------------------------------------

    def _is_open(self) -> bool:
        if self._opening is not None:
            if not self._opening.done():
                return False
            opening, self._opening = self._opening, None
            opening.result()
        if self._writer.is_open:
            return True
        if time.monotonic() >= self._next_open:
            self._opening = self._pool.submit(self._writer.open)
        return False

    def _fail(self, error: Transient) -> None:
        self._failures += 1
        self.failing = str(error)
        if self._failures == 1:
            log.warning("market 쓰기 실패, 다시 시도", error=str(error))
        self._writer.close()
        self._queue.clear()
        self._sent = None
        self._stands.clear()
        self._conflator.touch_all()
        pause = PAUSES_S[min(self._failures, len(PAUSES_S)) - 1]
        self._next_open = time.monotonic() + pause

    # -- statements -------------------------------------------------------------------------

    def _send(self, batch: Batch) -> None:
        self._writer.send(batch.rows, batch.slim)
        self._sent, self._sent_at = batch, time.monotonic()

    def _take_answer(self) -> bool:
        batch = self._sent
        if batch is None:
            return True
        if not select.select([self._writer], [], [], 0.0)[0]:
            if time.monotonic() - self._sent_at > ANSWER_S:
                raise Unavailable(f"MariaDB: no answer within {ANSWER_S:.0f} s")
            return False
        self._writer.finish()
        self._sent = None
        self.last_at = time.time()
        self.statements += 1
        self.rows += len(batch.rows)
        self._slowest_s = max(self._slowest_s, self.last_at - batch.received)
        if self._failures:
            log.info("market 쓰기 재개")
            self._failures, self.failing = 0, ""
        if self._written is not None:
            self._written(batch.numbers, self.last_at)
        return True

    def _collect(self) -> None:
        """Rows of everything that changed, cut into statements."""
        whole: list[str] = []
        slim: list[str] = []
        of_whole: list[Number] = []
        of_slim: list[Number] = []
        stands, figures_of = self._stands, self._figures
        oldest = now = time.time()
        for state in self._conflator.take_dirty():
            if now - LATE_S < state.received < oldest:  # older: touched without a record
                oldest = state.received
            symbol = state.symbol
            found = figures_of(state.record) if state.record is not None else None
            signature = (*standing(state), found and found[1])
            if found is not None and state.bar is not None and stands.get(symbol) == signature:
                slim.append(slim_text(state, found[0], state.bar))
                of_slim.append((symbol, state.seq))
                continue
            stands.pop(symbol, None)
            tick = self._tick(state)
            if tick is not None:
                whole.append(row_text(state, tick))
                of_whole.append((symbol, state.seq))
                if not state.drift:
                    stands[symbol] = signature
        for rows, numbers, is_slim in ((whole, of_whole, False), (slim, of_slim, True)):
            for at in range(0, len(rows), ROWS_A_STATEMENT):
                end = at + ROWS_A_STATEMENT
                self._queue.append(Batch(rows[at:end], numbers[at:end], is_slim, oldest))

    def _tick(self, state: StockState) -> Tick | None:
        """The last record in full. Where it cannot be read, the price goes on and trading stops."""
        if state.record is None:
            return state.tick
        try:
            state.tick = self._read(state.record)
            return state.tick
        except BadInput as error:
            self.unread += 1
            if not state.drift:
                log.error("체결 전문 필드 이상", symbol=state.symbol, error=str(error))
            state.drift = True
            if state.bar is not None:
                state.short_in = state.bar.at
            if state.tick is not None:
                state.tick = state.tick._replace(price=state.price, day_volume=state.total)
            return state.tick
