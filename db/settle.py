"""Settle: notices, fills and the broker's list brought into the strikes. Idempotent throughout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import structlog
from sqlalchemy import Connection, Engine, Row, text

from db.errors import mapped
from db.ledger import append_event, end_unsent, kst, step
from db.ledger_send import trip
from db.notices import fill_lock
from trading.clock import KST
from trading.fills import Side
from trading.lifecycle import ALLOWED, State, state_after_fills
from trading.orders import BrokerOrder
from trading.reconcile import Absent, Ambiguous, Found, Unsettled, correction, find

log = structlog.get_logger(__name__)

# a worker that was killed in a call: its hard limit (12 s) and 2 s of space
SENDING_LIMIT_S = 14
_WATCHED = (
    "(state IN ('UNKNOWN', 'ACCEPTED', 'PART_FILLED') OR (state IN ('FILLED', 'CANCELLED')"
    " AND order_day >= CURDATE() - INTERVAL 1 DAY"
    " AND (broker_filled IS NULL OR broker_filled <> filled)))"
)


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

    def days_to_read(self) -> list[date]:
        """Days to ask the broker's list for, oldest first: while an order is open or unknown, or
        its fills have not been confirmed by the list yet."""
        with mapped(), self._engine.connect() as connection:
            found = connection.scalars(
                text(
                    "SELECT DISTINCT COALESCE(order_day, DATE(claimed_at)) AS day FROM strike"
                    f" WHERE account = :account AND {_WATCHED} ORDER BY day LIMIT 3"
                ),
                {"account": self._account},
            )
            return list(found)

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
        return sum(self._apply(row.id, row.order_no) for row in found)

    @contextmanager
    def _counting(self, order_no: str | None) -> Iterator[Connection]:
        """A transaction in which nobody else counts the fills of this order."""
        with mapped(), self._engine.connect() as connection:
            if order_no is None:
                with connection.begin():
                    yield connection
                return
            with fill_lock(connection, self._account, order_no):
                connection.commit()  # what others committed before the lock is seen now
                with connection.begin():
                    yield connection

    def _apply(self, strike_id: int, order_no: str) -> int:
        with self._counting(order_no) as connection:
            s = _locked(connection, strike_id)
            if s is None or s.order_no is None:
                return 0
            self._cap(connection, s)
            changed = self._fills(connection, s)
            s = _held(connection, strike_id)
            return changed + self._endings(connection, s)

    def _cap(self, connection: Connection, s: Row) -> None:  # type: ignore[type-arg]
        """No more shares than the order has: what came twice (db/notices.py lets nothing beyond the
        size that the notice names; the strike's own is the last word)."""
        total, amount = _filled(connection, s)
        surplus = total - s.quantity
        if surplus > 0:
            price = round(amount / total)
            _broker_fill(connection, s, -surplus, price)
            append_event(connection, s.id, State(s.state), State(s.state), {"taken_back": surplus})

    def _fills(self, connection: Connection, s: Row) -> int:  # type: ignore[type-arg]
        total, amount = _filled(connection, s)
        if total == s.filled and amount == s.filled_amount:
            return 0
        before = State(s.state)
        after = state_after_fills(s.quantity, total, before)
        detail = {"filled": total, "was": s.filled, "amount": amount}
        changes = {"filled": max(0, total), "filled_amount": amount}
        return int(step(connection, s.id, before, after, detail, changes=changes))

    def _endings(self, connection: Connection, s: Row) -> int:  # type: ignore[type-arg]
        """Cancels and refusals of the exchange that the notices tell."""
        kinds = set(
            connection.scalars(
                text(
                    "SELECT kind FROM notice WHERE account = :a AND order_day = :d"
                    " AND (order_no = :n OR original_order_no = :n)"
                    " AND kind IN ('CANCELLED', 'REFUSED')"
                ),
                _key(s),
            )
        )
        before = State(s.state)
        if "REFUSED" in kinds and s.filled == 0 and State.REJECTED in ALLOWED[before]:
            refused = connection.scalar(
                text(
                    "SELECT 1 FROM notice WHERE account = :a AND order_day = :d AND order_no = :n"
                    " AND kind = 'REFUSED' LIMIT 1"
                ),
                _key(s),
            )
            if refused:
                reason = "거래소가 주문을 거부했습니다"
                return int(
                    step(connection, s.id, before, State.REJECTED, {"notice": "REFUSED"},
                         changes={"reason_code": "EXCHANGE", "reason": reason})
                )  # fmt: skip
        if "CANCELLED" in kinds and State.CANCELLED in ALLOWED[before]:
            return int(step(connection, s.id, before, State.CANCELLED, {"notice": "CANCELLED"}))
        return 0

    # -- the broker's list ------------------------------------------------------------------

    def apply_list(self, orders: Sequence[BrokerOrder], day: date, read_at: datetime) -> int:
        """Settle this day's open and unknown strikes by the broker's list; rows changed.

        ``read_at`` (aware) is when the read began; the list must be whole.
        """
        by_number = {o.order_no: o for o in orders if not o.original_order_no}
        with mapped(), self._engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT id, state, order_no FROM strike WHERE account = :account"
                    " AND COALESCE(order_day, DATE(claimed_at)) = :day AND claimed_at IS NOT NULL"
                    f" AND ({_WATCHED} OR (state = 'NOT_SENT' AND reason_code = 'ABSENT'))"
                ),
                {"account": self._account, "day": day},
            ).all()
        changed = 0
        for row in rows:
            with self._counting(row.order_no) as connection:
                s = _locked(connection, row.id)
                if s is None or s.order_no != row.order_no:
                    continue  # settled meanwhile: the next round looks at it
                if s.order_no is None:
                    changed += self._settle_unknown(connection, s, orders, read_at)
                elif s.order_no in by_number:
                    changed += self._follow(connection, s, by_number[s.order_no], read_at)
        return changed

    def _settle_unknown(
        self,
        connection: Connection,
        s: Row,
        orders: Sequence[BrokerOrder],
        read_at: datetime,  # type: ignore[type-arg]
    ) -> int:
        known = set(
            connection.scalars(
                text(
                    "SELECT order_no FROM strike WHERE account = :a AND order_no IS NOT NULL"
                    " AND order_day = DATE(:at)"
                ),
                {"a": self._account, "at": s.claimed_at},
            )
        )
        claimed_at, absent = s.claimed_at.replace(tzinfo=KST), kst(s.absent_since)
        unsettled = Unsettled(s.id, s.symbol, Side(s.side), s.quantity, s.price, claimed_at, absent)
        finding, before = find(unsettled, orders, known, read_at), State(s.state)
        if isinstance(finding, Found) and not self._has_twin(connection, s):
            order = finding.order
            changes = {
                "order_no": order.order_no, "order_day": s.claimed_at.date(),
                "branch": order.branch, "absent_since": None, "reason_code": "", "reason": "",
            }  # fmt: skip
            detail = {"order_no": order.order_no, "by": "list"}
            return int(step(connection, s.id, before, State.ACCEPTED, detail, changes=changes))
        if isinstance(finding, Found | Ambiguous):
            return self._note(connection, s, "AMBIGUOUS", "맞는 주문이 여럿이라 사람이 봐야 합니다")
        if before is State.NOT_SENT:
            return 0
        if isinstance(finding, Absent) and finding.final:
            reason = "증권사 목록에 두 번 없었습니다: 나가지 않은 주문"
            trip(connection, "NOT_SENT", reason, s.id)
            log.error("보낸 줄 알았던 주문이 증권사에 없습니다", strike_id=s.id)
            changes = {"reason_code": "ABSENT", "reason": reason}
            return int(
                step(connection, s.id, before, State.NOT_SENT, {"by": "list"}, changes=changes)
            )
        if s.absent_since is None:
            at = read_at.astimezone(KST).replace(tzinfo=None)
            return int(
                step(connection, s.id, before, before, {"absent": str(at)},
                     changes={"absent_since": at})
            )  # fmt: skip
        return 0

    def _has_twin(self, connection: Connection, s: Row) -> bool:  # type: ignore[type-arg]
        # two unknown strikes of the same shape and one order: nobody can tell whose it is
        return bool(
            connection.scalar(
                text(
                    "SELECT 1 FROM strike WHERE account = :a AND id <> :id AND symbol = :symbol"
                    " AND side = :side AND quantity = :quantity AND price = :price"
                    " AND state IN ('SENDING', 'UNKNOWN')"
                    " AND ABS(TIMESTAMPDIFF(SECOND, claimed_at, :at)) < 30 LIMIT 1"
                ),
                {
                    "a": self._account, "id": s.id, "symbol": s.symbol, "side": s.side,
                    "quantity": s.quantity, "price": s.price, "at": s.claimed_at,
                },
            )
        )  # fmt: skip

    def _note(self, connection: Connection, s: Row, code: str, reason: str) -> int:  # type: ignore[type-arg]
        if s.reason_code == code:
            return 0
        trip(connection, code, reason, s.id)
        log.error(reason, strike_id=s.id)
        state = State(s.state)
        changes = {"reason_code": code, "reason": reason}
        return int(step(connection, s.id, state, state, {"code": code}, changes=changes))

    def _follow(
        self,
        connection: Connection,
        s: Row,
        order: BrokerOrder,
        read_at: datetime,  # type: ignore[type-arg]
    ) -> int:
        """The broker's cumulative figures of an order of ours."""
        total, amount = _filled(connection, s)
        at = read_at.astimezone(KST).replace(tzinfo=None)
        over_for = at - s.over_since if s.over_since is not None else None
        settled = order.open == 0 or order.is_cancelled  # nothing more can be on its way
        shares = correction(total, s.broker_filled, order.filled, over_for)
        if shares:
            left = order.filled_amount - amount
            price = round(left / shares) if left * shares > 0 else s.price or s.tick_price
            _broker_fill(connection, s, shares, price)
        over = None if order.filled >= total + shares else (s.over_since or at)
        connection.execute(
            text(
                "UPDATE strike SET broker_filled = :filled, broker_amount = :amount,"
                " over_since = :over WHERE id = :id"
            ),
            {"filled": order.filled, "amount": order.filled_amount, "over": over, "id": s.id},
        )
        changed = self._fills(connection, s)
        fresh = _held(connection, s.id)
        before, whole = State(fresh.state), fresh.filled == order.filled
        if order.rejected >= s.quantity and State.REJECTED in ALLOWED[before]:
            changes = {"reason_code": "EXCHANGE", "reason": "거래소가 주문을 거부했습니다"}
            changed += step(
                connection, s.id, before, State.REJECTED, {"by": "list"}, changes=changes
            )
        elif settled and whole and fresh.filled < s.quantity and State.CANCELLED in ALLOWED[before]:
            changed += step(connection, s.id, before, State.CANCELLED, {"by": "list"})
        return changed

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
    orders_of_day: Callable[[datetime], list[BrokerOrder]],
    now: Callable[[], datetime],
    *,
    force: bool = False,
) -> int:
    """One round: notices first, then the broker's list while something is open (or ``force``)."""
    changed = ledger.apply_notices()
    for day in ledger.days_to_read() or ([now().date()] if force else []):
        read_at = now()
        orders = orders_of_day(datetime(day.year, day.month, day.day, tzinfo=KST))
        changed += ledger.apply_list(orders, day, read_at)
        changed += ledger.apply_notices() + ledger.close_day(day)
    return changed


