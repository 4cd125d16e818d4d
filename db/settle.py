"""Settle: notices, fills and the broker's list brought into the strikes. Idempotent throughout.

How fills are counted is in ``db/order_fills.py``, what the list decides in ``db/broker_list.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Engine, Row, text

from db.broker_list import WATCHED, apply_list
from db.errors import mapped
from db.ledger import end_unsent, step
from db.order_fills import apply_fills
from trading.clock import KST
from trading.lifecycle import State
from trading.orders import BrokerOrder
from trading.reconcile import LOOK_BACK

# a worker that was killed in a call: its hard limit (12 s) and 2 s of space
SENDING_LIMIT_S = 14
LATE_LIST_S = 300  # an order that the list did not have may still turn up in it


class Asked(NamedTuple):
    """A day whose list is needed, and from when on (aware); None: the whole of it."""

    day: date
    since: datetime | None


def _since(row: Row) -> datetime | None:  # type: ignore[type-arg]
    # of a day that is over only the whole list says that an order is not in it
    if row.day < row.today or row.first is None:
        return None
    return row.first.replace(tzinfo=KST) - LOOK_BACK  # type: ignore[no-any-return]


class SettleLedger:
    """The ledger as the sweeper and the settling see it, for one account (label)."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._engine = engine
        self._account = account

    # -- the sweeper ------------------------------------------------------------------------

    def sweep(self) -> tuple[int, int, bool]:
        """(expired, given up, whether a wake-up is needed). On MariaDB's clock alone."""
        expired = given_up = 0
        with mapped(), self._engine.connect() as connection:
            late = connection.scalars(
                text(
                    "SELECT id FROM strike WHERE state = 'CLAIMED' AND account = :account"
                    " AND deadline <= NOW(6) ORDER BY id LIMIT 100"
                ),
                {"account": self._account},
            ).all()
            stuck = connection.scalars(
                text(
                    "SELECT id FROM strike WHERE state = 'SENDING' AND account = :account"
                    f" AND claimed_at < NOW(6) - INTERVAL {SENDING_LIMIT_S} SECOND"
                    " ORDER BY id LIMIT 100"
                ),
                {"account": self._account},
            ).all()
        for one in late:
            reason = "보낼 수 있는 시간이 지났습니다"
            expired += end_unsent(self._engine, one, State.EXPIRED, "DEADLINE", reason)
        for one in stuck:
            with mapped(), self._engine.begin() as connection:
                detail = {"reason": "no answer was written: the worker ended in the call"}
                given_up += step(connection, one, State.SENDING, State.UNKNOWN, detail)
        return expired, given_up, self._wants_wake_up()

    def _wants_wake_up(self) -> bool:
        # while orders move, each waiting strike still has its own message: more would only burn
        # the order task's rate
        with mapped(), self._engine.connect() as connection:
            return bool(
                connection.scalar(
                    text(
                        "SELECT EXISTS (SELECT 1 FROM strike WHERE state = 'CLAIMED'"
                        " AND account = :account AND fired_at < NOW(6) - INTERVAL 2 SECOND)"
                        " AND NOT EXISTS (SELECT 1 FROM order_gate WHERE account = :account"
                        " AND next_at > NOW(6) - INTERVAL 1500000 MICROSECOND)"
                    ),
                    {"account": self._account},
                )
            )

    # -- notices and fills ------------------------------------------------------------------

    def days_to_read(self) -> list[Asked]:
        """Days to ask the broker's list for, newest first: while an order is open or unknown, its
        fills have not been confirmed by the list yet, or it was taken for not sent just now (the
        list can lag). What a person must settle of an older day needs no further list."""
        with mapped(), self._engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT COALESCE(order_day, DATE(claimed_at)) AS day,"
                    " MIN(claimed_at) AS first, CURDATE() AS today FROM strike"
                    f" WHERE account = :account AND ({WATCHED} OR (state = 'NOT_SENT'"
                    " AND reason_code = 'ABSENT'"
                    f" AND claimed_at > NOW(6) - INTERVAL {LATE_LIST_S} SECOND))"
                    " AND NOT (state = 'UNKNOWN' AND reason_code = 'AMBIGUOUS'"
                    " AND claimed_at < CURDATE()) GROUP BY day ORDER BY day DESC LIMIT 3"
                ),
                {"account": self._account},
            ).all()
        return [Asked(one.day, _since(one)) for one in found]

    def apply_notices(self) -> int:
        """Bring what the notices say into the strikes with an order number; rows changed."""
        with mapped(), self._engine.connect() as connection:
            found = connection.execute(
                text(
                    "SELECT DISTINCT s.id, s.order_no FROM strike s"
                    " LEFT JOIN (SELECT account, order_day,"
                    " order_no, SUM(quantity) AS filled FROM fill WHERE recorded_at >"
                    " NOW(6) - INTERVAL 3 DAY GROUP BY account, order_day, order_no) f"
                    " ON f.account = s.account AND f.order_day = s.order_day"
                    " AND f.order_no = s.order_no"
                    " WHERE s.account = :account AND s.order_no IS NOT NULL"
                    " AND s.order_day >= CURDATE() - INTERVAL 3 DAY"
                    " AND (s.state IN ('ACCEPTED', 'PART_FILLED')"
                    " OR COALESCE(f.filled, 0) <> s.filled)"
                ),
                {"account": self._account},
            ).all()
        return sum(apply_fills(self._engine, self._account, row.id, row.order_no) for row in found)

    # -- the broker's list ------------------------------------------------------------------

    def apply_list(self, orders: Sequence[BrokerOrder], day: date, read_at: datetime) -> int:
        """Settle this day's open and unknown strikes by the broker's list; rows changed.

        ``read_at`` (aware) is when the read began; the list must be whole, or whole from what
        ``days_to_read`` says.
        """
        return apply_list(self._engine, self._account, orders, day, read_at)

    def close_day(self, day: date) -> int:
        """Day orders still open when their day is over are cancelled by the exchange."""
        with mapped(), self._engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT id, state FROM strike WHERE account = :account AND order_day = :day"
                    " AND order_day < CURDATE() AND state IN ('ACCEPTED', 'PART_FILLED')"
                    " AND broker_filled IS NOT NULL AND broker_filled <= filled"
                ),
                {"account": self._account, "day": day},
            ).all()
        changed = 0
        for row in rows:
            with mapped(), self._engine.begin() as connection:
                detail = {"by": "end of day"}
                changed += step(connection, row.id, State(row.state), State.CANCELLED, detail)
        return changed


def settle(
    ledger: SettleLedger,
    orders_of_day: Callable[[datetime, datetime | None], list[BrokerOrder]],
    now: Callable[[], datetime],
    *,
    force: bool = False,
) -> int:
    """One round: notices first, then the broker's list while something is open (or ``force``)."""
    changed = ledger.apply_notices()
    for day, since in ledger.days_to_read() or ([Asked(now().date(), None)] if force else []):
        read_at = now()
        orders = orders_of_day(datetime(day.year, day.month, day.day, tzinfo=KST), since)
        changed += ledger.apply_list(orders, day, read_at)
        changed += ledger.apply_notices() + ledger.close_day(day)
    return changed
