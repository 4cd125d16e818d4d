"""Conditions as a person changes them: each change with its history row in one transaction.

The page does the same in PHP. Off when made; an edit disarms; removing leaves the row; each arming
gets the next ``arm_no``, and an old ``rev`` changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from db.errors import mapped
from db.ledger import Site
from trading.clock import KST
from trading.conditions import Condition, Context
from trading.errors import BadInput

_DAY_START = datetime(2000, 1, 1, tzinfo=KST)  # any day: only the time of day counts
# of today: of a stock with a condition, else of one that the sweep prices
_LIMIT = (
    "COALESCE((SELECT {0} FROM stock_day WHERE symbol = :s AND day = CURDATE()),"
    " (SELECT {0} FROM sweep_quote WHERE symbol = :s AND DATE(received_at) = CURDATE())) AS {0}"
)
TYPED = (
    "symbol", "side", "trigger_op", "strike_price", "order_kind", "limit_price", "venue",
    "quantity", "amount", "valid_from", "valid_until", "window_from", "window_until", "max_age_ms",
    "day_amount_cap", "day_strike_cap", "trail_percent", "arms_after", "oco_group", "memo",
)  # fmt: skip


class ConditionBook:
    """``actor`` is who changes; ``owner`` filters the list when given."""

    def __init__(self, engine: Engine, site: Site, actor: str = "cli") -> None:
        self._engine = engine
        self._site = site
        self._actor = actor[:20]
        self._table = site.table("condition")

    def list(self, owner: str | None = None) -> list[dict[str, Any]]:
        """Rows that are not removed, with what the machine makes of them (``machine_state`` …)."""
        with mapped(), self._engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT c.*, s.state AS machine_state, s.reason AS machine_reason, s.strike_id"
                    f" FROM {self._table} c LEFT JOIN condition_state s ON s.condition_id = c.id"
                    " AND s.arm_no = c.arm_no WHERE c.deleted_at IS NULL"
                    " AND (:owner IS NULL OR c.owner = :owner) ORDER BY c.id"
                ),
                {"owner": owner},
            )
            return [dict(row._mapping) for row in rows]

    def context(self, symbol: str, account: str, now: datetime, *, mock: bool) -> Context:
        """What is known about ``symbol`` and the account now, for ``validate``."""
        with mapped(), self._engine.connect() as connection:
            row = connection.execute(
                text(
                    "SELECT (SELECT COUNT(*) FROM listing) AS listings,"
                    " (SELECT COUNT(*) FROM listing WHERE symbol = :s) AS listed,"
                    " (SELECT MAX(halted) FROM market WHERE symbol = :s) AS halted,"
                    " (SELECT no_buy FROM stock_day WHERE symbol = :s AND day = CURDATE())"
                    "   AS no_buy,"
                    f" {_LIMIT.format('upper_limit')}, {_LIMIT.format('lower_limit')},"
                    " (SELECT COALESCE(orderable_cash, deposit_d2) FROM asset_balance"
                    "   WHERE account = :a) AS cash,"
                    " (SELECT sellable FROM asset_position WHERE account = :a AND symbol = :s)"
                    "   AS sellable"
                ),
                {"s": symbol, "a": account},
            ).one()
        return Context(
            now=now,
            listed=bool(row.listed) if row.listings else None,
            halted=None if row.halted is None else bool(row.halted),
            no_buy=row.no_buy,
            upper_limit=row.upper_limit or None,
            lower_limit=row.lower_limit or None,
            cash=row.cash,
            sellable=None if row.cash is None else int(row.sellable or 0),
            mock=mock,
        )

    def add(self, condition: Condition) -> int:
        """A new condition, off; its id."""
        values = columns(condition)
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        with mapped(), self._engine.begin() as connection:
            made = connection.execute(
                text(
                    f"INSERT INTO {self._table} ({names}, owner, created_by, updated_by,"
                    f" created_at, updated_at) VALUES ({marks}, :actor, :actor,"
                    " :actor, NOW(6), NOW(6))"
                ),
                values | {"actor": self._actor},
            )
            condition_id = int(made.lastrowid)
            self._log(connection, condition_id, "ADD")
        return condition_id

    def edit(self, condition_id: int, condition: Condition, rev: int | None = None) -> None:
        """Put new values in; disarms. BadInput when it is gone or ``rev`` is not the newest."""
        sets = ", ".join(f"{name} = :{name}" for name in columns(condition))
        self._change(condition_id, f"{sets}, enabled = 0", "EDIT", rev, columns(condition))

    def arm(self, condition_id: int, rev: int | None = None) -> None:
        """장전: the next arming. An armed condition is armed anew."""
        self._change(condition_id, "enabled = 1, arm_no = arm_no + 1", "ARM", rev)

    def disarm(self, condition_id: int, rev: int | None = None) -> None:
        """해제: the trader sees it at its next look; a strike not yet sent is stopped as well."""
        self._change(condition_id, "enabled = 0", "DISARM", rev)

    def remove(self, condition_id: int, rev: int | None = None) -> None:
        """The row stays, marked."""
        self._change(condition_id, "enabled = 0, deleted_at = NOW(6)", "REMOVE", rev)

    def get(self, condition_id: int) -> dict[str, Any]:
        """One row that is not removed. BadInput when there is none."""
        with mapped(), self._engine.connect() as connection:
            row = connection.execute(
                text(f"SELECT * FROM {self._table} WHERE id = :id AND deleted_at IS NULL"),
                {"id": condition_id},
            ).one_or_none()
        if row is None:
            raise BadInput("id", condition_id, "그런 조건이 없습니다")
        return dict(row._mapping)

    def _change(
        self,
        condition_id: int,
        sets: str,
        action: str,
        rev: int | None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        with mapped(), self._engine.begin() as connection:
            done = connection.execute(
                text(
                    f"UPDATE {self._table} SET {sets}, rev = rev + 1, updated_by = :actor,"
                    " updated_at = NOW(6) WHERE id = :id AND deleted_at IS NULL"
                    " AND (:rev IS NULL OR rev = :rev)"
                ),
                {**(values or {}), "id": condition_id, "rev": rev, "actor": self._actor},
            )
            if done.rowcount != 1:
                raise BadInput("id", condition_id, "그런 조건이 없거나 그새 바뀌었습니다")
            self._log(connection, condition_id, action)

    def _log(self, connection: Connection, condition_id: int, action: str) -> None:
        row = connection.execute(
            text(f"SELECT * FROM {self._table} WHERE id = :id"), {"id": condition_id}
        ).one()
        connection.execute(
            text(
                f"INSERT INTO {self._site.table('condition_log')}"
                " (condition_id, rev, action, actor, row_json, at)"
                " VALUES (:id, :rev, :action, :actor, :row, NOW(6))"
            ),
            {
                "id": condition_id, "rev": row.rev, "action": action, "actor": self._actor,
                "row": json.dumps(dict(row._mapping), ensure_ascii=False, default=str),
            },
        )  # fmt: skip


def columns(condition: Condition) -> dict[str, Any]:
    """The columns a person sets, as the table wants them."""
    found = {name: getattr(condition, name) for name in TYPED}
    for name in ("side", "trigger_op", "order_kind", "venue"):
        found[name] = found[name].value
    for name in ("valid_from", "valid_until"):
        found[name] = found[name] and found[name].replace(tzinfo=None)
    return found


def typed(row: Mapping[str, Any]) -> dict[str, str]:
    """A row of the table as a person would have typed it: what an edit starts from."""
    found = {}
    for name in TYPED:
        value = row[name]
        if isinstance(value, datetime):
            value = value.strftime("%Y-%m-%d %H:%M:%S")
        elif isinstance(value, timedelta):
            value = (_DAY_START + value).strftime("%H:%M:%S")
        elif name == "trail_percent" and value is not None:
            value = f"{value.normalize():f}"
        found[name] = "" if value is None else str(value)
    return found
