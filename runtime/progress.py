"""When a Celery process last got something done, marked by Celery's own signals.

A ping answers while the pool child hangs, so health asks for work instead: a worker marks each
task that has ended, beat each wake-up it has sent, at most once a second (runtime/marks.py).
"""

from __future__ import annotations

import time
from typing import Any

from celery import signals

from runtime.marks import mark_file, touch

MARK_EVERY_S = 1.0

_last = 0.0
_is_beat = False


def mark(name: str) -> None:
    """Process ``name`` got something done."""
    global _last  # noqa: PLW0603  one throttle a process
    now = time.monotonic()
    if now < _last + MARK_EVERY_S:
        return
    _last = now
    from runtime.wiring import state_dir  # noqa: PLC0415  settings are read on first use

    touch(mark_file(state_dir(), name))


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
