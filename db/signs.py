"""Signs of life in the tables, as the watchdog reads them: ages on the server's own clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, text

from db.errors import mapped
from db.ledger import Site

STUCK_S, RECENT_S = 30, 300


@dataclass(frozen=True, slots=True)
class Worker:
    """A row of table `daemon`; ``age_s`` since its work last moved."""

    state: str
    age_s: float
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signs:
    """One look. Ages in seconds; None where there has never been anything."""

    tick_s: float | None  # youngest row of market
    watched: int  # rows of market
    asset_s: float | None  # oldest of the accounts' balances
    lease_s: float | None  # since the order lease ran out; negative while it is held
    scheduler_on: bool
    events: dict[str, float]  # EVENT -> since it last ended
    event_errors: dict[str, str]
    workers: dict[str, Worker]
    unknown: list[int]  # strikes whose outcome has not been known for STUCK_S
    rejected: list[int]  # strikes refused by the broker within RECENT_S
    trips: dict[str, str]  # guard -> its last word within RECENT_S, drills left out
    halt: str  # the reason of the halt in force, "" when orders are open
    halt_source: str
    strikes: dict[str, int] = field(default_factory=dict)  # today, by state


_AGE = "TIMESTAMPDIFF(MICROSECOND, {}, NOW(6)) / 1e6"


def read_signs(engine: Engine, site: Site) -> Signs:
    """One look at everything. ``engine`` of the role watchdog, in autocommit. Unavailable."""
    with mapped(), engine.connect() as connection:
        ticks = _one(
            connection,
            f"SELECT {_AGE.format('MAX(received_at)')} AS age, COUNT(*) AS n FROM market",
        )
        assets = _one(connection, f"SELECT {_AGE.format('MIN(received_at)')} FROM asset_balance")
        lease = connection.execute(
            text(f"SELECT {_AGE.format('expires_at')} FROM lease WHERE name = 'orders'")
        ).scalar()
        events = _rows(connection, f"SELECT name, {_AGE.format('ended_at')}, error FROM event_run")
        stopped = connection.execute(
            text(
                f"SELECT action, reason, source FROM {site.table('halt')} ORDER BY id DESC LIMIT 1"
            )
        ).one_or_none()
        halt = stopped if stopped is not None and stopped.action == "HALT" else None
        return Signs(
            tick_s=_float(ticks[0]),
            watched=int(ticks[1]),
            asset_s=_float(assets[0]),
            lease_s=_float(lease),
            scheduler_on=connection.scalar(text("SELECT @@global.event_scheduler")) == "ON",
            events={row[0]: float(row[1]) for row in events if row[1] is not None},
            event_errors={row[0]: row[2] for row in events},
            workers=_workers(connection),
            unknown=_strikes(
                connection,
                f"state IN ('UNKNOWN', 'SENDING') AND {_AGE.format('updated_at')} > {STUCK_S}",
            ),
            rejected=_strikes(
                connection, f"state = 'REJECTED' AND {_AGE.format('updated_at')} < {RECENT_S}"
            ),
            trips=dict(
                _rows(
                    connection,
                    "SELECT guard, MAX(detail) FROM guard_trip WHERE drill = 0"
                    f" AND at > NOW(6) - INTERVAL {RECENT_S} SECOND GROUP BY guard",
                )
            ),
            halt=halt.reason if halt else "",
            halt_source=halt.source if halt else "",
            strikes={
                row[0]: int(row[1])
                for row in _rows(
                    connection,
                    "SELECT state, COUNT(*) FROM strike WHERE fired_at >= CURDATE() GROUP BY state",
                )
            },
        )


def _workers(connection: Connection) -> dict[str, Worker]:
    rows = _rows(
        connection, f"SELECT name, state, {_AGE.format('progress_at')}, detail FROM daemon"
    )
    return {
        row[0]: Worker(row[1], float(row[2]), json.loads(row[3]) if row[3] else {}) for row in rows
    }


def _strikes(connection: Connection, where: str) -> list[int]:
    return [int(row[0]) for row in _rows(connection, f"SELECT id FROM strike WHERE {where}")]


def _one(connection: Connection, query: str) -> Any:
    return connection.execute(text(query)).one()


def _rows(connection: Connection, query: str) -> list[Any]:
    return [tuple(row) for row in connection.execute(text(query))]


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
