"""The asset tables of one account, as the asset cycle sees them (user stockd_assets)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine

from db.assets import read_balance, read_positions, write_snapshot
from db.heartbeat import Heartbeat
from db.trips import record_trip
from trading.assets import Balance, Position

GUARD = "ASSET_GATE"


class DbAssetStore:
    """Fits ``runtime.assets.AssetStore``. Everything raises Unavailable without MariaDB."""

    def __init__(self, engine: Engine, account: str, heartbeat: Heartbeat) -> None:
        self._engine = engine
        self._account = account
        self._heartbeat = heartbeat
        self._progress_at = heartbeat.started_at
        self._tripped = False

    def positions(self) -> dict[str, Position] | None:
        """What the tables hold; None before the first poll."""
        if read_balance(self._engine, self._account) is None:
            return None
        return read_positions(self._engine, self._account)

    def write(
        self,
        balance: Balance,
        positions: Sequence[Position],
        orderable_cash: int | None,
        realized_profit: int | None,
        at: datetime,
    ) -> int:
        """Overwrite as one snapshot; its number."""
        return write_snapshot(
            self._engine, self._account, balance, positions, orderable_cash, realized_profit, at
        )

    def progress(self, at: datetime, snapshot_no: int, positions: int) -> None:
        """The cycle got something done: row ``assets`` of daemon."""
        self._progress_at, self._tripped = at, False
        detail = {"account": self._account, "snapshot": snapshot_no, "positions": positions}
        self._heartbeat.beat(at, "RUNNING", detail)

    def refused(self, at: datetime, reason: str) -> None:
        """The rows stay as they are; the time of progress stays too, so silence alarms see it.

        One row of guard_trip a series of refusals, not one a cycle.
        """
        detail = {"account": self._account, "refused": reason, "refused_at": at.isoformat()}
        self._heartbeat.beat(self._progress_at, "WAITING", detail)
        if not self._tripped:
            record_trip(self._engine, GUARD, at, reason)
            self._tripped = True
