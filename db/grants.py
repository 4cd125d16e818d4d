"""Who may do what in MariaDB: one user a role, as data. The server enforces it (P2).

Every process signs in as its own user `stockd_<role>`, so collecting and trading can meet only in
the tables. What is not listed here is refused by the server, and a test tries all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from db.tables import METADATA

# the conditions' tables, wherever they stand (Gnuboard's database and prefix are settings)
CONDITION = "@condition"
CONDITION_LOG = "@condition_log"
HALT = "@halt"
CONDITION_TABLES = (CONDITION, CONDITION_LOG, HALT)

TABLES = tuple(METADATA.tables)
VIEWS = (
    "v_market",
    "v_asset_balance",
    "v_asset_position",
    "v_bar",
    "v_strike",
    "v_fill",
    "v_condition_state",
    "v_daemon",
    "v_listing",
    "v_sweep_quote",
    "v_stock_day",
    "v_guard_trip",
    "v_lane",
)

S, I, U, D = "SELECT", "INSERT", "UPDATE", "DELETE"  # noqa: E741
VERBS = (S, I, U, D)


class Right(NamedTuple):
    """One verb on one table; ``columns`` narrows it, () means all of them."""

    table: str
    verb: str
    columns: tuple[str, ...] = ()


def _rights(rows: Mapping[str, Iterable[str | Right]]) -> tuple[Right, ...]:
    return tuple(
        right if isinstance(right, Right) else Right(table, right)
        for table, rights in rows.items()
        for right in rights
    )


# the life of a strike may be written on, never what fired it
STRIKE_LIFE = (
    "state",
    "reason_code",
    "reason",
    "claim",
    "fence",
    "claimed_at",
    "answered_at",
    "order_no",
    "order_day",
    "branch",
    "filled",
    "filled_amount",
    "updated_at",
    "absent_since",
    "broker_filled",
    "broker_amount",
    "over_since",
    "cancel_at",
)
_RUNS = {"daemon": (S, I, U), "schema_version": (S,)}
_READ_ALL = dict.fromkeys((*TABLES, *VIEWS, *CONDITION_TABLES), (S,))

RIGHTS: Mapping[str, tuple[Right, ...]] = {
    # the market daemon: prices, notices, bars by the procedure bar_repair
    "market": _rights(
        {
            "market": (S, I, U, D),
            "watch": (S,),
            "notice": (S, I),
            "fill": (S, I),
            "feed_gap": (S, I, Right("feed_gap", U, ("until_at", "reason"))),
            "bar": (S,),
            CONDITION: (S,),
            **_RUNS,
        }
    ),
    # the trader: reads the platform tables, writes strikes, never changes one
    "trader": _rights(
        {
            "market": (S,),
            "feed_gap": (S,),
            "asset_balance": (S,),
            "asset_position": (S,),
            "sweep_quote": (S,),
            "stock_day": (S,),
            "fill": (S,),
            "bar": (S,),
            CONDITION: (S,),
            HALT: (S,),
            "strike": (S, I),
            "order_event": (S, I),
            "event_head": (S, U),
            "condition_state": (S, I, U),
            **_RUNS,
        }
    ),
    # the order worker: sends, settles, and may pull the brake; deletes nothing
    "orders": _rights(
        {
            **dict.fromkeys(
                ("market", "asset_balance", "asset_position", "sweep_quote", "listing"), (S,)
            ),
            "stock_day": (S,),
            **dict.fromkeys(("notice", "feed_gap", "bar", "condition_state", "watch"), (S,)),
            "daily_price": (S,),
            "asset_history": (S,),  # the evening report: the account as it was before the day
            "event_run": (S,),
            CONDITION: (S,),
            CONDITION_LOG: (S,),
            HALT: (S, I),
            "strike": (S, Right("strike", U, STRIKE_LIFE)),
            "order_event": (S, I),
            "event_head": (S, U),
            "fill": (S, I),
            "order_gate": (S, I, U),
            "lease": (S, I, U),
            "guard_trip": (S, I),
            **_RUNS,
        }
    ),
    "assets": _rights(
        {
            "asset_balance": (S, I, U, D),
            "asset_position": (S, I, U, D),
            "asset_history": (S,),
            "strike": (S,),
            "guard_trip": (S, I),
            **_RUNS,
        }
    ),
    "sweep": _rights(
        {
            "sweep_quote": (S, I, U, D),
            "stock_day": (S, I, U),
            "daily_price": (S, I, U),
            "listing": (S, I, U),
            "market": (S,),
            "watch": (S,),
            CONDITION: (S,),
            **_RUNS,
        }
    ),
    # the watchdog: sees everything, writes what it says and, for the page, what only Redis knows
    "watchdog": _rights(
        {
            **_READ_ALL,
            "alarm": (S, I, Right("alarm", U, ("sent_at",))),
            "lane": (S, I, U),
            **_RUNS,
        }
    ),
    # the Gnuboard site: conditions and the stop switch, and views without account numbers
    "site": _rights(
        {
            CONDITION: (S, I, U),
            CONDITION_LOG: (S, I),
            HALT: (S, I),
            **dict.fromkeys(VIEWS, (S,)),
        }
    ),
    # a person at the command line
    "desk": _rights(
        {
            **_READ_ALL,
            CONDITION: (S, I, U),
            CONDITION_LOG: (S, I),
            HALT: (S, I),
            "watch": (S, I, U, D),
        }
    ),
    "reader": _rights(_READ_ALL),
}

# procedures a role may call
CALLS: Mapping[str, tuple[str, ...]] = {"market": ("bar_repair",)}

# admin owns the schema: migrations, and the EVENTs and views run in its name
ADMIN = "admin"
ROLES = (ADMIN, *RIGHTS)


def user_name(role: str, user_prefix: str = "stockd_") -> str:
    """The MariaDB user of a role."""
    return user_prefix + role


def allowed(role: str, table: str, verb: str) -> Right | None:
    """The right of a role, None when the server must refuse."""
    return next((r for r in RIGHTS[role] if r.table == table and r.verb == verb), None)
