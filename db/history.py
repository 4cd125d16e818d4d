"""What the EVENTs keep: asset history, their own last runs, the months kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Engine, select

from db.errors import mapped
from db.tables import asset_history, event_run, setting

# name → seconds after which its silence is an alarm (P12)
EVENTS: dict[str, int] = {"ev_bar_minute": 30, "ev_asset_history": 120, "ev_partitions": 7500}


@dataclass(frozen=True, slots=True)
class EventRun:
    """A row of event_run: the last run of one EVENT."""

    name: str
    runs: int  # completed since it was made
    changed: int  # rows of the last run
    started_at: datetime | None
    ended_at: datetime | None  # None: never completed
    error: str  # the last error, "" if none ever
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class AssetPoint:
    """A row of asset_history; ``symbol`` "" is the balance. Money in KRW."""

    at: datetime
    symbol: str
    quantity: int
    average_price: Decimal
    price: int
    value: int  # 평가금액; of the balance: 총평가금액
    profit: int
    cash: int  # of the balance: D+2
    snapshot_no: int


def read_event_runs(engine: Engine) -> dict[str, EventRun]:
    """The last run of each EVENT; one that never ran stands there with ended_at None."""
    with mapped(), engine.connect() as connection:
        rows = connection.execute(select(event_run)).all()
    found = {
        row.name: EventRun(
            row.name,
            row.runs,
            row.changed,
            row.started_at,
            row.ended_at,
            row.error,
            row.error_at,
        )
        for row in rows
    }
    return {name: EventRun(name, 0, 0, None, None, "", None) for name in EVENTS} | found


def silent_events(engine: Engine, now: datetime) -> list[str]:
    """EVENTs that have not completed within their time in ``EVENTS``. They run day and night."""
    runs = read_event_runs(engine)
    return [
        name
        for name, seconds in EVENTS.items()
        if (ended := runs[name].ended_at) is None or (now - ended).total_seconds() > seconds
    ]


def read_asset_history(
    engine: Engine, account: str, since: datetime, until: datetime, symbol: str = ""
) -> list[AssetPoint]:
    """An account's balance (or a position) at each minute with a new snapshot, oldest first."""
    h = asset_history.c
    query = (
        select(h.at, h.symbol, h.quantity, h.average_price, h.price, h.value, h.profit, h.cash)
        .add_columns(h.snapshot_no)
        .where(h.account == account, h.symbol == symbol, h.at >= since, h.at < until)
        .order_by(h.at)
    )
    with mapped(), engine.connect() as connection:
        return [AssetPoint(*row) for row in connection.execute(query)]


def read_retention(engine: Engine) -> dict[str, int]:
    """Table → months kept, 0 for ever (what `migrate(retention=…)` has stored)."""
    start = "retention_months_"
    with mapped(), engine.connect() as connection:
        rows = connection.execute(select(setting.c.name, setting.c.value)).all()
    return {row.name[len(start) :]: int(row.value) for row in rows if row.name.startswith(start)}
