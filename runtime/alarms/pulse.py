"""Beat's pulse in Redis, for a watchdog on any machine: wake-ups sent, once a second at most."""

from __future__ import annotations

import time
from typing import Any

import redis as redis_py
from celery import signals

BEAT = "stockd:beat"
EVERY_S, KEPT_S = 1.0, 86_400

_is_beat = False
_next = 0.0


@signals.beat_init.connect
def _beat_started(**_: Any) -> None:
    global _is_beat  # noqa: PLW0603  set once, before anything is published
    _is_beat = True


@signals.after_task_publish.connect
def _wake_up_sent(**_: Any) -> None:
    global _next  # noqa: PLW0603  one throttle a process
    if not _is_beat or time.monotonic() < _next:
        return
    _next = time.monotonic() + EVERY_S
    from runtime import wiring  # noqa: PLC0415  settings are read on first use

    try:
        wiring.redis().set(BEAT, time.time(), ex=KEPT_S)
    except redis_py.RedisError:
        pass  # the watchdog sees Redis itself


def beat_age_s(client: redis_py.Redis) -> float | None:
    """Seconds since beat sent a wake-up, None when it never has. RedisError if Redis is gone."""
    raw: Any = client.get(BEAT)
    return None if raw is None else max(0.0, time.time() - float(raw))
