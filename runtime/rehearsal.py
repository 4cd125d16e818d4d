"""Rehearsal (예행연습): the way of a strike is walked in vain, so that the real one finds it warm.

Everything on that way sleeps until something happens, and what slept comes back cold
(docs/adr/0015). So while ticks come the trader walks it every ``local.rehearsal_ms``: a claim that
finds no condition, a message for the order worker, its turn up to the call. A rehearsal changes no
row and calls nobody; nobody's strike cannot be sent. One at a time: while something waits in the
queue, none is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import structlog
from redis.exceptions import RedisError
from sqlalchemy import Connection

log = structlog.get_logger(__name__)

REST_S = 5.0  # after trouble: it is only a rehearsal
ASIDE_S = 0.5  # after a strike: what has just been walked is warm, and what is walked now is in use


class Rehearsal:
    """The trader's half. ``walk`` tries a claim on the trader's connection, ``waiting`` is how many
    messages wait for the order worker (RedisError when Redis is away), ``call`` sends it one."""

    def __init__(
        self,
        every_s: float,
        wanted: Callable[[datetime], bool],
        walk: Callable[[Connection], None],
        waiting: Callable[[], int],
        call: Callable[[], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._every_s = every_s
        self._wanted = wanted
        self._walk = walk
        self._waiting = waiting
        self._call = call
        self._monotonic = monotonic
        self._next = monotonic() + every_s

    def step_aside(self) -> None:
        """A strike is on its way."""
        self._next = max(self._next, self._monotonic() + ASIDE_S)

    def look(self, now: datetime, connection: Connection) -> bool:
        """Rehearse when it is time; whether it did. Raises Unavailable when MariaDB is gone, as a
        look does; trouble with Redis costs rehearsals only."""
        if not self._every_s or (at := self._monotonic()) < self._next or not self._wanted(now):
            return False
        self._next = at + self._every_s
        self._walk(connection)
        try:
            if self._waiting():  # it has enough to do, or is away
                return False
            self._call()
        except (RedisError, OSError) as error:
            log.debug("no_rehearsal", kind=type(error).__name__)
            self._next = at + REST_S
            return False
        return True
