"""Messages to the order worker. None of them carries anything: the ledger says what is due."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

import redis as redis_py
import structlog

from budget.connect import connect
from runtime import wiring

log = structlog.get_logger(__name__)

QUEUE = "orders"
WAKE_UP = "tasks.strike.send"
READY = "tasks.strike.ready"
REHEARSAL = "tasks.strike.rehearse"
WAKE_UP_EXPIRES_S = 60
READY_EXPIRES_S = 10
REHEARSAL_EXPIRES_S = 2
PATIENCE_S = 0.2  # the trader has better things to do than to wait for Redis


def _app() -> Any:
    from runtime.celeryapp import app  # noqa: PLC0415  settings are read on first use

    return app


def wake() -> None:
    """Wake the order worker. Failing is harmless: the row is committed, the sweeper repeats."""
    _send(WAKE_UP, WAKE_UP_EXPIRES_S)


def warm_up_publisher() -> None:
    """The first publish of a process takes 100 ms: spend it before the first strike."""
    _send(READY, READY_EXPIRES_S)


def call_to_rehearsal() -> None:
    """The worker's half of a rehearsal (runtime/rehearsal.py). Raises what kombu raises, OSError
    and RedisError mostly."""
    _publish(REHEARSAL, REHEARSAL_EXPIRES_S)


def _send(task: str, expires_s: int) -> None:
    try:
        _publish(task, expires_s)
    except Exception as error:  # noqa: BLE001  kombu raises redis', socket's and its own kinds
        log.warning("wake_up_lost", kind=type(error).__name__)


def _publish(task: str, expires_s: int) -> None:
    # as send_task does, without the event that it was sent: that is a second message to Redis, and
    # Flower has the three that the worker makes of it
    app = _app()
    message = app.amqp.create_task_message(
        str(uuid4()), task, expires=expires_s, ignore_result=True, create_sent_event=False
    )
    with app.producer_or_acquire() as producer:
        app.amqp.send_task_message(producer, task, message, queue=QUEUE)


def waiting() -> int:
    """Messages that wait for the order worker. RedisError when Redis cannot be asked."""
    return int(_queues().llen(QUEUE))  # type: ignore[arg-type]


@cache
def _queues() -> redis_py.Redis:
    return connect(wiring.broker_url(), PATIENCE_S)


def forget() -> None:
    """Drop what was built (tests, and after a fork)."""
    _queues.cache_clear()
