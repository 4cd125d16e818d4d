"""The call lanes as a table (`lane`), overwritten each second: some readers may not ask Redis."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine
from sqlalchemy.dialects.mysql import insert

from db.errors import mapped
from db.tables import lane

WHOLE = "all"  # the app key as a whole: its places are the ceiling


class LaneRow(NamedTuple):
    """One lane of one app key: places a second, how many are taken and waited for now, and counts
    since Redis has known the key. ``opens_in_ms`` > 0: Redis has just started, nobody is let in.
    """

    label: str
    lane: str
    places: int
    used: int
    waiting: int
    granted: int
    refused: int
    opens_in_ms: int = 0


def write_lanes(engine: Engine, rows: Iterable[LaneRow], at: datetime) -> None:
    """Overwrite the lanes' rows in one statement. Unavailable without MariaDB."""
    values = [{**row._asdict(), "updated_at": at} for row in rows]
    if not values:
        return
    statement = insert(lane).values(values)
    fresh = {name: statement.inserted[name] for name in values[0] if name not in ("label", "lane")}
    with mapped(), engine.begin() as connection:
        connection.execute(statement.on_duplicate_key_update(fresh))
