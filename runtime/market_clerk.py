"""The clerk: everything of the market daemon that asks MariaDB or Redis outside the tick path.

One thread: notices at once and in order, then by turns the watch list, the heartbeat, and the check
of closed bars. What must not be lost (notices, gaps) stays in the queue until it is stored.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import structlog

from trading.errors import StockdError, Transient

log = structlog.get_logger(__name__)

PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0)
Job = Callable[[], object]


class Clerk:
    """``put`` jobs that must happen, in order; ``every`` for what is done by turns."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()
        self._turns: list[list] = []  # [next_at, seconds, job]
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="market-clerk", daemon=True)

    @property
    def waiting(self) -> int:
        """Jobs that are still to be stored."""
        return len(self._jobs)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def put(self, job: Job) -> None:
        """Do this, in order, again and again while it raises Transient."""
        self._jobs.append(job)
        self._wake.set()

    def every(self, seconds: float, job: Job) -> None:
        """Do this by turns; a failed turn is skipped. Before ``start``."""
        self._turns.append([0.0, seconds, job])

    def stop(self, timeout: float) -> None:
        """Do what is queued and end, within ``timeout`` s."""
        self._ended.set()
        self._wake.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        failures = 0
        while not (self._ended.is_set() and (not self._jobs or failures)):
            failures = self._do_jobs(failures)
            if not self._ended.is_set():
                self._do_turns()
            pause = PAUSES_S[min(failures, len(PAUSES_S)) - 1] if failures else 0.2
            if failures or not self._jobs:
                self._wake.wait(pause)
                self._wake.clear()

    def _do_jobs(self, failures: int) -> int:
        while self._jobs:
            try:
                self._jobs[0]()
            except Transient as error:
                if not failures:
                    log.warning("기록을 미룸", error=str(error), waiting=len(self._jobs))
                return failures + 1
            except Exception:  # a job that can never succeed must not keep the others from it
                log.exception("기록할 수 없어 버림")
            self._jobs.popleft()
        return 0

    def _do_turns(self) -> None:
        now = time.monotonic()
        for turn in self._turns:
            if now < turn[0]:
                continue
            turn[0] = now + turn[1]
            try:
                turn[2]()
            except StockdError as error:
                log.debug("이번 차례를 건너뜀", error=str(error))
            except Exception:  # one turn's bug must not stop heartbeat and notices
                log.exception("차례 실패")
