"""Cancelling what is open when a person stopped the machine with that wish: one call at a time,
through the same gate and the same lane as orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from trading.errors import StockdError
from trading.execution import PERMIT_PATIENCE_S, OrderPermits
from trading.orders import Broker, OrderKind, Outcome, Unknown, Venue


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order of ours that stands at the broker."""

    strike_id: int
    order_no: str
    branch: str
    kind: OrderKind
    venue: Venue


class CancelBook(Protocol):
    """What cancelling needs of the ledger (``db.ledger_cancel.CancelLedger``)."""

    def next(self) -> OpenOrder | None: ...  # while a halt with cancel_open is in force
    def claim(self, strike_id: int, token: str) -> bool: ...  # gate and strike in one commit
    def told(self, strike_id: int, token: str, words: str, *, answered: bool) -> None: ...


class CancelDesk:
    """Serves the next open order. What became of it tell the notices and the broker's list."""

    def __init__(self, ledger: CancelBook, permits: OrderPermits, broker: Broker) -> None:
        self._ledger = ledger
        self._permits = permits
        self._broker = broker

    def wanted(self) -> bool:
        """Whether an open order waits to be cancelled."""
        return self._ledger.next() is not None

    def cancel_next(self) -> bool:
        """One cancel call at most; whether it was made. Transient before anything is sent."""
        order = self._ledger.next()
        if order is None:
            return False
        self._permits.take(PERMIT_PATIENCE_S)
        token, called = str(uuid4()), False
        try:
            self._broker.prepare()
            called = self._ledger.claim(order.strike_id, token)
        finally:
            if not called:
                self._permits.give_back()
        if called:
            self._call(order, token)
        return called

    def _call(self, order: OpenOrder, token: str) -> None:
        try:
            outcome: Outcome = self._broker.cancel(
                order.order_no, order.branch, order.kind, order.venue
            )
        except StockdError as error:  # nothing was written to the wire
            self._ledger.told(order.strike_id, token, f"not sent: {error}", answered=True)
            return
        answered = not isinstance(outcome, Unknown)
        self._ledger.told(order.strike_id, token, str(outcome), answered=answered)
