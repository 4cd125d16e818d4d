"""The broker's list of a day: what became of open and unknown strikes. The list is the truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import structlog
from sqlalchemy import Connection, Engine, Row, text

from db.errors import mapped
from db.ledger import kst, step
from db.ledger_send import trip
from db.order_fills import bring_fills, broker_fill, counting, filled, held, locked
from trading.clock import KST
from trading.fills import Side
from trading.lifecycle import ALLOWED, State
from trading.orders import BrokerOrder, OrderKind
from trading.reconcile import ABSENT_FOR, Absent, Ambiguous, Found, Unsettled, correction, find

log = structlog.get_logger(__name__)

# strikes that the list has something to say about
WATCHED = (
    "(state IN ('UNKNOWN', 'ACCEPTED', 'PART_FILLED') OR (state IN ('FILLED', 'CANCELLED')"
    " AND order_day >= CURDATE() - INTERVAL 1 DAY"
    " AND (broker_filled IS NULL OR broker_filled <> filled)))"
)


def apply_list(
    engine: Engine, account: str, orders: Sequence[BrokerOrder], day: date, read_at: datetime
) -> int:
    """Settle this day's open and unknown strikes by the broker's list; rows changed.

    ``read_at`` (aware) is when the read began; the list must be whole.
    """
    by_number = {o.order_no: o for o in orders if not o.original_order_no}
    with mapped(), engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT id, state, order_no FROM strike WHERE account = :account"
                " AND COALESCE(order_day, DATE(claimed_at)) = :day AND claimed_at IS NOT NULL"
                f" AND ({WATCHED} OR (state = 'NOT_SENT' AND reason_code = 'ABSENT'))"
            ),
            {"account": account, "day": day},
        ).all()
    changed = 0
    for row in rows:
        with counting(engine, account, row.order_no) as connection:
            s = locked(connection, row.id)
            if s is None or s.order_no != row.order_no:
                continue  # settled meanwhile: the next round looks at it
            if s.order_no is None:
                changed += _settle_unknown(connection, s, orders, read_at)
            elif s.order_no in by_number:
                changed += _follow(connection, s, by_number[s.order_no], read_at)
            elif day < read_at.astimezone(KST).date() and s.state in ("ACCEPTED", "PART_FILLED"):
                changed += _unlisted(connection, s, read_at)
    return changed


def _unlisted(connection: Connection, s: Row, read_at: datetime) -> int:  # type: ignore[type-arg]
    """An open order of a day that is over, whose whole list does not have it: it is over as well,
    or its day would be asked for without end."""
    state, at = State(s.state), read_at.astimezone(KST).replace(tzinfo=None)
    if s.absent_since is None:
        return int(
            step(connection, s.id, state, state, {"absent": str(at)}, changes={"absent_since": at})
        )
    if at - s.absent_since < ABSENT_FOR:
        return 0
    reason = "그날의 증권사 목록에 없는 주문이라 끝난 것으로 봅니다"
    trip(connection, "UNLISTED", reason, s.id)
    log.error(reason, strike_id=s.id)
    changes = {"reason_code": "UNLISTED", "reason": reason}
    return int(step(connection, s.id, state, State.CANCELLED, {"by": "list"}, changes=changes))


def _settle_unknown(
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
            {"a": s.account, "at": s.claimed_at},
        )
    )
    claimed_at, absent = s.claimed_at.replace(tzinfo=KST), kst(s.absent_since)
    unsettled = Unsettled(
        s.id, s.symbol, Side(s.side), s.quantity, s.price, claimed_at, absent,
        OrderKind(s.order_kind),
    )  # fmt: skip
    finding, before = find(unsettled, orders, known, read_at), State(s.state)
    if isinstance(finding, Found) and not _has_twin(connection, s):
        order = finding.order
        changes = {
            "order_no": order.order_no, "order_day": s.claimed_at.date(),
            "branch": order.branch, "absent_since": None, "reason_code": "", "reason": "",
        }  # fmt: skip
        detail = {"order_no": order.order_no, "by": "list"}
        return int(step(connection, s.id, before, State.ACCEPTED, detail, changes=changes))
    if isinstance(finding, Found | Ambiguous):
        return _note(connection, s, "AMBIGUOUS", "맞는 주문이 여럿이라 사람이 봐야 합니다")
    if before is State.NOT_SENT:
        return 0
    if isinstance(finding, Absent) and finding.final:
        reason = "증권사 목록에 두 번 없었습니다: 나가지 않은 주문"
        trip(connection, "NOT_SENT", reason, s.id)
        log.error("보낸 줄 알았던 주문이 증권사에 없습니다", strike_id=s.id)
        changes = {"reason_code": "ABSENT", "reason": reason}
        return int(step(connection, s.id, before, State.NOT_SENT, {"by": "list"}, changes=changes))
    if s.absent_since is None:
        at = read_at.astimezone(KST).replace(tzinfo=None)
        return int(
            step(connection, s.id, before, before, {"absent": str(at)},
                 changes={"absent_since": at})
        )  # fmt: skip
    return 0


def _has_twin(connection: Connection, s: Row) -> bool:  # type: ignore[type-arg]
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
                "a": s.account, "id": s.id, "symbol": s.symbol, "side": s.side,
                "quantity": s.quantity, "price": s.price, "at": s.claimed_at,
            },
        )
    )  # fmt: skip


def _note(connection: Connection, s: Row, code: str, reason: str) -> int:  # type: ignore[type-arg]
    if s.reason_code == code:
        return 0
    trip(connection, code, reason, s.id)
    log.error(reason, strike_id=s.id)
    state = State(s.state)
    changes = {"reason_code": code, "reason": reason}
    return int(step(connection, s.id, state, state, {"code": code}, changes=changes))


def _follow(connection: Connection, s: Row, order: BrokerOrder, read_at: datetime) -> int:  # type: ignore[type-arg]
    """The broker's cumulative figures of an order of ours."""
    total, amount = filled(connection, s)
    at = read_at.astimezone(KST).replace(tzinfo=None)
    over_for = at - s.over_since if s.over_since is not None else None
    # nothing more can be on its way; CNCL_YN is Y for an order that was cancelled in part as well,
    # and a row can be late by a fill when its cancel shows already
    over = order.filled + order.cancelled + order.rejected >= s.quantity
    settled = order.open == 0 or (order.is_cancelled and (over or order.cancelled == 0))
    shares = correction(total, s.broker_filled, order.filled, over_for)
    if shares:
        left = order.filled_amount - amount
        price = round(left / shares) if left * shares > 0 else s.price or s.tick_price
        broker_fill(connection, s, shares, price)
    over_since = None if order.filled >= total + shares else (s.over_since or at)
    # what is still open in the row is no last word on an order that is over for us: ask again
    told = order.filled if settled or State(s.state) is not State.CANCELLED else None
    connection.execute(
        text(
            "UPDATE strike SET broker_filled = :filled, broker_amount = :amount,"
            " over_since = :over WHERE id = :id"
        ),
        {"filled": told, "amount": order.filled_amount, "over": over_since, "id": s.id},
    )
    changed = bring_fills(connection, s)
    fresh = held(connection, s.id)
    before, whole = State(fresh.state), fresh.filled == order.filled
    if order.rejected >= s.quantity and State.REJECTED in ALLOWED[before]:
        changes = {"reason_code": "EXCHANGE", "reason": "거래소가 주문을 거부했습니다"}
        changed += step(connection, s.id, before, State.REJECTED, {"by": "list"}, changes=changes)
    elif settled and whole and fresh.filled < s.quantity and State.CANCELLED in ALLOWED[before]:
        changed += step(connection, s.id, before, State.CANCELLED, {"by": "list"})
    return changed
