"""SendLedger: the ledger as the order worker sees it (``trading.execution.OrderLedger``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from db import gate
from db.errors import mapped
from db.halt import halt
from db.lease import ORDERS
from db.ledger import Site, appending, end_unsent, event_values, step
from db.ledger_facts import FactsReader
from db.round_trip import ATOMIC, answers, compound
from trading.clock import KST
from trading.errors import Unavailable
from trading.execution import Desk
from trading.guards import Facts
from trading.hours import TradingDay
from trading.lifecycle import State, check
from trading.orders import Accepted, Outcome, Rejected

QUEUE_LOOK = 30  # strikes looked at in one run
NOBODY = 0  # no strike has this id
LONG_AGO = datetime(2000, 1, 1, tzinfo=KST)

_CLAIM = f"""
  DECLARE v_refused VARCHAR(8) DEFAULT '';
  {ATOMIC}
  {gate.TAKE};
  IF ROW_COUNT() <> 1 THEN
    SET v_refused = 'gate';
  ELSE
    UPDATE strike SET state = :after, updated_at = NOW(6), claim = :token, fence = :fence,
      claimed_at = NOW(6)
     WHERE id = :id AND state = :before AND deadline > NOW(6)
       AND :proven_at >= NOW(6) - INTERVAL :age_us MICROSECOND
       AND EXISTS (SELECT 1 FROM lease WHERE name = :lease AND holder = :holder
                   AND fence = :fence AND expires_at > NOW(6))
       AND EXISTS (SELECT 1 FROM {{condition}} c
                   WHERE c.id = condition_id AND c.enabled = 1 AND c.deleted_at IS NULL
                     AND c.arm_no = strike.arm_no AND c.rev = condition_rev)
       AND COALESCE({{switch}}, '') <> 'HALT';
    IF ROW_COUNT() = 1 THEN
      {appending(":id")}
    ELSE
      SELECT IF(COALESCE({{switch}}, '') = 'HALT', 'halt', 'claim') INTO v_refused;
    END IF;
  END IF;
  IF v_refused = '' THEN COMMIT; ELSE ROLLBACK; END IF;
  SELECT v_refused AS refused;
