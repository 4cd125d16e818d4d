"""When a guard tripped (table `guard_trip`, append-only): what a person asks afterwards (P16)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, insert

from db.errors import mapped
from db.tables import guard_trip

DETAIL_LENGTH = 200


def record_trip(
    engine: Engine,
    guard: str,
    at: datetime,
    detail: str,
    *,
    strike_id: int | None = None,
    drill: bool = False,
) -> None:
    """Append one row. ``at`` is aware KST. Raises Unavailable without server."""
    row = {
        "guard": guard,
        "at": at,
        "drill": int(drill),
        "strike_id": strike_id,
        "detail": detail[:DETAIL_LENGTH],
    }
    with mapped(), engine.begin() as connection:
        connection.execute(insert(guard_trip).values(row))
