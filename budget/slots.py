"""Turns: one run of a poll a period, and one at a time, whoever sends the messages.

A second beat, the extra tick of a beat that was killed, a message delivered twice and a cycle that
takes longer than its period all end here (facts: with two beats every tick comes twice; kill -9
brings an early extra tick).
"""

from __future__ import annotations

import threading
import time
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

LOOK_S = 0.05  # who waits for a running one looks so often
LEASE_S = 6.0  # a runner renews it while it lives; one that was killed is followed after that

_IF_OURS = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call"
_RENEW = _IF_OURS + "('PEXPIRE', KEYS[1], ARGV[2]) end"
_RELEASE = _IF_OURS + "('DEL', KEYS[1]) end"


class Slots:
    """Turns by name. Unavailable when Redis is gone: no poll without its turn."""

    def __init__(self, client: redis.Redis, lease_s: float = LEASE_S) -> None:
        self._redis = client
        self._lease_s = lease_s
        self._held: dict[str, tuple[str, float]] = {}  # token: key, monotonic end
        self._guard = threading.Lock()
        self._renewer: threading.Thread | None = None

    @contextmanager
    def turn(
        self,
        name: str,
        period_s: float,
        longest_s: float,
        *,
        taken_s: float | None = None,
        wait_s: float = 0.0,
    ) -> Iterator[bool]:
        """True: it is this caller's turn. False: the turn was taken, or one is still running after
        ``wait_s``.

        ``longest_s`` is when a runner that hangs is given up; above the task's hard limit. One that
        was killed is given up after the lease.
        ``taken_s``: how long the turn is taken, where that is known better than by the period.
        """
        token = uuid4().hex
        running, taken = f"stockd:running:{name}", f"stockd:turn:{name}"
        taken_s = period_s * SHARE if taken_s is None else taken_s
        mine, came = False, time.monotonic()
        try:
            lease_ms = int(min(longest_s, self._lease_s) * 1000)
            while not (free := self._redis.set(running, token, nx=True, px=lease_ms)):
                if time.monotonic() - came >= wait_s:
                    break
                time.sleep(LOOK_S)
            if free:
                taken_ms = max(1, int((taken_s - (time.monotonic() - came)) * 1000))
                mine = bool(self._redis.set(taken, token, nx=True, px=taken_ms))
                if not mine:
                    self._redis.eval(_RELEASE, 1, running, token)
        except RedisError as error:
            raise Unavailable(f"Redis: {type(error).__name__}") from None
        if mine:
            self._keep(running, token, time.monotonic() + longest_s)
        try:
            yield mine
        finally:
            if mine:
                with self._guard:
                    self._held.pop(token, None)
                try:
                    self._redis.eval(_RELEASE, 1, running, token)
                except RedisError:
                    pass  # it runs out by itself

    def _keep(self, running: str, token: str, until: float) -> None:
        with self._guard:
            self._held[token] = (running, until)
            if self._renewer is None or not self._renewer.is_alive():
                self._renewer = threading.Thread(target=self._renew, daemon=True, name="turns")
                self._renewer.start()

    def _renew(self) -> None:
        """Renews what is held; ends when nothing is."""
        while True:
            time.sleep(self._lease_s / 4)
            with self._guard:
                held = dict(self._held)
                if not held:
                    self._renewer = None
                    return
            for token, (running, until) in held.items():
                left_s = min(self._lease_s, until - time.monotonic())
                if left_s <= 0:
                    continue
                try:
                    self._redis.eval(_RENEW, 1, running, token, int(left_s * 1000))
                except RedisError:
                    pass  # the next round; without Redis no turn begins either
