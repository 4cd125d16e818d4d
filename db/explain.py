"""Why an order was sent: everything the ledger keeps about one strike."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, text

from db.errors import mapped


def explain(engine: Engine, wanted: str) -> dict[str, Any] | None:
    """The strike with this order number (newest day) or, with ``#``, this strike id. None: unknown.

    {"strike": {...}, "events": [...], "fills": [...], "notices": [...]}
    """
    by_id = wanted.startswith("#")
    where = "id = :key" if by_id else "order_no = :key"
    key = wanted.lstrip("#") if by_id else wanted.lstrip("0")
    with mapped(), engine.connect() as connection:
        strike = connection.execute(
            text(f"SELECT * FROM strike WHERE {where} ORDER BY id DESC LIMIT 1"), {"key": key}
        ).one_or_none()
        if strike is None:
            return None
        who = {
            "id": strike.id, "a": strike.account, "d": strike.order_day, "n": strike.order_no,
        }  # fmt: skip
        events = connection.execute(
            text(
                "SELECT at, from_state, to_state, detail FROM order_event"
                " WHERE strike_id = :id ORDER BY id"
            ),
            who,
        ).all()
        fills = connection.execute(
            text(
                "SELECT at, quantity, price, source FROM fill WHERE account = :a"
                " AND order_day = :d AND order_no = :n ORDER BY id"
            ),
            who,
        ).all()
        notices = connection.execute(
            text(
                "SELECT at, kind, quantity, price FROM notice WHERE account = :a"
                " AND order_day = :d AND order_no = :n ORDER BY id"
            ),
            who,
        ).all()
    found = dict(strike._mapping)
    found["assets"] = json.loads(strike.assets)
    return {
        "strike": found,
        "events": [{**row._mapping, "detail": json.loads(row.detail)} for row in events],
        "fills": [dict(row._mapping) for row in fills],
        "notices": [dict(row._mapping) for row in notices],
    }
