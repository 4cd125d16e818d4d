"""Lanes: the call budget of one app key, shared by every process through Redis.

Fits ``kis.gate.CallGate`` without importing it. All time is Redis's own, so a client's clock may
be wrong; all state is Redis's, so any number of processes share one budget; with Redis gone no
call goes out. Why this piece is our own: docs/adr/0006-own-call-lanes.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from importlib import resources
from typing import Any
from uuid import uuid4

import redis
import structlog
from redis.exceptions import NoScriptError, RedisError

from budget.plan import LANES, Plan, Route
from trading.errors import BadInput, Throttled, Unavailable

WINDOW_S = 1.0  # the broker counts arrivals in any rolling second
HOLD_S = 8.0  # a call without an answer keeps its place so long: above connect 3.05 + read 4 s
LEDGER_GAP_S = 1.05  # between ledger queries of an account, from the previous answer (EGW00215)
MICRO = 1_000_000

SCRIPT = resources.files("budget").joinpath("lanes.lua").read_text("utf-8")
SCRIPT_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LaneView:
    """One lane as it is now: places, how many are taken, calls waiting; counts since the start.

    ``refused`` are calls that got no place in time; ``granted`` got one.
    """

    lane: str
    limit: int
    used: int
    waiting: int
    granted: int
    refused: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All lanes of one app key. ``opens_in_s`` > 0: Redis lost its memory, nobody is let in yet."""

    label: str
    ceiling: int
    used: int
    opens_in_s: float
    lanes: tuple[LaneView, ...]


class LanePermit:
    """The right to make one call; ``pool`` is the lane whose place it took."""

    __slots__ = ("_done", "pool")

    def __init__(self, pool: str, done: Callable[[], object]) -> None:
        self.pool = pool
        self._done = done

    def done(self) -> None:
        """An answer was read: the place is free one second from now. Never raises: an order that
        was answered must not fail afterwards; a place not given back frees itself after the hold.
        """
        try:
            self._done()
        except RedisError as error:
            log.warning("permit_not_returned", pool=self.pool, error=type(error).__name__)


