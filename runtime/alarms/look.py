"""One look of the watchdog: the tables' signs, Redis' queues and beat, what can be reached."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any
from urllib.parse import urlsplit

import redis as redis_py
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.ledger import Site
from db.signs import Signs, read_signs
from runtime.alarms.pulse import beat_age_s
from trading.errors import StockdError

REACH_S = 3.0


@dataclass(frozen=True, slots=True)
class Queue:
    """A Celery queue: how many wait, and which one is next (a fingerprint, "" when none)."""

    length: int
    head: str


@dataclass(frozen=True, slots=True)
class Seen:
    """``signs`` is None while MariaDB is away (``mariadb`` says why), queues while Redis is."""

    signs: Signs | None
    mariadb: str = ""
    redis: str = ""
    beat_s: float | None = None
    queues: dict[str, Queue] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic, compare=False)  # when the look ended


def look(
    engine: Engine,
    site: Site,
    state: redis_py.Redis,
    broker: redis_py.Redis,
    queues: tuple[str, ...],
) -> Seen:
    """Look at everything; what is away is part of what is seen, so this never raises for it."""
    signs, mariadb, redis, beat_s = None, "", "", None
    seen: dict[str, Queue] = {}
    try:
        signs = read_signs(engine, site)
    except (StockdError, SQLAlchemyError) as error:
        mariadb = _line(error)
    try:
        beat_s = beat_age_s(state)
        seen = {name: _queue(broker, name) for name in queues}
    except redis_py.RedisError as error:
        redis = type(error).__name__
    return Seen(signs, mariadb, redis, beat_s, seen)


def _queue(client: redis_py.Redis, name: str) -> Queue:
    head: Any = client.lindex(name, -1)  # kombu pushes left and takes right
    length: Any = client.llen(name)
    mark = sha1(head, usedforsecurity=False).hexdigest() if head else ""
    return Queue(int(length), mark)


def reaches(url: str) -> bool:
    """Whether something listens behind ``url``. A connection without a word is no call."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), REACH_S):
            return True
    except OSError:
        return False


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
