"""The real ledgers with the world going on between their steps: here a process can be killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.ledger_cancel import CancelLedger
from db.ledger_send import SendLedger
from trading.execution import Desk
from trading.guards import Facts
from trading.lifecycle import State
from trading.orders import Outcome

if TYPE_CHECKING:
    from lives import Life


class Watched(SendLedger):
    """The real ledger with the world going on between its steps."""

    life: Life

    def desk(self) -> Desk:
        desk = super().desk()
        self._remember(desk.first)
        return desk

    def facts(self, strike_id: int) -> Facts | None:
        found = super().facts(strike_id)
        self._remember(found)
        return found

    def _remember(self, found: Facts | None) -> None:
        if found is not None:  # the broker of the lives knows an order's strike by the object
            self.life.whose[id(found.strike.order)] = found.strike.id
            self.life.seen_orders.append(found.strike.order)

    def claim(self, *args: Any) -> str:
        self.life.between("before the claim", kill=0.03)
        refused = super().claim(*args)
        self.life.between("after the claim", kill=0.04)
        return refused

    def answer(self, strike_id: int, token: str, outcome: Outcome) -> State:
        self.life.between("before the answer", kill=0.04)
        state = super().answer(strike_id, token, outcome)
        self.life.between("after the answer", kill=0.02)
        return state


class WatchedCancels(CancelLedger):
    """The same for the cancels that follow a halt."""

    life: Life

    def claim(self, strike_id: int, token: str) -> bool:
        self.life.between("before the cancel", kill=0.03)
        done = super().claim(strike_id, token)
        self.life.between("after the cancel's claim", kill=0.04)
        return done

    def told(self, strike_id: int, token: str, words: str, *, answered: bool) -> None:
        self.life.between("before the cancel's answer", kill=0.04)
        super().told(strike_id, token, words, answered=answered)
