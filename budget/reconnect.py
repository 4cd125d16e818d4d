"""Reconnect budget: at most 4 websocket connects in 10 minutes an app key (P11).

Fits ``kis.reconnect.ReconnectBudget`` without importing it. The state is in Redis, shared by all
processes, and in a file that survives a Redis that comes back empty: a crash loop of everything
stays within the budget. KIS blocks address and key of a client that connects and closes in a loop.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError

from budget.files import locked, read_json, write_json
from trading.errors import Unavailable

CONNECTS, WITHIN_S = 4, 600.0
# A slot that nobody closed may be a ghost. 18 s of silence and one retry were seen to be enough
# where quick retries led to a lock (fact sheet README §5); KIS's own "in use" answer costs more,
# which is what hold_off is for.
GHOST_WAIT_S = 20.0
DROP_WAIT_S = 5.0  # the end of a connection was seen: the first step of the back-off is enough
FILE_LOCK_S = 2.0


class RedisReconnectBudget:
    """``claim`` before a connect, ``closed`` or ``unused`` after it, ``hold_off`` on OPSP8996."""

    def __init__(
        self,
        client: redis.Redis,
        state_dir: Path | str,
        *,
        connects: int = CONNECTS,
        within_s: float = WITHIN_S,
        ghost_wait_s: float = GHOST_WAIT_S,
    ) -> None:
        self._redis = client
        self._dir = Path(state_dir) / "reconnect"
        self._connects = connects
        self._within_s = within_s
        self._ghost_wait_s = ghost_wait_s

    def claim(self, key_id: str) -> float:
        """0.0: connect now, it is counted. Above 0: seconds to wait before asking again.

        Unavailable if Redis or the state directory is gone.
        """
        with locked(self._dir / f"{key_id}.lock", FILE_LOCK_S):
            now, state = self._load(key_id)
            if state["open"]:  # claimed and never closed: its process was killed
                state["open"] = False
                state["not_before"] = max(state["not_before"], now + self._ghost_wait_s)
            recent = sorted(at for at in state["connects"] if now - self._within_s < at <= now)
            wait = max(0.0, state["not_before"] - now)
            if len(recent) >= self._connects:
                oldest = recent[-self._connects]
                wait = max(wait, oldest + self._within_s - now)
            if wait <= 0:
                recent.append(now)
                state["open"] = True
            state["connects"] = recent
            self._save(key_id, state)
            return wait

    def closed(self, key_id: str, clean: bool) -> None:
        """The connection ended; ``clean`` when unsubscribed and closed with a close frame."""
        with locked(self._dir / f"{key_id}.lock", FILE_LOCK_S):
            now, state = self._load(key_id)
            state["open"] = False
            if not clean:
                state["not_before"] = max(state["not_before"], now + DROP_WAIT_S)
            self._save(key_id, state)

    def unused(self, key_id: str) -> None:
        """The claimed connect never reached KIS (no network, nobody listens): it is not counted,
        so that an outage of our own line does not use up what its end needs."""
        with locked(self._dir / f"{key_id}.lock", FILE_LOCK_S):
            _, state = self._load(key_id)
            state["open"] = False
            state["connects"] = state["connects"][:-1]  # oldest first: the last is this one
            self._save(key_id, state)

    def hold_off(self, key_id: str, seconds: float) -> None:
        """No connect of this key by any process for so long (OPSP8996)."""
        with locked(self._dir / f"{key_id}.lock", FILE_LOCK_S):
            now, state = self._load(key_id)
            state["not_before"] = max(state["not_before"], now + seconds)
            self._save(key_id, state)

    def look(self, key_id: str) -> dict[str, Any]:
        """For people: connects left in the window, seconds until the next is allowed, and whether
        a connection is open (or was never closed: its process was killed)."""
        now, state = self._load(key_id)
        recent = [at for at in state["connects"] if now - self._within_s < at <= now]
        wait = max(0.0, state["not_before"] - now)
        left = max(0, self._connects - len(recent))
        return {"left": left, "wait_s": wait, "open": state["open"]}

    def _load(self, key_id: str) -> tuple[float, dict[str, Any]]:
        """Redis's time, and what Redis and the file know together."""
        try:
            seconds, micros = self._redis.time()  # type: ignore[misc]
            raw: bytes | None = self._redis.get(_name(key_id))  # type: ignore[assignment]
        except RedisError as error:
            raise Unavailable(f"Redis: {type(error).__name__}") from None
        sides = [read_json(self._dir / f"{key_id}.json"), json.loads(raw) if raw else {}]
        connects = {float(at) for side in sides for at in side.get("connects", [])}
        latest = max(sides, key=lambda side: int(side.get("step", 0)))
        return seconds + micros / 1e6, {
            "connects": sorted(connects),
            "not_before": max(float(side.get("not_before", 0.0)) for side in sides),
            "open": bool(latest.get("open", False)),
            "step": int(latest.get("step", 0)),
        }

    def _save(self, key_id: str, state: dict[str, Any]) -> None:
        state = {**state, "step": state["step"] + 1}
        write_json(self._dir / f"{key_id}.json", state)
        try:
            self._redis.set(_name(key_id), json.dumps(state), ex=int(self._within_s) + 86_400)
        except RedisError as error:
            raise Unavailable(f"Redis: {type(error).__name__}") from None


def _name(key_id: str) -> str:
    return f"stockd:reconnect:{key_id}"
