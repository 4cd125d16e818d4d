"""What only Redis and the lease know, put into tables for readers that may see tables alone (the
site's page): the call lanes each second, and rows of processes that cannot write one themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from db.heartbeat import show_process
from db.lanes import WHOLE, LaneRow, write_lanes
from db.lease import TTL_S
from runtime import wiring
from runtime.alarms.look import Seen
from runtime.loop import kst_now
from runtime.settings import load_settings
from trading.errors import StockdError

log = structlog.get_logger(__name__)

LANES_EVERY_S = 1.0
ENDS_WITHIN_S = 5.0


def lane_rows() -> Iterator[LaneRow]:
    """Every lane of every app key, the key as a whole first. Unavailable when Redis is gone."""
    for section in load_settings().kis.sections:
        seen = wiring.lanes(section.label).snapshot()
        opens = round(seen.opens_in_s * 1000)
        waiting = sum(one.waiting for one in seen.lanes)
        granted, refused = (
            sum(getattr(one, n) for one in seen.lanes) for n in ("granted", "refused")
        )
        yield LaneRow(
            section.label, WHOLE, seen.ceiling, seen.used, waiting, granted, refused, opens
        )
        for one in seen.lanes:
            yield LaneRow(
                section.label, one.lane, one.limit, one.used, one.waiting, one.granted,
                one.refused, opens,
            )  # fmt: skip


@contextmanager
def lanes_shown(engine: sa.Engine) -> Iterator[None]:
    """While entered, table `lane` is written each second. ``engine`` of the role watchdog.

    A thread of its own: a look of the watchdog may take seconds, and old figures look like calm.
    """
    over = threading.Event()

    def keep() -> None:
        lost = ""
        while not over.wait(LANES_EVERY_S):
            try:
                write_lanes(engine, lane_rows(), kst_now())
                lost = ""
            except (StockdError, SQLAlchemyError) as error:
                if lost != type(error).__name__:  # once, not each second; the page sees the age
                    lost = type(error).__name__
                    log.warning("차선을 표에 적지 못함", error=lost)

    thread = threading.Thread(target=keep, name="lanes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(ENDS_WITHIN_S)


def show_processes(engine: sa.Engine, seen: Seen, now: datetime) -> None:
    """Rows of beat (its pulse in Redis) and of the order worker (its lease) in table `daemon`."""
    if seen.signs is None:
        return
    try:
        if seen.beat_s is not None:
            show_process(engine, "beat", now - timedelta(seconds=seen.beat_s), "RUNNING")
        left = seen.signs.lease_s
        if left is not None:
            renewed = now - timedelta(seconds=max(0.0, TTL_S + left))
            show_process(engine, "orders", renewed, "RUNNING" if left < 0 else "STOPPED")
    except (StockdError, SQLAlchemyError) as error:
        log.debug("데몬 줄을 적지 못함", error=type(error).__name__)
