"""An UNKNOWN strike of which the list cannot say whose order it is, settled by a person's word.

The person chooses among the broker's own orders (P6); the order itself is never sent again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import Engine, Row, text

from db.errors import mapped
from db.ledger import step
from db.order_fills import locked
from trading.errors import BadInput
from trading.lifecycle import State
from trading.orders import BrokerOrder


def unknown_day(engine: Engine, strike_id: int) -> date:
    """The KST day whose list is to be read. BadInput unless the strike is UNKNOWN."""
    with mapped(), engine.connect() as connection:
        row = connection.execute(
            text("SELECT state, DATE(claimed_at) AS day FROM strike WHERE id = :id"),
            {"id": strike_id},
        ).one_or_none()
    if row is None:
        raise BadInput("strike", strike_id, "그런 타격이 없습니다")
    if row.state != State.UNKNOWN:
        raise BadInput("strike", strike_id, f"결과 불명이 아니라 {row.state} 입니다")
    day: date = row.day
    return day


def settle_by_person(
    engine: Engine, strike_id: int, order_no: str, orders: Sequence[BrokerOrder], word: str
) -> State:
    """UNKNOWN → ACCEPTED with this order of the broker's list, or with "" → NOT_SENT.

    BadInput when the order is not in the list, is another strike's, or is of another shape.
    """
    if not word.strip():
        raise BadInput("reason", word, "이유를 적습니다")
    number = order_no.lstrip("0")
    with mapped(), engine.begin() as connection:
        s = locked(connection, strike_id)
        if s is None or s.state != State.UNKNOWN:
            raise BadInput("strike", strike_id, "그새 정리되었습니다")
        detail = {"by": "person", "reason": word[:200]}
        if not number:
            changes = {"reason_code": "PERSON", "reason": word[:200], "absent_since": None}
            step(connection, s.id, State.UNKNOWN, State.NOT_SENT, detail, changes=changes)
            return State.NOT_SENT
        taken = connection.scalars(
            text(
                "SELECT order_no FROM strike WHERE account = :a AND order_day = DATE(:at)"
                " AND order_no IS NOT NULL"
            ),
            {"a": s.account, "at": s.claimed_at},
        ).all()
        order = _chosen(s, number, orders, taken)
        changes = {
            "order_no": number, "order_day": s.claimed_at.date(), "branch": order.branch,
            "absent_since": None, "reason_code": "", "reason": "",
        }  # fmt: skip
        detail["order_no"] = number
        step(connection, s.id, State.UNKNOWN, State.ACCEPTED, detail, changes=changes)
        return State.ACCEPTED


def _chosen(
    s: Row,  # type: ignore[type-arg]
    number: str,
    orders: Sequence[BrokerOrder],
    taken: Collection[str],
) -> BrokerOrder:
    order = next((one for one in orders if one.order_no == number), None)
    if order is None:
        raise BadInput("order", number, "그날의 증권사 목록에 없는 주문입니다")
    if number in taken:
        raise BadInput("order", number, "이미 다른 타격의 주문입니다")
    same = (order.symbol, order.side.value, order.quantity) == (s.symbol, s.side, s.quantity)
    if not same or order.original_order_no:
        raise BadInput("order", number, "종목·방향·수량이 이 타격과 다릅니다")
    return order
