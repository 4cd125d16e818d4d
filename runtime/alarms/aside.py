"""Work that may take its time, one piece at a time, beside the watch.

The doctor's round in the morning takes seconds, and a silence that begins meanwhile must be told in
time all the same (P12).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from trading.errors import StockdError

log = structlog.get_logger(__name__)


class Aside:
    """``begin`` never waits. What a piece raises is logged; the next ``begin`` is its retry."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(1, name)
        self._going: Future[object] | None = None

    def begin(self, work: Callable[[], object]) -> bool:
        """Start ``work`` unless the last piece still goes on. Whether it was started."""
        if self._going is not None:
            if not self._going.done():
                return False
            error = self._going.exception()
            if isinstance(error, StockdError):
                log.warning("보고를 만들지 못함", error=str(error))
            elif error is not None:
                log.error("보고를 만들지 못함: 예상하지 못한 오류", exc_info=error)
        self._going = self._pool.submit(work)
        return True

    def close(self) -> None:
        """Let the piece that goes on end."""
        self._pool.shutdown(wait=True)
