"""RedisTokenStore: one access token and one approval key an app key, for all processes.

Fits ``kis.auth.TokenStore`` without importing it. Redis is what all machines share; a 0600 file
beside it survives a Redis that comes back empty, so that a restart costs no second token (each
issue sends the customer a message, and KIS refuses a second one within the minute). A value is a
secret: it is stored, never logged and never part of an error.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import LockError, RedisError

from budget.files import locked, read_json, write_json
from trading.errors import Unavailable

LOCK_LIVES_S = 30.0  # a holder on another machine that died; one issue takes up to 7 s


class RedisTokenStore:
    """Tokens in Redis under the fingerprint of their app key, and in ``state_dir``/tokens."""

    def __init__(self, client: redis.Redis, state_dir: Path | str) -> None:
        self._redis = client
        self._dir = Path(state_dir) / "tokens"

    def get(self, kind: str, key_id: str) -> tuple[str, datetime] | None:
        """(value, expires_at aware KST), whichever of Redis and the file was stored last.

        None when there is none. Unavailable if Redis is gone.
        """
        with _redis_errors():
            raw: bytes | None = self._redis.get(_name(kind, key_id))  # type: ignore[assignment]
        found = [
            _read(json.loads(raw)) if raw else None,
            _read(read_json(self._file(kind, key_id))),
        ]
        known = [one for one in found if one is not None]
        if not known:
            return None
        _, value, expires_at = max(known)
        return value, expires_at

    def put(self, kind: str, key_id: str, value: str, expires_at: datetime) -> None:
        """Store in the file first: should Redis fail now, the token is not lost."""
        entry = {"value": value, "expires_at": expires_at.isoformat(), "stored_at": time.time()}
        write_json(self._file(kind, key_id), entry)
        lives_s = max(1, int(expires_at.timestamp() - time.time()))
        with _redis_errors():
            self._redis.set(_name(kind, key_id), json.dumps(entry), ex=lives_s)

    @contextmanager
    def lock(self, kind: str, key_id: str, timeout: float) -> Iterator[None]:
        """Single flight: over this machine's processes by file, over machines by Redis.

        Waits up to ``timeout`` s for each, then raises Unavailable.
        """
        name = _name(kind, key_id)
        with locked(self._dir / f"{kind}-{key_id}.lock", timeout):
            lock = self._redis.lock(f"{name}:lock", timeout=LOCK_LIVES_S, blocking_timeout=timeout)
            with _redis_errors():
                if not lock.acquire():
                    raise Unavailable(f"{kind}: another machine is asking for it")
            try:
                yield
            finally:
                try:
                    lock.release()
                except (LockError, RedisError):
                    pass  # it ran out or Redis went away: either way it is no longer held

    def claim_issue(self, kind: str, key_id: str, every_s: float) -> bool:
        """True at most once in ``every_s``, also over a restart of Redis, even if the issue fails.

        To be called under ``lock``.
        """
        path = self._dir / f"{kind}-{key_id}-issued.json"
        last = float(read_json(path).get("at", 0.0))
        if 0 <= time.time() - last < every_s:
            return False
        with _redis_errors():
            claimed = self._redis.set(
                f"{_name(kind, key_id)}:issued", 1, nx=True, px=int(every_s * 1000)
            )
        if claimed:
            write_json(path, {"at": time.time()})
        return bool(claimed)

    def _file(self, kind: str, key_id: str) -> Path:
        return self._dir / f"{kind}-{key_id}.json"


def _name(kind: str, key_id: str) -> str:
    return f"stockd:token:{kind}:{key_id}"


def _read(entry: dict[str, Any]) -> tuple[float, str, datetime] | None:
    try:
        expires_at = datetime.fromisoformat(entry["expires_at"])
        return float(entry["stored_at"]), str(entry["value"]), expires_at
    except (KeyError, TypeError, ValueError):
        return None


@contextmanager
def _redis_errors() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise Unavailable(f"Redis: {type(error).__name__}") from None
