"""One asset cycle of one account: four calls, one judgement, one snapshot.

Holdings come first: their first page is the snapshot's time, so the cadence of the rows is that of
the timetable and not of the pages and calls behind it. A cycle whose holdings or executions fail
writes nothing. Money that only one further call knows (orderable cash, realised profit) is NULL
when that call failed: unknown, not old and not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import structlog

from trading.asset_gate import AssetGate
from trading.assets import Balance, Position
from trading.errors import BadInput, OutsideError
from trading.orders import BrokerOrder

log = structlog.get_logger(__name__)


class Holdings(Protocol):
    """``kis.account.Holdings``: balance and all pages of positions."""

    @property
    def positions(self) -> list[Position]: ...
    @property
    def balance(self) -> Balance | None: ...
    @property
    def read_at(self) -> datetime: ...


class OrderableCash(Protocol):
    """``kis.parse.OrderableCash``; ``buy_amount`` is KRW without 미수."""

    @property
    def buy_amount(self) -> int: ...


class AssetSource(Protocol):
    """``kis.account.KisAccount``."""

    def holdings(self) -> Holdings: ...
    def orderable_cash(self) -> OrderableCash: ...
    def realised_profit(self) -> int: ...
    def executions(self, on: date) -> list[BrokerOrder]: ...


class AssetStore(Protocol):
    """The asset tables of one account and what is said about the poll."""

    def positions(self) -> dict[str, Position] | None:
        """What the tables hold; None before the first poll."""
        ...

    def write(
        self,
        balance: Balance,
        positions: Sequence[Position],
        orderable_cash: int | None,
        realized_profit: int | None,
        at: datetime,
    ) -> int: ...

    def progress(self, at: datetime, snapshot_no: int, positions: int) -> None: ...
    def refused(self, at: datetime, reason: str) -> None: ...


@dataclass(slots=True)
class AssetPoll:
    """``cycle`` once a turn. ``has_realised_profit`` is False in 모의투자, which lacks the call."""

    account: str  # label
    source: AssetSource
    store: AssetStore
    has_realised_profit: bool = True
    gate: AssetGate = field(default_factory=AssetGate)

    def cycle(self) -> int | None:
        """The number of the snapshot written, None when the answer was not believed.

        Raises Throttled, Unavailable, AuthError, Refused, BadInput: nothing was written then.
        """
        holdings = self.source.holdings()
        at = holdings.read_at
        executions = self.source.executions(at.date())
        realised = self._optional(self.source.realised_profit) if self.has_realised_profit else None
        cash = self._optional(lambda: self.source.orderable_cash().buy_amount)
        before = self.store.positions()
        reason = self.gate.judge(before, holdings.balance, holdings.positions, executions)
        if reason is not None or holdings.balance is None:
            log.warning("asset_answer_refused", account=self.account, reason=reason)
            self.store.refused(at, reason or "")
            return None
        number = self.store.write(holdings.balance, holdings.positions, cash, realised, at)
        self.store.progress(at, number, len(holdings.positions))
        return number

    def _optional(self, call: Callable[[], int]) -> int | None:
        try:
            return call()
        except (OutsideError, BadInput) as error:
            log.warning("asset_figure_missing", account=self.account, error=str(error))
            return None
