"""Planted bugs: each must be found by the lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from venue import SimBroker
from watched import Watched

from db import gate
from trading.execution import OrderDesk, Served
from trading.lifecycle import State
from trading.orders import NewOrder, Outcome, Rejected, Unknown


class UnconditionalClaim(Watched):
    """The claim's UPDATE without its WHERE, and nobody counts the rows."""

    def claim(self, facts: Any, token: str, fence: int, proven_at: datetime) -> str:
        self.life.between("before the claim", kill=0.03)
        with self._engine.begin() as connection:
            gate.pass_gate(connection, self._account, token)
            connection.execute(
                sa.text(
                    "UPDATE strike SET state = 'SENDING', claim = :t, claimed_at = NOW(6)"
                    " WHERE id = :i"
                ),
                {"t": token, "i": facts.strike.id},
            )
        return ""


class SendsTheUnknownAgain(Watched):
    """What is right for a refused token, done for a call whose fate nobody knows."""

    def answer(self, strike_id: int, token: str, outcome: Outcome) -> State:
        if isinstance(outcome, Unknown):
            outcome = Rejected("", outcome.reason, token_refused=True)
        return super().answer(strike_id, token, outcome)


@dataclass
class RetryingBroker:
    """A client that repeats a call after a time-out."""

    inner: SimBroker

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def place(self, order: NewOrder) -> Outcome:
        outcome = self.inner.place(order)
        return self.inner.place(order) if isinstance(outcome, Unknown) else outcome


class WritesAfterTheCall(OrderDesk):
    """The state is written when the call has come back."""

    def _claim(self, strike_id: int, fence: int, facts: Any) -> Any:
        self._broker.prepare()
        outcome = self._broker.place(facts.strike.order)
        if not self._ledger.claim(facts, "after", fence, facts.now):
            self._ledger.answer(strike_id, "after", outcome)
        return Served("SENT", strike_id)


PLANTED: dict[str, dict[str, Any]] = {
    "claim made unconditional": {"make_ledger": UnconditionalClaim},
    "retry on time-out": {"make_broker": lambda life: RetryingBroker(SimBroker(life))},
    "unknown put back": {"make_ledger": SendsTheUnknownAgain},
    "state written after the call": {"make_desk": WritesAfterTheCall},
}
