"""When a Celery process last got something done, in a file of the state directory.

A ping answers while the pool child hangs, so health asks for work instead: a worker marks each
task that has ended, beat each wake-up it has sent, at most once a second. The mark is the file's
time: reading it costs nothing and needs no server. Kept by host name: containers share a volume.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

from celery import signals

MARK_EVERY_S = 1.0

_last = 0.0
_is_beat = False


def mark_file(name: str) -> Path:
    """The mark of process ``name`` ("orders", "beat" …) on this host."""
    from runtime.wiring import state_dir  # noqa: PLC0415  settings are read on first use

    return state_dir() / "progress" / f"{name}@{socket.gethostname()}"


def mark(name: str) -> None:
    """Something got done. Never disturbs what was done: a full disk shows as an old mark."""
    global _last  # noqa: PLW0603  one throttle a process
    now = time.monotonic()
    if now < _last + MARK_EVERY_S:
        return
    _last = now
    try:
        file = mark_file(name)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch()
    except OSError:
        pass


def age_s(name: str) -> float | None:
    """Seconds since the last mark on this host, None when there is none."""
    try:
        return max(0.0, time.time() - mark_file(name).stat().st_mtime)
    except FileNotFoundError:
        return None


@signals.task_postrun.connect
def _task_ended(task: Any = None, **_: Any) -> None:
    node = str(getattr(getattr(task, "request", None), "hostname", "") or "")
    if node:
        mark(node.partition("@")[0])


@signals.beat_init.connect
def _beat_started(**_: Any) -> None:
    global _is_beat  # noqa: PLW0603  set once, before anything is published
    _is_beat = True


@signals.after_task_publish.connect
def _wake_up_sent(**_: Any) -> None:
    if _is_beat:
        mark("beat")