class Lanes:
    """The call gate of one app key.

    ``label`` names the key space (never the app key); ``account`` that of the ledger pace. All
    processes must be given the same plan; ``all`` and ``fixed`` keep the sums even if they are not.
    """

    def __init__(
        self,
        client: redis.Redis,
        label: str,
        plan: Plan,
        *,
        account: str = "",
        hold_s: float = HOLD_S,
        ledger_gap_s: float = LEDGER_GAP_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._redis = client
        self._label = label
        self.plan = plan
        self._prefix = f"stockd:lanes:{{{label}}}:"
        self._ledger = f"ledger:{account or label}"
        self._hold = int(hold_s * MICRO)
        self._window = int(WINDOW_S * MICRO)
        self._ledger_gap = int(ledger_gap_s * MICRO)
        self._sleep = sleep

    def acquire(self, lane: str, timeout: float, *, ledger: bool = False) -> LanePermit:
        """A place in ``lane`` within ``timeout`` s (0: now or not at all).

        Raises Throttled when none came free in time, Unavailable when Redis cannot be asked or has
        just lost its memory, BadInput for a lane that does not exist.
        """
        route = self.plan.routes.get(lane)
        if route is None:
            raise BadInput("lane", lane, f"one of {', '.join(LANES)}")
        musts = route.musts + (((self._ledger, 1),) if ledger else ())
        line = self._line(route) if ledger else ""
        name = uuid4().hex
        asked = [
            name, lane, self._hold, self._window,
            len(route.pools), *_flat(route.pools),
            line, len(musts), *_flat(musts),
            len(route.firsts), *route.firsts,
        ]  # fmt: skip
        deadline = time.monotonic() + timeout
        while True:
            verdict, value = self._ask("acquire", *asked)
            if verdict == b"granted":
                return LanePermit(value.decode(), self._returner(name, value.decode(), musts))
            wait = int(value) / MICRO
            if time.monotonic() + wait > deadline:
                self._leave(name, lane, line)
                if verdict == b"cold":
                    raise Unavailable(f"Redis has just started: calls open in {wait:.1f} s")
                raise Throttled(f"lane {lane} of {self._label}: no place within {timeout:g} s")
            self._sleep(wait)

    def book(self, lane: str, seconds: float) -> None:
        """Stand first among the account's ledger queries with the next one of ``lane``, for
        ``seconds``: nobody else starts one until then. Where all lanes share by rank it does
        nothing. Unavailable if Redis is gone.
        """
        line = self._line(self.plan.routes[lane])
        if line:
            self._ask("book", lane, line, int(seconds * MICRO))

    def vouch(self) -> None:
        """Open at once after a start of Redis. Only for who knows that no call is on its way."""
        self._ask("vouch")

    def snapshot(self) -> Snapshot:
        """The lanes as they are now. Unavailable if Redis is gone."""
        names = ("all", *LANES)
        answer = self._ask("look", len(names), *names)
        try:
            counts: dict[bytes, bytes] = self._redis.hgetall(self._prefix + "stats")  # type: ignore[assignment]
        except RedisError as error:
            raise Unavailable(f"Redis: {type(error).__name__}") from None
        seen = {name: (answer[2 * at], answer[2 * at + 1]) for at, name in enumerate(names)}
        lanes = tuple(
            LaneView(
                lane,
                self.plan.limits[lane],
                *seen[lane],
                int(counts.get(f"granted:{lane}".encode(), 0)),
                int(counts.get(f"refused:{lane}".encode(), 0)),
            )
            for lane in LANES
        )
        opens = max(0, int(answer[-1])) / MICRO
        return Snapshot(self._label, self.plan.ceiling, seen["all"][0], opens, lanes)

    # -- Redis ------------------------------------------------------------------------------

    def _returner(
        self, name: str, pool: str, musts: tuple[tuple[str, int], ...]
    ) -> Callable[[], object]:
        gaps = [(pool, self._window), *((one, self._window) for one, _ in musts)]
        gaps = [(one, self._ledger_gap if one == self._ledger else gap) for one, gap in gaps]
        return lambda: self._run("done", name, len(gaps), *_flat(gaps))

    def _line(self, route: Route) -> str:
        # where lanes share one place by rank, a line beside the rank would be a second order
        return "" if route.firsts else self._ledger

    def _leave(self, name: str, lane: str, line: str) -> None:
        try:
            self._run("leave", name, lane, line)
        except RedisError:
            pass  # only a figure on a screen; the waiting list forgets by itself

    def _ask(self, operation: str, *args: Any) -> list[Any]:
        try:
            return self._run(operation, *args)
        except RedisError as error:
            raise Unavailable(f"Redis: {type(error).__name__}") from None

    def _run(self, operation: str, *args: Any) -> list[Any]:
        """One atomic step. Redis forgets its scripts when it restarts, also where its data came
        back from an older save: the first step afterwards closes the gate for hold + window.
        """
        try:
            return self._redis.evalsha(SCRIPT_SHA, 1, self._prefix, operation, *args)  # type: ignore[return-value]
        except NoScriptError:
            if operation == "acquire":
                operation = "cold"
            elif operation != "vouch":
                return _NOTHING[operation](args)
            return self._redis.eval(SCRIPT, 1, self._prefix, operation, *args)  # type: ignore[return-value]


# what the operations answer while Redis does not know the script, without teaching it to Redis
_NOTHING: dict[str, Callable[[tuple[Any, ...]], list[Any]]] = {
    "done": lambda args: [b"done", 0],
    "leave": lambda args: [b"left", 0],
    "book": lambda args: [b"booked", 0],
    "look": lambda args: [0] * (2 * args[0]) + [-1],
}


def _flat(pairs: Any) -> list[Any]:
    return [value for pair in pairs for value in pair]
