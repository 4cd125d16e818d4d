"""Polls that fall on the clock: at its multiples of ten seconds, and not "ten after the last".

Beat counts an interval from its last tick, so each lateness stays for ever and shows as a gap. A
poll on the clock is woken a little early and waits for its moment: whatever was late by less than
that (beat, queue, worker, somebody's call before it) does not show.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from celery.schedules import schedstate, schedule

# A tick this share of its period late is left out, so that what a beat was down for does not take
# the turn of the next moment (budget/slots.py: a turn lasts 0.8 of a period).
LATEST = 0.2
TURN_ENDS_S = 0.5  # before the next wake-up
BEATS_HASTE_S = 0.010  # beat looks that much too early (celery.beat.Scheduler.adjust)


class OnTheClock(schedule):
    """Celery's word for "``early`` s before each multiple of ``every`` s of the wall clock"."""

    def __init__(
        self,
        every: float,
        early: float = 0.0,
        nowfun: Callable[[], datetime] | None = None,
        app: Any = None,
    ) -> None:
        super().__init__(every, nowfun=nowfun, app=app)
        self.early = early

    def is_due(self, last_run_at: datetime) -> schedstate:
        now, every = self.now().timestamp(), self.run_every.total_seconds()
        tick = math.floor((now + self.early) / every) * every - self.early
        due = self.maybe_make_aware(last_run_at).timestamp() < tick and now - tick < LATEST * every
        return schedstate(due, tick + every - now + BEATS_HASTE_S)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OnTheClock):
            return (self.run_every, self.early) == (other.run_every, other.early)
        return False

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        # beat keeps its entries in a file; its app and clock are not part of them
        return type(self), (self.run_every.total_seconds(), self.early)


def until_the_moment(every_s: float, now_s: float | None = None) -> float:
    """Seconds until the clock's next multiple of ``every_s``; 0 when the last one is nearer: late,
    so at once. ``now_s``: seconds of the epoch, else the clock's.
    """
    past = (time.time() if now_s is None else now_s) % every_s
    return every_s - past if past > every_s / 2 else 0.0


def turn_lasts(every_s: float, early_s: float, now_s: float | None = None) -> float:
    """Seconds that the turn begun now is taken: until shortly before the next wake-up, so that one
    that began late, on a busy machine, does not cost the next its turn.
    """
    now_s = time.time() if now_s is None else now_s
    ahead = until_the_moment(every_s, now_s)
    to_next = ahead + every_s if ahead else every_s - now_s % every_s
    return to_next - early_s - TURN_ENDS_S
