"""Turns: one run of a poll a period, and one at a time, whoever sends the messages.

A second beat, the extra tick of a beat that was killed, a message delivered twice and a cycle that
takes longer than its period all end here (facts: with two beats every tick comes twice; kill -9
brings an early extra tick).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import redis
from redis.exceptions import RedisError

from trading.errors import Unavailable

# A turn is open again after this share of the period. Not numbered slots of the clock
# (floor(now / period)): a beat that ticks near such an edge falls into one slot twice and misses
# the next, which would make a gap of two periods out of a millisecond.
SHARE = 0.8

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class Slots:
    """Turns by name. Unavailable when Redis is gone: no poll without its turn."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    @contextmanager
    def turn(
        self, name: str, period_s: float, longest_s: float, *, taken_s: float | None = None
    ) -> Iterator[bool]:
        """True: it is this caller's turn. False: the turn was taken, or one is still running.

        ``longest_s`` is when a runner that was killed is given up; above the task's hard limit.
        ``taken_s``: how long the turn is taken, where that is known better than by the period.
        """
        token = uuid4().hex
        running, taken = f"stockd:running:{name}", f"stockd:turn:{name}"
        taken_ms = int((period_s * SHARE if taken_s is None else taken_s) * 1000)
        mine = False
        try:
            if self._redis.set(running, token, nx=True, px=int(longest_s * 1000)):
                mine = bool(self._redis.set(taken, token, nx=True, px=taken_ms))
                if not mine:
                    self._redis.eval(_RELEASE, 1, running, token)
        except RedisError as error:
            raise Unavailable(f"Redis: {type(error).__name__}") from None
        try:
            yield mine
        finally:
            if mine:
                try:
                    self._redis.eval(_RELEASE, 1, running, token)
                except RedisError:
                    pass  # it runs out by itself