"""
_SWITCH = "(SELECT h.action FROM {halt} h ORDER BY h.id DESC LIMIT 1)"


class SendLedger:
    """``account`` is the label of the settings; ``holder`` names this worker's lease.

    ``trading_day`` is the calendar: the day's hours, None when the exchange is closed.
    ``direct``, an engine in autocommit that asks nothing at check-out, takes what is on the way of
    an order (``engine`` if there is none). ``stop_file`` answers whether the file that halts
    stands there (the third way to stop).
    """

    def __init__(
        self,
        engine: Engine,
        site: Site,
        account: str,
        holder: str,
        *,
        trading_day: Callable[[date], TradingDay | None],
        window: int = 6,
        stop_file: Callable[[], str | None] = lambda: None,
        direct: Engine | None = None,
    ) -> None:
        self._engine = engine
        self._direct = direct or engine
        self._site = site
        self._account = account
        self._holder = holder
        self._stop_file = stop_file
        self._facts = FactsReader(
            site, account, window=window, queue=QUEUE_LOOK, trading_day=trading_day
        )
        switch = _SWITCH.format(halt=site.table("halt"))
        self._claiming = compound(_CLAIM.format(condition=site.table("condition"), switch=switch))
        self._held: Connection | None = None
        gate.ensure_gate(engine, account)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One connection for everything up to the claim."""
        with mapped(), self._direct.connect() as connection:
            self._held = connection
            try:
                yield
            finally:
                self._held = None

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if self._held is not None:
            yield self._held
            return
        with mapped(), self._direct.connect() as connection:
            yield connection

    def desk(self) -> Desk:
        self._heed_stop_file()
        try:
            return self._desk()
        except Unavailable:
            # the server ended the connection since the last strike; nothing has been read or
            # claimed on it, so this is no more than the check that a pool would have made
            return self._desk()

    def _desk(self) -> Desk:
        with mapped(), self._connection() as connection:
            connection.rollback()  # whoever waited between two looks holds no transaction open
            return self._facts.desk(connection, ORDERS, self._holder)

    def facts(self, strike_id: int) -> Facts | None:
        self._heed_stop_file()
        with mapped(), self._connection() as connection:
            return self._facts.facts(connection, strike_id)

    def _heed_stop_file(self) -> None:
        file = self._stop_file()
        if file is not None:
            halt(self._engine, self._site, file or "정지 파일", "file", "FILE")

    def end(self, strike_id: int, after: State, code: str, reason: str) -> bool:
        ended = end_unsent(self._engine, strike_id, after, code, reason)
        if ended:
            with mapped(), self._engine.begin() as connection:
                trip(connection, code, reason, strike_id)
        return ended

    def pull_the_brake(self, code: str, reason: str) -> None:
        """A guard halts everything; only a person resumes."""
        halt(self._engine, self._site, reason, code.lower(), "GUARD")

    def claim(self, facts: Facts, token: str, fence: int, proven_at: datetime) -> str:
        """CLAIMED → SENDING with the gate, the lease, the stop switch and the condition checked in
        the same transaction, in one round trip. "" when committed, else what stood against it:
        gate, halt or claim (nothing changed)."""
        strike = facts.strike
        detail = {"fence": fence, "proven_at": proven_at, "price": _price(facts)}
        return self._take(strike.id, token, fence, proven_at, strike.max_age_ms, detail)

    def rehearse(self, fence: int) -> None:
        """Facts and claim of nobody's strike: all is asked, nothing is found, nothing changes."""
        self.facts(NOBODY)
        self._take(NOBODY, "rehearsal", fence, LONG_AGO, 0, {})

    def _take(  # noqa: PLR0917
        self,
        strike_id: int,
        token: str,
        fence: int,
        proven_at: datetime,
        max_age_ms: int,
        detail: dict[str, Any],
    ) -> str:
        before, after = State.CLAIMED, State.SENDING
        check(before, after)
        values = {
            **gate.take_values(self._account, token),
            "id": strike_id,
            "proven_at": proven_at.replace(tzinfo=None),
            "age_us": max_age_ms * 1000,
            "lease": ORDERS,
            "holder": self._holder,
            "fence": fence,
            **event_values(before, after, detail),
        }
        with mapped(), self._connection() as connection:
            connection.rollback()  # a claim is a transaction of its own
            return str(answers(connection, self._claiming, values)[0][0].refused)

    def answer(self, strike_id: int, token: str, outcome: Outcome) -> State:
        """Write the outcome of our call; the state it leads to. The sweeper may have called it
        UNKNOWN meanwhile: an answer that comes late is still the broker's word.

        CLAIMED: the token was refused, so there was no order, and the strike is due once more.
        """
        if (
            isinstance(outcome, Rejected)
            and outcome.token_refused
            and self._again(strike_id, token, outcome)
        ):
            return State.CLAIMED
        if isinstance(outcome, Accepted):
            after, changes = (
                State.ACCEPTED,
                {"order_no": outcome.order_no, "branch": outcome.branch},
            )
            detail: dict[str, Any] = {"order_no": outcome.order_no, "at": outcome.at}
        elif isinstance(outcome, Rejected):
            after, changes = State.REJECTED, {"reason_code": outcome.code}
            changes["reason"] = outcome.reason[:200]
            detail = {"code": outcome.code, "reason": outcome.reason}
        else:
            after, changes = State.UNKNOWN, {"reason": outcome.reason[:200]}
            detail = {"reason": outcome.reason}
        self._outcome(strike_id, token, after, changes, detail, closed=after is not State.UNKNOWN)
        return after

    def _again(self, strike_id: int, token: str, refused: Rejected) -> bool:
        """SENDING → CLAIMED, once in a strike's life and while its time lasts; whether it was done.

        The next claim asks gate, lease, switch, condition and guards anew, as if it were the first.
        """
        with mapped(), self._engine.begin() as connection:
            gate.answered(connection, self._account, token)
            return step(
                connection,
                strike_id,
                State.SENDING,
                State.CLAIMED,
                {"code": refused.code, "reason": refused.reason, "again": 1},
                changes={"claim": None, "fence": None},
                also=(
                    "claim = :claim AND order_no IS NULL AND deadline > NOW(6)"
                    " AND NOT EXISTS (SELECT 1 FROM order_event e WHERE e.strike_id = strike.id"
                    " AND e.from_state = 'SENDING' AND e.to_state = 'CLAIMED')"
                ),
                claim=token,
            )

    def not_sent(self, strike_id: int, token: str, reason: str) -> None:
        """The call failed before its first byte: there is no order and will be none."""
        changes = {"reason_code": "NOT_SENT", "reason": reason[:200]}
        self._outcome(strike_id, token, State.NOT_SENT, changes, {"reason": reason}, closed=True)

    def _outcome(
        self,
        strike_id: int,
        token: str,
        after: State,
        changes: dict[str, Any],
        detail: dict[str, Any],
        *,
        closed: bool,
    ) -> None:
        with mapped(), self._engine.begin() as connection:
            if closed:
                gate.answered(connection, self._account, token)
            for before in (State.SENDING, State.UNKNOWN):
                if before is after:
                    continue
                if step(
                    connection, strike_id, before, after, detail,
                    changes=changes, also="claim = :claim AND order_no IS NULL", claim=token,
                ):  # fmt: skip
                    break
            else:
                return  # settled from the broker's list in the meantime
            day = "DATE(NOW(6))" if after is State.ACCEPTED else "order_day"
            connection.execute(
                text(f"UPDATE strike SET answered_at = NOW(6), order_day = {day} WHERE id = :id"),
                {"id": strike_id},
            )


def _price(facts: Facts) -> int | None:
    return facts.market.price if facts.market else None


def trip(connection: Connection, code: str, detail: str, strike_id: int | None) -> None:
    """Remember when a guard said no (P16)."""
    connection.execute(
        text(
            "INSERT INTO guard_trip (guard, at, drill, strike_id, detail)"
            " VALUES (:guard, NOW(6), 0, :strike, :detail)"
        ),
        {"guard": code[:24], "strike": strike_id, "detail": detail[:200]},
    )
