"""What the trader reads, every few milliseconds, with autocommit on: one statement a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, text
from sqlalchemy.dialects.mysql import insert

from db.ledger import Site, kst
from db.tables import condition_state
from trading.clock import KST
from trading.conditions import Condition, TriggerOp
from trading.fills import Side
from trading.firing import Look
from trading.orders import OrderKind, Venue

Signature = str


@dataclass(frozen=True, slots=True)
class Struck:
    """The strike of a condition's current arming. ``dead``: it never became an order; ``loose``:
    its order has not sold everything, so another exit may take its place (docs/adr/0014)."""

    condition_id: int
    strike_id: int
    state: str
    filled: int
    side: str

    @property
    def dead(self) -> bool:
        return self.state in ("DENIED", "EXPIRED", "REJECTED", "NOT_SENT")

    @property
    def loose(self) -> bool:
        return self.state in ("ACCEPTED", "PART_FILLED", "CANCELLED")


@dataclass(frozen=True, slots=True)
class Kept:
    """A trailing stop's best price, KRW, and when it was seen."""

    best: int
    at: datetime


class TraderReads:
    """Statements composed once. ``connection`` is in autocommit."""

    def __init__(self, site: Site) -> None:
        table = site.table("condition")
        # one row however many conditions: a row costs the reader more than the server
        self._signature = (
            "SELECT GROUP_CONCAT(id, ':', rev, ':', arm_no ORDER BY id), NOW(6)"
            f" FROM {table} WHERE enabled = 1 AND deleted_at IS NULL"
        )
        self._armed = text(f"SELECT * FROM {table} WHERE enabled = 1 AND deleted_at IS NULL")
        self._struck = (
            "SELECT s.condition_id, s.id, s.state, s.filled, s.side FROM strike s JOIN"
            f" {table} c ON c.id = s.condition_id AND c.arm_no = s.arm_no"
            " WHERE s.condition_id IN (%s)"
        )
        self._siblings = (
            f"SELECT id, oco_group FROM {table} WHERE oco_group IN (%s) AND deleted_at IS NULL"
        )

    def signature(self, connection: Connection) -> tuple[Signature, datetime]:
        """id, rev and arm_no of all armed conditions as text (any change of a condition changes
        it), and MariaDB's clock."""
        found, now = connection.exec_driver_sql(self._signature).one()
        return found or "", now.replace(tzinfo=KST)

    def armed(self, connection: Connection) -> list[Row[Any]]:
        """Rows of all armed conditions."""
        return list(connection.execute(self._armed))

    def looks(
        self, connection: Connection, symbols: Sequence[str], now: datetime
    ) -> dict[str, Look]:
        """The rows of ``market``, read after ``now`` (MariaDB's clock)."""
        if not symbols:
            return {}
        marks = ",".join(["%s"] * len(symbols))
        rows = connection.exec_driver_sql(
            "SELECT symbol, seq, price, recent, received_at, traded_at, halted, drift, hour_class,"
            f" bar_at, bar_low, bar_high FROM market WHERE symbol IN ({marks})",
            tuple(symbols),
        )
        return {
            r[0]: Look(
                r[0], r[1], r[2], r[3], kst(r[4]), kst(r[5]), bool(r[6]), bool(r[7]), r[8],
                r[9], r[10], r[11], now,
            )
            for r in rows
        }  # fmt: skip

    def struck(self, connection: Connection, ids: Iterable[int]) -> dict[int, Struck]:
        """Strikes of the current armings of these conditions."""
        wanted = tuple(ids)
        if not wanted:
            return {}
        marks = ",".join(["%s"] * len(wanted))
        rows = connection.exec_driver_sql(self._struck % marks, wanted)
        return {row[0]: Struck(*row) for row in rows}

    def siblings(self, connection: Connection, groups: Iterable[int]) -> dict[int, set[int]]:
        """Condition ids of each OCO group, armed or not."""
        wanted = tuple(groups)
        found: dict[int, set[int]] = {}
        if wanted:
            marks = ",".join(["%s"] * len(wanted))
            for one, group in connection.exec_driver_sql(self._siblings % marks, wanted):
                found.setdefault(group, set()).add(one)
        return found


