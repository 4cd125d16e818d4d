"""What the watchdog said (table `alarm`): each fault raised once, told again, and over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, func, insert, select, update

from db.errors import mapped
from db.tables import alarm

TEXT_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One row. ``what``: RAISED, REPEATED, RECOVERED or REPORT."""

    id: int
    fault: str
    level: str
    what: str
    text: str
    at: datetime
    sent_at: datetime | None


def write_alarm(
    engine: Engine, fault: str, level: str, what: str, *, words: str, at: datetime
) -> int:
    """Append; the row's number. Unavailable without MariaDB."""
    row = {"fault": fault[:40], "level": level, "what": what, "text": words[:TEXT_LENGTH], "at": at}
    with mapped(), engine.begin() as connection:
        key = connection.execute(insert(alarm).values(row)).inserted_primary_key
    return int(key[0]) if key else 0


def mark_sent(engine: Engine, number: int, at: datetime) -> None:
    """A receiver took it."""
    with mapped(), engine.begin() as connection:
        connection.execute(update(alarm).where(alarm.c.id == number).values(sent_at=at))


def open_alarms(engine: Engine) -> dict[str, AlarmRow]:
    """Faults that were raised and are not over, by name, as last told."""
    newest = select(func.max(alarm.c.id)).where(alarm.c.what != "REPORT").group_by(alarm.c.fault)
    query = select(alarm).where(alarm.c.id.in_(newest), alarm.c.what != "RECOVERED")
    with mapped(), engine.connect() as connection:
        return {row.fault: AlarmRow(*row) for row in connection.execute(query)}


def alarms_since(engine: Engine, at: datetime) -> list[AlarmRow]:
    """Everything said since, oldest first."""
    query = select(alarm).where(alarm.c.at >= at).order_by(alarm.c.id)
    with mapped(), engine.connect() as connection:
        return [AlarmRow(*row) for row in connection.execute(query)]


def reported(engine: Engine, name: str, day: date) -> bool:
    """Whether the report ``name`` of that day is written."""
    query = select(func.count()).where(
        alarm.c.fault == name, alarm.c.what == "REPORT", func.date(alarm.c.at) == day
    )
    with mapped(), engine.connect() as connection:
        return bool(connection.scalar(query))