def _locked(connection: Connection, strike_id: int) -> Row | None:  # type: ignore[type-arg]
    return connection.execute(
        text("SELECT * FROM strike WHERE id = :id FOR UPDATE"), {"id": strike_id}
    ).one_or_none()


def _held(connection: Connection, strike_id: int) -> Row:  # type: ignore[type-arg]
    """A row that this transaction has locked already, as it is now."""
    return connection.execute(text("SELECT * FROM strike WHERE id = :id"), {"id": strike_id}).one()


def _key(s: Row) -> dict[str, object]:  # type: ignore[type-arg]
    return {"a": s.account, "d": s.order_day, "n": s.order_no}


def _filled(connection: Connection, s: Row) -> tuple[int, int]:  # type: ignore[type-arg]
    row = connection.execute(
        text(
            "SELECT COALESCE(SUM(quantity), 0), COALESCE(SUM(quantity * price), 0) FROM fill"
            " WHERE account = :a AND order_day = :d AND order_no = :n"
        ),
        _key(s),
    ).one()
    return int(row[0]), int(row[1])


def _broker_fill(connection: Connection, s: Row, shares: int, price: int) -> None:  # type: ignore[type-arg]
    connection.execute(
        text(
            "INSERT INTO fill (account, order_day, order_no, symbol, side, quantity, price, at,"
            " source, notice_id, recorded_at)"
            " VALUES (:a, :d, :n, :symbol, :side, :shares, :price, NOW(6), 'BROKER', NULL, NOW(6))"
        ),
        {**_key(s), "symbol": s.symbol, "side": s.side, "shares": shares, "price": price},
    )
