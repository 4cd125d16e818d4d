"""Execution: how one strike becomes one order call. Nothing that can wait stands between the claim
and the call; nothing after the claim ever repeats the call (P4, P6). A call whose token the gateway
refused was no order: the ledger puts that strike back once, and it goes through everything anew.

The ledger, the call budget and the broker are Protocols: ``runtime/orders.py`` plugs them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from trading.errors import StockdError, Transient
from trading.guards import Deny, Facts, Limits, Wait, judge, proof
from trading.lifecycle import State
from trading.orders import Broker, Outcome

PACE_PATIENCE_S = 1.5  # longest wait for the gate inside one run; a hold after no answer is longer
PERMIT_PATIENCE_S = 1.5
GAP_S = 1.0
# Facts older than this are read again after permit and connection, last thing before the claim; the
# claim itself asks for the switch, the condition, the lease and the tick's age in any case.
FACTS_LAST_S = 0.02


class OrderLedger(Protocol):
    """What execution needs of the ledger (``db.ledger_send.SendLedger``)."""

    def turn(self) -> AbstractContextManager[object]: ...  # what is read within shares a connection
    def desk(self) -> Desk: ...
    def facts(self, strike_id: int) -> Facts | None: ...  # None: no longer CLAIMED
    def end(self, strike_id: int, after: State, code: str, reason: str) -> bool: ...
    def pull_the_brake(self, code: str, reason: str) -> None: ...
    def claim(self, facts: Facts, token: str, fence: int, proven_at: datetime) -> str: ...
    def rehearse(self, fence: int) -> None: ...  # facts and claim of nobody's strike
    def answer(self, strike_id: int, token: str, outcome: Outcome) -> State: ...  # where it led
    def not_sent(self, strike_id: int, token: str, reason: str) -> None: ...


class OrderPermits(Protocol):
    """The order lane of the call budget. ``take`` before the claim; the broker's call uses it."""

    def take(self, timeout: float) -> None: ...
    def give_back(self) -> None: ...  # no call was made


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies on the desk. ``fence``: our lease's number, None when it is another worker's turn;
    ``wait_s``: until the account's next order call may start; ``due``: CLAIMED strikes in the order
    they fired; ``first``: the facts of the first of them, read with the desk."""

    fence: int | None
    wait_s: float
    due: list[int]
    first: Facts | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """What one run did: SENT (with ``state``), AGAIN (the call's token was refused, the strike is
    due once more), IDLE, STANDBY, GATE, WAIT, BUDGET, BROKER, LOST."""

    what: str
    strike_id: int = 0
    state: State | None = None
    reason: str = ""


class OrderDesk:
    """Serves the next due strike of one account."""

    def __init__(
        self,
        ledger: OrderLedger,
        permits: OrderPermits,
        broker: Broker,
        limits: Limits,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._permits = permits
        self._broker = broker
        self._limits = limits
        self._sleep = sleep
        self._monotonic = monotonic
        self._waits_for = ""  # what the last strike that may not go yet was told
        self._quiet_until = 0.0  # a second line of P5 for the day MariaDB's clock jumps ahead

    def serve_next(self) -> Served:
        """Send at most one order. Raises Unavailable only before anything was claimed."""
        with self._ledger.turn():
            claimed = self._claim_next()
        if isinstance(claimed, Served):
            return claimed
        return self._call(*claimed)

    def rehearse(self) -> Served:
        """The way up to the call, walked for nobody: IDLE, or STANDBY, or WAIT when a strike is due
        (its own wake-up is on its way)."""
        with self._ledger.turn():
            desk = self._ledger.desk()
            if desk.fence is None:
                return Served("STANDBY")
            if desk.due:
                return Served("WAIT")
            self._ledger.rehearse(desk.fence)
        return Served("IDLE")

    def _claim_next(self) -> tuple[Facts, str] | Served:
        """Facts and token of the strike that is now SENDING, or why there is none."""
        self._waits_for = ""
        desk = self._ledger.desk()
        if desk.fence is None:
            return Served("STANDBY")
        if not desk.due:
            return Served("IDLE")
        fence = desk.fence
        wait = max(desk.wait_s, self._quiet_until - self._monotonic())
        if wait > PACE_PATIENCE_S:
            return Served("GATE", reason=f"{wait:.1f} s")
        if wait > 0:
            self._sleep(wait)
            desk = self._ledger.desk()  # the claim asks for the lease once more
        facts = self._choose(desk)
        if facts is None:
            return Served("WAIT", reason=self._waits_for)
        return self._claim(facts.strike.id, fence, facts)

    def _choose(self, desk: Desk) -> Facts | None:
        """The first due strike that may go out now; those that may never are ended on the way."""
        first = desk.first
        for strike_id in desk.due:
            known = first is not None and first.strike.id == strike_id
            facts = first if known else self._ledger.facts(strike_id)
            if facts is not None and self._may_go(facts):
                return facts
        return None

    def _may_go(self, facts: Facts) -> bool:
        verdict, strike = judge(facts, self._limits), facts.strike
        if facts.now >= strike.deadline:
            code = verdict.code if verdict else "DEADLINE"
            reason = verdict.reason if verdict else "보낼 수 있는 시간이 지났습니다"
            self._ledger.end(strike.id, State.EXPIRED, code, reason)
            return False
        if isinstance(verdict, Deny):
            ended = self._ledger.end(strike.id, State.DENIED, verdict.code, verdict.reason)
            if ended and verdict.halts:
                self._ledger.pull_the_brake(verdict.code, verdict.reason)
            return False
        if isinstance(verdict, Wait):
            self._waits_for = verdict.reason
            return False
        return True

    def _claim(self, strike_id: int, fence: int, facts: Facts | None) -> tuple[Facts, str] | Served:
        asked = self._monotonic()
        try:
            self._permits.take(PERMIT_PATIENCE_S)
        except Transient as error:
            return Served("BUDGET", strike_id, reason=str(error))
        called = False
        try:
            self._broker.prepare()
            if self._monotonic() - asked > FACTS_LAST_S:
                facts = self._ledger.facts(strike_id)
            if facts is None or not self._may_go(facts):
                return Served("WAIT", strike_id, reason=self._waits_for)
            proven_at = proof(facts)
            if proven_at is None:  # _may_go has asked the same
                return Served("WAIT", strike_id)
            token = str(uuid4())
            refused = self._ledger.claim(facts, token, fence, proven_at)
            if refused:
                return Served("LOST", strike_id, reason=refused)
            called = True
        except StockdError as error:
            return Served("BROKER", strike_id, reason=str(error))
        finally:
            if not called:
                self._permits.give_back()
        return facts, token

    def _call(self, facts: Facts, token: str) -> Served:
        """The one call. From here on nothing raises and nothing repeats."""
        strike = facts.strike
        try:
            outcome = self._broker.place(strike.order)
        except StockdError as error:  # the broker's promise: nothing was written to the wire
            self._quiet()
            self._ledger.not_sent(strike.id, token, str(error))
            return Served("SENT", strike.id, State.NOT_SENT, str(error))
        self._quiet()
        state = self._ledger.answer(strike.id, token, outcome)
        return Served("AGAIN" if state is State.CLAIMED else "SENT", strike.id, state)

    def _quiet(self) -> None:
        self._quiet_until = self._monotonic() + GAP_S