def write_trail(
    connection: Connection, condition: tuple[int, int, int], best: int, at: datetime
) -> None:
    """Keep a trailing stop's best price (KRW) of (id, rev, arm_no), seen ``at``: it must outlive
    the trader."""
    row = {
        "condition_id": condition[0], "seen_rev": condition[1], "arm_no": condition[2],
        "state": "ARMED", "reason": "", "updated_at": at, "trail_best": best, "trail_at": at,
    }  # fmt: skip
    statement = insert(condition_state).values(row)
    fresh = {n: statement.inserted[n] for n in ("seen_rev", "arm_no", "trail_best", "trail_at")}
    connection.execute(statement.on_duplicate_key_update(fresh))


def read_trails(connection: Connection, ids: Iterable[int]) -> dict[tuple[int, int, int], Kept]:
    """What ``write_trail`` kept, by (id, rev, arm_no): of an older arming it is nobody's."""
    wanted = tuple(ids)
    if not wanted:
        return {}
    marks = ",".join(["%s"] * len(wanted))
    rows = connection.exec_driver_sql(
        "SELECT condition_id, seen_rev, arm_no, trail_best, trail_at FROM condition_state"
        f" WHERE trail_best IS NOT NULL AND condition_id IN ({marks})",
        wanted,
    )
    return {(r[0], r[1], r[2]): Kept(r[3], r[4].replace(tzinfo=KST)) for r in rows}


def extremes_since(connection: Connection, symbol: str, at: datetime) -> tuple[int, int] | None:
    """(lowest, highest) price of the whole minutes that began after ``at``, None without one."""
    row = connection.exec_driver_sql(
        "SELECT MIN(low), MAX(high) FROM bar WHERE symbol = %s AND minutes = 1 AND at > %s",
        (symbol, at.astimezone(KST).replace(tzinfo=None)),
    ).one()
    return None if row[0] is None else (int(row[0]), int(row[1]))


def condition_of(row: Mapping[str, Any]) -> Condition:
    """A row of the conditions' table as our noun. ValueError when a code is unknown to us."""
    return Condition(
        symbol=row["symbol"], side=Side(row["side"]), trigger_op=TriggerOp(row["trigger_op"]),
        strike_price=row["strike_price"], order_kind=OrderKind(row["order_kind"]),
        limit_price=row["limit_price"], venue=Venue(row["venue"]), quantity=row["quantity"],
        amount=row["amount"], valid_from=kst(row["valid_from"]),
        valid_until=kst(row["valid_until"]), window_from=_time(row["window_from"]),
        window_until=_time(row["window_until"]), max_age_ms=row["max_age_ms"],
        day_amount_cap=row["day_amount_cap"], day_strike_cap=row["day_strike_cap"],
        trail_percent=row["trail_percent"], arms_after=row["arms_after"],
        oco_group=row["oco_group"], memo=row["memo"], id=row["id"], rev=row["rev"],
        arm_no=row["arm_no"], enabled=bool(row["enabled"]), owner=row["owner"],
    )  # fmt: skip


def _time(value: timedelta | time | None) -> time | None:
    # PyMySQL gives TIME as timedelta
    return (
        (datetime(2000, 1, 1, tzinfo=KST) + value).time() if isinstance(value, timedelta) else value
    )


def write_state(  # noqa: PLR0917  the columns of the row
    connection: Connection,
    condition: tuple[int, int, int],
    state: str,
    reason: str,
    strike_id: int | None,
    at: datetime,
) -> None:
    """What the trader makes of (id, rev, arm_no), for the page."""
    row = {
        "condition_id": condition[0], "seen_rev": condition[1], "arm_no": condition[2],
        "state": state, "reason": reason[:200], "strike_id": strike_id, "updated_at": at,
    }  # fmt: skip
    statement = insert(condition_state).values(row)
    fresh = {name: statement.inserted[name] for name in row if name != "condition_id"}
    own = condition_state.c
    # another arming's best price is not this one's; MariaDB assigns from left to right
    same = and_(own.seen_rev == condition[1], own.arm_no == condition[2])
    kept = [(n, func.if_(same, own[n], None)) for n in ("trail_best", "trail_at")]
    connection.execute(statement.on_duplicate_key_update([*kept, *fresh.items()]))
