"""CancelLedger: open orders to be cancelled (``trading.cancelling.CancelBook``)."""

from __future__ import annotations

from sqlalchemy import Engine, text

from db import gate
from db.errors import mapped
from db.halt import halted
from db.ledger import Site, append_event
from trading.cancelling import OpenOrder
from trading.lifecycle import State
from trading.orders import OrderKind, Venue

AGAIN_S = 15  # a cancel of the whole remainder may be repeated: it cannot do more than once


class CancelLedger:
    """One account (label)."""

    def __init__(self, engine: Engine, site: Site, account: str) -> None:
        self._engine = engine
        self._site = site
        self._account = account

    def next(self) -> OpenOrder | None:
        """The oldest open order while a halt that wants it is in force."""
        with mapped(), self._engine.connect() as connection:
            stop = halted(connection, self._site)
            if stop is None or not stop.cancel_open:
                return None
            row = connection.execute(
                text(
                    "SELECT id, order_no, branch, order_kind, venue FROM strike"
                    " WHERE account = :account AND state IN ('ACCEPTED', 'PART_FILLED')"
                    " AND order_day = CURDATE() AND (cancel_at IS NULL"
                    f" OR cancel_at < NOW(6) - INTERVAL {AGAIN_S} SECOND) ORDER BY id LIMIT 1"
                ),
                {"account": self._account},
            ).one_or_none()
        if row is None:
            return None
        return OpenOrder(
            row.id, row.order_no, row.branch, OrderKind(row.order_kind), Venue(row.venue)
        )

    def claim(self, strike_id: int, token: str) -> bool:
        """The gate and the right to cancel this one, in one commit."""
        with mapped(), self._engine.connect() as connection, connection.begin() as transaction:
            done = gate.pass_gate(connection, self._account, token) and connection.execute(
                text(
                    "UPDATE strike SET cancel_at = NOW(6) WHERE id = :id"
                    " AND state IN ('ACCEPTED', 'PART_FILLED') AND (cancel_at IS NULL"
                    f" OR cancel_at < NOW(6) - INTERVAL {AGAIN_S} SECOND)"
                ),
                {"id": strike_id},
            ).rowcount == 1  # fmt: skip
            if not done:
                transaction.rollback()
            return bool(done)

    def told(self, strike_id: int, token: str, words: str, *, answered: bool) -> None:
        """Write down what the broker said; the state follows from notices and list."""
        with mapped(), self._engine.begin() as connection:
            if answered:
                gate.answered(connection, self._account, token)
            state = State(
                connection.scalar(
                    text("SELECT state FROM strike WHERE id = :id FOR UPDATE"), {"id": strike_id}
                )
            )
            append_event(connection, strike_id, state, state, {"cancel": words[:300]})
