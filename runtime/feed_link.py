"""Link: the life of one section around its connection: connect, wait, connect again (P11).

Anything that may wait (Redis, REST, the handshake) runs in a pool thread, so that one section's
trouble never holds up the others' ticks. While it does, nobody else touches the section.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Protocol

import structlog

from kis.acks import Reaction
from kis.reconnect import UNREACHED_MAX_S, ReconnectBudget, next_attempt, pause_s
from kis.stream import Lost, Section
from trading.errors import OutsideError, Unreached

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5.0


class ApprovalKeys(Protocol):
    """What a link needs of ``kis.auth.KisAuth``."""

    def approval_key(self) -> str: ...
    def renew_approval(self, refused: str) -> str: ...


class Link:
    """One section, kept connected. ``tick`` from the feed loop; ``up`` while it may be stepped."""

    def __init__(
        self,
        number: int,
        section: Section,
        *,
        key_id: str,
        auth: ApprovalKeys,
        budget: ReconnectBudget,
        pool: Executor,
        monotonic: Callable[[], float] = time.monotonic,
        roll: Callable[[], float] = random.random,
    ) -> None:
        self.number = number
        self.section = section
        self.connects = 0
        self.why = ""  # what it waits for, for people
        self.up = False
        self._key_id = key_id
        self._auth = auth
        self._budget = budget
        self._pool = pool
        self._monotonic = monotonic
        self._roll = roll
        self._attempt = 0
        self._next_at = 0.0
        self._future: Future[float] | None = None
        self._renew = False
        self._approval = ""

    def tick(self, may_connect: bool) -> bool:
        """Go on with connecting where it is due. True at the moment the connection stands."""
        if self.up:
            return False
        if self._future is None:
            if may_connect and self._monotonic() >= self._next_at:
                self._future = self._pool.submit(self._connect)
            return False
        if not self._future.done():
            return False
        future, self._future = self._future, None
        try:
            wait = future.result()
        except OutsideError as error:
            self._attempt += 1
            pause = pause_s(self._attempt, self._roll())
            if isinstance(error, Unreached):
                pause = min(pause, UNREACHED_MAX_S)
            self._sleep(pause, str(error))
            return False
        if wait > 0:
            self._sleep(wait + self._roll(), "재접속 예산")
            return False
        self.up, self.why = True, ""
        self.connects += 1
        log.info("섹션 연결", section=self.number)
        return True

    def lost(self, lost: Lost) -> None:
        """The connection ended; the next one is planned."""
        lived = self._monotonic() - self.section.opened_at
        self.up = False
        in_use = lost.reaction is Reaction.IN_USE_WAIT
        self._renew = lost.reaction is Reaction.BAD_KEY_RENEW
        self._attempt = next_attempt(self._attempt, lived)
        pause = pause_s(self._attempt, self._roll(), in_use)
        self._sleep(pause, lost.reason)
        self._pool.submit(self._tell_budget, lost.clean, pause if in_use else 0.0)

    def closed(self, clean: bool) -> None:
        """Tell the budget at the end of the process, without a pool."""
        self.up = False
        self._tell_budget(clean, 0.0)

    def _sleep(self, seconds: float, why: str) -> None:
        self._next_at = self._monotonic() + seconds
        self.why = f"{why} ({seconds:.0f}초 뒤)"
        log.warning("섹션 대기", section=self.number, why=why, seconds=round(seconds, 1))

    # -- in the pool ------------------------------------------------------------------------

    def _connect(self) -> float:
        """0.0 when connected, else the seconds the budget asks for. Raises OutsideError."""
        # the approval key first: a claim that is then not used would be wasted
        if self._renew and self._approval:
            self._approval = self._auth.renew_approval(self._approval)
            self._renew = False
        else:
            self._approval = self._auth.approval_key()
        wait = self._budget.claim(self._key_id)
        if wait > 0:
            return wait
        try:
            self.section.open(self._approval, CONNECT_TIMEOUT_S)
        except Unreached:
            self._budget.unused(self._key_id)
            raise
        except OutsideError:
            self._budget.closed(self._key_id, clean=False)
            raise
        return 0.0

    def _tell_budget(self, clean: bool, hold_off_s: float) -> None:
        try:
            self._budget.closed(self._key_id, clean)
            if hold_off_s:
                self._budget.hold_off(self._key_id, hold_off_s)
        except OutsideError as error:
            # the budget then takes the slot for a ghost and waits longer: the safe side
            log.warning("재접속 예산에 알리지 못함", section=self.number, error=str(error))
