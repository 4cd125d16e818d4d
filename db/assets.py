"""The asset tables (자산 플랫폼 테이블): overwritten as one snapshot, read as one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Table, delete, func, select
from sqlalchemy.dialects.mysql import Insert, insert

from db.errors import mapped
from db.tables import asset_balance, asset_position
from trading.assets import Balance, Position


@dataclass(frozen=True, slots=True)
class StoredBalance:
    """A row of asset_balance: the balance and what belongs to its snapshot."""

    account: str  # label, never a number
    balance: Balance
    orderable_cash: int | None  # KRW, None when the broker did not say
    realized_profit: int | None  # KRW today
    snapshot_no: int
    received_at: datetime  # aware KST


def write_snapshot(  # noqa: PLR0917 - one call a poll, all of it needed
    engine: Engine,
    account: str,
    balance: Balance,
    positions: Sequence[Position],
    orderable_cash: int | None,
    realized_profit: int | None,
    at: datetime,
) -> int:
    """Overwrite the account's rows in one transaction and return the new snapshot_no.

    Readers see the old rows or the new ones, never a mixture; positions that are not in
    ``positions`` go away. ``at`` is the time of the broker's answer. A snapshot older than the
    stored one changes nothing (a slow answer of an earlier poll) and gives the stored number back.
    Raises Unavailable without server, Transient on contention.
    """
    b = asset_balance.c
    with mapped(), engine.begin() as connection:
        # the balance row is the account's lock: two polls at once write one after the other
        stored = connection.execute(
            select(b.snapshot_no, b.received_at).where(b.account == account).with_for_update()
        ).first()
        if stored is not None and stored.received_at > at:
            return int(stored.snapshot_no)
        # counted from the time, so that two first polls at once do not share a number
        number = max(int(at.timestamp() * 1000), int(stored.snapshot_no) + 1 if stored else 0)
        stamp = {"account": account, "snapshot_no": number, "received_at": at}
        row = asdict(balance) | stamp
        row |= {"orderable_cash": orderable_cash, "realized_profit": realized_profit}
        connection.execute(_upsert(asset_balance, [row]))
        if positions:
            rows = [asdict(position) | stamp for position in positions]
            connection.execute(_upsert(asset_position, rows))
        p = asset_position.c
        connection.execute(
            delete(asset_position).where(p.account == account, p.snapshot_no != number)
        )
    return number


def read_balance(engine: Engine, account: str) -> StoredBalance | None:
    """The balance of an account, None before the first poll."""
    with mapped(), engine.connect() as connection:
        row = connection.execute(
            select(asset_balance).where(asset_balance.c.account == account)
        ).first()
    if row is None:
        return None
    fields = {name: getattr(row, name) for name in Balance.__dataclass_fields__}
    return StoredBalance(
        account,
        Balance(**fields),
        row.orderable_cash,
        row.realized_profit,
        row.snapshot_no,
        row.received_at,
    )


def read_positions(engine: Engine, account: str) -> dict[str, Position]:
    """The positions of an account by symbol; one statement, so always of one snapshot."""
    names = list(Position.__dataclass_fields__)
    columns = [asset_position.c[name] for name in names]
    with mapped(), engine.connect() as connection:
        rows = connection.execute(select(*columns).where(asset_position.c.account == account)).all()
    return {row.symbol: Position(*row) for row in rows}


def latest_poll(engine: Engine) -> datetime | None:
    """When any account was polled last, None if never: what a silence alarm asks (P12)."""
    with mapped(), engine.connect() as connection:
        newest: datetime | None = connection.scalar(select(func.max(asset_balance.c.received_at)))
    return newest


def _upsert(table: Table, rows: list[dict[str, Any]]) -> Insert:
    statement = insert(table).values(rows)
    return statement.on_duplicate_key_update({n: statement.inserted[n] for n in rows[0]})
