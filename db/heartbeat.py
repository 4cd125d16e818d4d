"""Who runs, since when, and when its work last moved (table `daemon`, P12)."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.mysql import insert

from db.errors import mapped
from db.tables import daemon
from trading.errors import BadInput

STATES = ("STARTING", "RUNNING", "WAITING", "STOPPED", "FAILED")
DETAIL_LENGTH = 600


@dataclass(frozen=True, slots=True)
class Daemon:
    """A row of table `daemon`."""

    name: str  # market, trader, orders, assets, sweep, beat …
    host: str
    pid: int
    started_at: datetime
    progress_at: datetime  # when work moved, not when the process said it lives
    state: str  # one of STATES
    detail: dict[str, Any] = field(default_factory=dict)  # e.g. {"ticks": 120393}


@dataclass(slots=True)
class Heartbeat:
    """One process's row. Call ``beat`` after each step that got something done.

    ``engine`` is the process's own; every role but site, desk and reader may write its row.
    """

    engine: Engine
    name: str
    started_at: datetime

    def beat(
        self, at: datetime, state: str = "RUNNING", detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write the row. Raises BadInput for an unknown state, Unavailable without server."""
        if state not in STATES:
            raise BadInput("state", state, f"one of {', '.join(STATES)}")
        row = {
            "name": self.name,
            "host": socket.gethostname()[:64],
            "pid": os.getpid(),
            "started_at": self.started_at,
            "progress_at": at,
            "state": state,
            "detail": _short_json(detail or {}),
        }
        statement = insert(daemon).values(row)
        fresh = {name: statement.inserted[name] for name in row if name != "name"}
        with mapped(), self.engine.begin() as connection:
            connection.execute(statement.on_duplicate_key_update(fresh))


def show_process(engine: Engine, name: str, at: datetime, state: str) -> None:
    """The row of a process that cannot write one: beat has no MariaDB user, the order worker's sign
    is its lease. ``at``: its last sign; pid 0 says that it was seen from outside. ``started_at``
    is when it was first seen. Raises as ``Heartbeat.beat``.
    """
    if state not in STATES:
        raise BadInput("state", state, f"one of {', '.join(STATES)}")
    row = {"name": name, "host": "", "pid": 0, "started_at": at, "progress_at": at, "state": state}
    statement = insert(daemon).values(row | {"detail": "{}"})
    fresh = {key: statement.inserted[key] for key in ("progress_at", "state")}
    with mapped(), engine.begin() as connection:
        connection.execute(statement.on_duplicate_key_update(fresh))


def read_daemons(engine: Engine) -> list[Daemon]:
    """All rows by name."""
    with mapped(), engine.connect() as connection:
        rows = connection.execute(select(daemon).order_by(daemon.c.name)).all()
    return [
        Daemon(
            row.name,
            row.host,
            row.pid,
            row.started_at,
            row.progress_at,
            row.state,
            json.loads(row.detail) if row.detail else {},
        )
        for row in rows
    ]


def forget_daemon(engine: Engine, name: str) -> bool:
    """Remove the row of a process that is gone for good (admin). Whether there was one."""
    with mapped(), engine.begin() as connection:
        return connection.execute(delete(daemon).where(daemon.c.name == name)).rowcount == 1


def _short_json(detail: Mapping[str, Any]) -> str:
    # what does not fit is left out entry by entry, last first: half a JSON helps nobody
    kept = dict(detail)
    while len(body := json.dumps(kept, ensure_ascii=False, default=str)) > DETAIL_LENGTH:
        kept.popitem()
    return body
