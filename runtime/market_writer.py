"""The thread that writes `market`: as soon as the last write has returned, newest values only.

No timer (docs/adr/0003). MariaDB away: the feed goes on folding records into the states, writing is
tried again with a growing pause, and then every stock is written, because it is not known what the
server still has.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import structlog

from db.ticks import TickWriter, row_text, signature, slim_text
from trading.conflation import Conflator, StockState
from trading.errors import BadInput, Transient
from trading.ticks import Tick

log = structlog.get_logger(__name__)

PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
LATE_S = 5.0
ROWS_A_STATEMENT = 500  # some 250 kB; beyond 2,000 stocks a single statement would hold up ticks


class MarketWriter:
    """``lock`` guards the conflator; ``read(record)`` is ``kis.parse.parse_tick``.

    ``written(states, unix)`` is told of every committed statement, while ``seqs`` are still theirs.
    """

    def __init__(
        self,
        writer: TickWriter,
        conflator: Conflator,
        lock: threading.Lock,
        read: Callable[[Any], Tick],
        written: Callable[[list[tuple[str, int]], float], object] | None = None,
    ) -> None:
        self.rows = 0
        self.statements = 0
        self.last_at = 0.0  # unix seconds of the last committed write
        self._slowest_s = 0.0  # from a record's arrival to its committed row, since last asked
        self.failing = ""  # why nothing can be written now
        self.unread = 0  # last records that could not be read in full
        self._writer = writer
        self._conflator = conflator
        self._lock = lock
        self._read = read
        self._written = written
        self._stands: dict[str, tuple[object, ...]] = {}  # stock -> signature of its whole row
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="market-writer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is something to write."""
        if not self._wake.is_set():
            self._wake.set()

    def stop(self, timeout: float) -> bool:
        """Write what is left and end; False when that was not possible within ``timeout`` s."""
        self._ended.set()
        self._wake.set()
        self._thread.join(timeout)
        return not self._thread.is_alive() and not self._conflator.dirty

    @property
    def alive(self) -> bool:
        """Whether the thread runs: the loop is built anew when it does not."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while True:
            if not self._conflator.dirty:
                if self._ended.is_set():
                    break
                self._wake.wait(0.5)
                self._wake.clear()
                continue
            try:
                self._write_dirty()
                if failures:
                    log.info("market 쓰기 재개")
                failures, self.failing = 0, ""
            except Transient as error:
                failures += 1
                self.failing = str(error)
                if failures == 1:
                    log.warning("market 쓰기 실패, 다시 시도", error=str(error))
                self._stands.clear()
                with self._lock:
                    self._conflator.touch_all()
                if self._ended.wait(PAUSES_S[min(failures, len(PAUSES_S)) - 1]):
                    break  # told to end while the server is away: the feed cannot wait for it
        self._writer.close()

    def _write_dirty(self) -> None:
        whole: list[tuple[str, tuple[str, int]]] = []
        slim: list[tuple[str, tuple[str, int]]] = []
        oldest = time.time()
        with self._lock:
            for state in self._conflator.take_dirty():
                if oldest - LATE_S < state.received < oldest:  # older: touched without a record
                    oldest = state.received
                tick = self._tick(state)
                if tick is None:
                    continue
                now = signature(state, tick)
                number = (state.symbol, state.seq)
                if state.bar is not None and self._stands.get(state.symbol) == now:
                    slim.append((slim_text(state, tick, state.bar), number))
                else:
                    whole.append((row_text(state, tick), number))
                    self._stands[state.symbol] = now
        self._send(whole, slim=False)
        self._send(slim, slim=True)
        self._slowest_s = max(self._slowest_s, self.last_at - oldest)

    def slowest_ms(self) -> float:
        """Slowest record to committed row since the last time this was asked."""
        found, self._slowest_s = self._slowest_s, 0.0
        return round(found * 1000, 1)

    def _send(self, rows: list[tuple[str, tuple[str, int]]], slim: bool) -> None:
        for start in range(0, len(rows), ROWS_A_STATEMENT):
            part = rows[start : start + ROWS_A_STATEMENT]
            self._writer.write([text for text, _ in part], slim)
            self.last_at = time.time()
            self.statements += 1
            self.rows += len(part)
            if self._written is not None:
                self._written([number for _, number in part], self.last_at)

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
