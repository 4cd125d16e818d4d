"""The tables of `db/sql/migrations/` as SQLAlchemy Core Tables.

The SQL files are the schema; these are their mirror for building statements, and a test compares
them with the migrated server column by column. What a column means stands in the SQL comments.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.dialects.mysql import BIGINT, CHAR, DATE, DECIMAL, INTEGER, SMALLINT, TIME, TINYINT
from sqlalchemy.dialects.mysql import VARCHAR as _VARCHAR

from db.types import KstDateTime

METADATA = MetaData()

BIG = BIGINT()
UBIG = BIGINT(unsigned=True)
INT = INTEGER()
UINT = INTEGER(unsigned=True)
SMALL = SMALLINT(unsigned=True)
TINY = TINYINT(unsigned=True)
WHEN = KstDateTime(6)
MINUTE = KstDateTime(0)
DAY = DATE()


def V(length: int) -> _VARCHAR:
    return _VARCHAR(length)


SYMBOL, ACCOUNT, SIDE, KIND, CODE12 = V(9), V(16), V(4), V(12), V(12)
UUID36 = CHAR(36)
HASH = CHAR(64)


def _columns(keys: dict[str, Any], needed: dict[str, Any], optional: dict[str, Any]) -> list[Any]:
    serial = list(keys) == ["id"]
    return [
        *(Column(n, t, primary_key=True, autoincrement=serial) for n, t in keys.items()),
        *(Column(n, t, nullable=False) for n, t in needed.items()),
        *(Column(n, t, nullable=True) for n, t in optional.items()),
    ]


def _table(
    name: str,
    keys: dict[str, Any],
    needed: dict[str, Any],
    optional: dict[str, Any] | None = None,
    *,
    metadata: MetaData = METADATA,
    schema: str | None = None,
) -> Table:
    return Table(name, metadata, *_columns(keys, needed, optional or {}), schema=schema)


ID = {"id": UBIG}
_OHLC = ("open", "high", "low", "close", "volume", "turnover")


def _bar_columns(prefix: str) -> dict[str, Any]:
    return {
        **{f"{prefix}_{name}": BIG for name in _OHLC},
        f"{prefix}_ticks": UINT,
        f"{prefix}_gap": TINY,
    }


market = _table(
    "market",
    {"symbol": SYMBOL},
    {
        "section": TINY,
        "seq": UBIG,
        **dict.fromkeys(
            ("price", "price_change", "day_open", "day_high", "day_low", "ask", "bid"), BIG
        ),
        **dict.fromkeys(("last_volume", "day_volume", "day_turnover"), BIG),
        "halted": TINY,
        "hour_class": V(2),
        "market_class": V(2),
        "vi_price": BIG,
        "drift": TINY,
        "recent": V(200),
        **_bar_columns("bar"),
        **_bar_columns("prev"),
        "notice": V(120),
    },
    {
        "traded_at": WHEN,
        "received_at": WHEN,
        "bar_at": MINUTE,
        "prev_at": MINUTE,
        "notice_at": WHEN,
    },
)

watch = _table("watch", {"symbol": SYMBOL}, {"added_by": V(20), "added_at": WHEN})

bar = _table(
    "bar",
    {"symbol": SYMBOL, "minutes": SMALL, "at": MINUTE},
    {
        **dict.fromkeys(_OHLC, BIG),
        "ticks": UINT,
        "gap": TINY,
        "source": V(8),
        "updated_at": WHEN,
    },
)

feed_gap = _table(
    "feed_gap", ID, {"section": TINY, "from_at": WHEN, "reason": V(120)}, {"until_at": WHEN}
)

asset_balance = _table(
    "asset_balance",
    {"account": ACCOUNT},
    {
        **dict.fromkeys(("deposit", "deposit_d1", "deposit_d2", "securities_value"), BIG),
        **dict.fromkeys(("total_value", "net_assets", "cost", "profit"), BIG),
        **dict.fromkeys(("bought_today", "sold_today", "fees_today"), BIG),
        "snapshot_no": UBIG,
        "received_at": WHEN,
    },
    {"orderable_cash": BIG, "realized_profit": BIG},
)

asset_position = _table(
    "asset_position",
    {"account": ACCOUNT, "symbol": SYMBOL},
    {
        "name": V(60),
        "quantity": BIG,
        "sellable": BIG,
        "average_price": DECIMAL(18, 4),
        **dict.fromkeys(("cost", "price", "value", "profit"), BIG),
        "snapshot_no": UBIG,
        "received_at": WHEN,
    },
)

asset_history = _table(
    "asset_history",
    {"account": ACCOUNT, "symbol": SYMBOL, "at": MINUTE},
    {
        "quantity": BIG,
        "average_price": DECIMAL(18, 4),
        **dict.fromkeys(("price", "value", "profit", "cash"), BIG),
        "snapshot_no": UBIG,
    },
)

strike = _table(
    "strike",
    ID,
    {
        "condition_id": UBIG,
        "arm_no": UINT,
        "condition_rev": UINT,
        "account": ACCOUNT,
        "symbol": SYMBOL,
        "side": SIDE,
        "order_kind": KIND,
        "venue": V(3),
        "quantity": UINT,
        "price": BIG,
        "trigger_op": CHAR(2),
        "strike_price": BIG,
        "tick_price": BIG,
        "tick_seq": UBIG,
        "tick_received_at": WHEN,
        "fired_at": WHEN,
        "deadline": WHEN,
        "max_age_ms": UINT,
        "assets": Text(),
        "state": CODE12,
        "reason_code": V(24),
        "reason": V(200),
        "branch": V(8),
        "filled": UINT,
        "filled_amount": BIG,
        "updated_at": WHEN,
    },
    {
        "tick_at": WHEN,
        "claim": UUID36,
        "fence": UBIG,
        "claimed_at": WHEN,
        "answered_at": WHEN,
        "absent_since": WHEN,
        "order_no": V(10),
        "order_day": DAY,
        "broker_filled": UINT,
        "broker_amount": BIG,
        "over_since": WHEN,
        "cancel_at": WHEN,
    },
)

# 0003_ledger.sql: one row, the end of the chain of events
event_head = _table("event_head", {"one": TINY}, {"hash": HASH})

order_event = _table(
    "order_event",
    ID,
    {
        "strike_id": UBIG,
        "at": WHEN,
        "from_state": CODE12,
        "to_state": CODE12,
        "detail": Text(),
        "prev_hash": HASH,
        "hash": HASH,
    },
)

_BROKER_KEY = {"account": ACCOUNT, "order_day": DAY, "order_no": V(10)}

notice = _table(
    "notice",
    ID,
    {
        **_BROKER_KEY,
        "original_order_no": V(10),
        "kind": V(10),
        "symbol": SYMBOL,
        "side": SIDE,
        "quantity": UINT,
        "price": BIG,
        "order_quantity": UINT,
        "at": WHEN,
        "occurrence": SMALL,
        "received_at": WHEN,
    },
)

fill = _table(
    "fill",
    ID,
    {
        **_BROKER_KEY,
        "symbol": SYMBOL,
        "side": SIDE,
        "quantity": INT,
        "price": BIG,
        "at": WHEN,
        "source": V(8),
        "recorded_at": WHEN,
    },
    {"notice_id": UBIG},
)

condition_state = _table(
    "condition_state",
    {"condition_id": UBIG},
    {"seen_rev": UINT, "arm_no": UINT, "state": CODE12, "reason": V(200), "updated_at": WHEN},
    {"strike_id": UBIG, "trail_best": BIG, "trail_at": WHEN},  # 0006_trail.sql
)

order_gate = _table("order_gate", {"account": ACCOUNT}, {"next_at": WHEN}, {"token": UUID36})

lease = _table("lease", {"name": V(32)}, {"holder": V(80), "fence": UBIG, "expires_at": WHEN})

guard_trip = _table(
    "guard_trip",
    ID,
    {"guard": V(24), "at": WHEN, "drill": TINY, "detail": V(200)},
    {"strike_id": UBIG},
)

daemon = _table(
    "daemon",
    {"name": V(32)},
    {
        "host": V(64),
        "pid": UINT,
        "started_at": WHEN,
        "progress_at": WHEN,
        "state": CODE12,
        "detail": V(600),
    },
)

sweep_quote = _table(
    "sweep_quote",
    {"symbol": SYMBOL},
    {
        "name": V(60),
        **dict.fromkeys(("price", "price_change", "day_open", "day_high", "day_low"), BIG),
        **dict.fromkeys(("upper_limit", "lower_limit", "base_price", "ask", "bid"), BIG),
        **dict.fromkeys(("day_volume", "day_turnover"), BIG),
        "received_at": WHEN,
    },
    {"missing_since": WHEN},
)

stock_day = _table(
    "stock_day",
    {"symbol": SYMBOL},
    {
        "day": DAY,
        **dict.fromkeys(("base_price", "upper_limit", "lower_limit"), BIG),
        "no_buy": V(100),
        "received_at": WHEN,
    },
    {"designations": V(100)},
)

daily_price = _table(
    "daily_price",
    {"day": DAY, "symbol": SYMBOL},
    {
        **dict.fromkeys(("open", "high", "low", "close", "price_change"), BIG),
        "change_rate": DECIMAL(8, 2),
        **dict.fromkeys(("volume", "turnover", "listed_shares", "market_cap"), BIG),
    },
)

listing = _table(
    "listing", {"symbol": SYMBOL}, {"isin": V(12), "name": V(60), "market": V(8), "last_day": DAY}
)

# 0002_events.sql
setting = _table("setting", {"name": V(40)}, {"value": V(200), "updated_at": WHEN})

event_run = _table(
    "event_run",
    {"name": V(40)},
    {"runs": UBIG, "changed": UINT, "error": V(200)},
    {"started_at": WHEN, "ended_at": WHEN, "error_at": WHEN},
)

# 0004_alarm.sql
alarm = _table(
    "alarm",
    ID,
    {"fault": V(40), "level": V(8), "what": V(10), "text": V(1000), "at": WHEN},
    {"sent_at": WHEN},
)

# 0006_lane.sql
lane = _table(
    "lane",
    {"label": ACCOUNT, "lane": CODE12},
    {
        "places": SMALL,
        "used": SMALL,
        "waiting": UINT,
        "granted": UBIG,
        "refused": UBIG,
        "opens_in_ms": UINT,
        "updated_at": WHEN,
    },
)

# made by db.migrate before the first migration
schema_version = _table(
    "schema_version",
    {"version": UINT},
    {"name": V(80), "checksum": HASH, "statements": UINT},
    {"applied_at": WHEN},
)


class ConditionTables(NamedTuple):
    """What a person sets (db/sql/condition.sql): in the Gnuboard database, or in stockd itself."""

    condition: Table
    log: Table
    halt: Table


@cache  # asked every second: tables made anew each time stay in SQLAlchemy's cache of statements
def condition_tables(schema: str | None = None, prefix: str = "") -> ConditionTables:
    """Core Tables of ``{prefix}stockd_condition``, ``…_log`` and ``{prefix}stockd_halt``.

    ``schema`` is the Gnuboard database, None when the tables stand in the database of the URL.
    """
    where: dict[str, Any] = {"metadata": MetaData(), "schema": schema}
    by_person = {"actor": V(20), "at": WHEN}
    condition = _table(
        f"{prefix}stockd_condition",
        ID,
        {
            "owner": V(20),
            "symbol": SYMBOL,
            "side": SIDE,
            "trigger_op": CHAR(2),
            "strike_price": UBIG,
            "order_kind": KIND,
            "venue": V(3),
            "enabled": TINY,
            "arm_no": UINT,
            "max_age_ms": UINT,
            "memo": V(200),
            "rev": UINT,
            "created_by": V(20),
            "updated_by": V(20),
            "created_at": WHEN,
            "updated_at": WHEN,
        },
        {
            "limit_price": UBIG,
            "quantity": UINT,
            "amount": UBIG,
            "valid_from": WHEN,
            "valid_until": WHEN,
            "window_from": TIME(),
            "window_until": TIME(),
            "day_amount_cap": UBIG,
            "day_strike_cap": UINT,
            "trail_percent": DECIMAL(6, 3),
            "arms_after": UBIG,
            "oco_group": UBIG,
            "deleted_at": WHEN,
        },
        **where,
    )
    log = _table(
        f"{prefix}stockd_condition_log",
        ID,
        {"condition_id": UBIG, "rev": UINT, "action": V(12), "actor_ip": V(45), "row_json": Text()}
        | by_person,
        **where,
    )
    halt = _table(
        f"{prefix}stockd_halt",
        ID,
        {"action": V(6), "reason": V(200), "source": V(8), "cancel_open": TINY} | by_person,
        **where,
    )
    return ConditionTables(condition, log, halt)
