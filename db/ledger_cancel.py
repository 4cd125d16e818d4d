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

# An exit of the same pair waits to go out, or the exit of what this order buys has gone out: then
# its rest must not sell, or buy, any more (docs/adr/0014). ``c`` and ``k`` are current armings.
_VOID = """
 AND EXISTS (
  SELECT 1 FROM strike s JOIN {condition} c ON c.id = s.condition_id AND c.arm_no = s.arm_no
    JOIN {condition} k ON k.id = o.condition_id AND k.arm_no = o.arm_no
   WHERE s.account = o.account AND s.id > o.id AND s.side = 'SELL'
     AND ((o.side = 'SELL' AND c.oco_group = k.oco_group AND s.state = 'CLAIMED')
       OR (o.side = 'BUY' AND c.arms_after = k.id
           AND s.state NOT IN ('DENIED', 'EXPIRED', 'REJECTED', 'NOT_SENT'))))
"""


class CancelLedger:
    """One account (label)."""

    def __init__(self, engine: Engine, site: Site, account: str) -> None:
        self._engine = engine
        self._site = site
        self._account = account

    def next(self) -> OpenOrder | None:
        """The oldest open order while a halt that wants it is in force; else the oldest that an
        exit has made void."""
        with mapped(), self._engine.connect() as connection:
            stop = halted(connection, self._site)
            if stop is not None and not stop.cancel_open:
                return None
            void = "" if stop is not None else _VOID.format(condition=self._site.table("condition"))
            row = connection.execute(
                text(
                    "SELECT o.id, o.order_no, o.branch, o.order_kind, o.venue FROM strike o"
                    " WHERE o.account = :account AND o.state IN ('ACCEPTED', 'PART_FILLED')"
                    " AND o.order_day = CURDATE() AND (o.cancel_at IS NULL"
                    f" OR o.cancel_at < NOW(6) - INTERVAL {AGAIN_S} SECOND){void}"
                    " ORDER BY o.id LIMIT 1"
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
