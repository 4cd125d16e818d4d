"""Notices (체결통보) into `notice`, fills into `fill` and into the stock's row of `market`.

Idempotent: sections of one HTS id each get a copy of every notice, and the k-th notice of the same
content in a section is ``occurrence`` k, so copies meet on the same row (`u_same`). A notice is a
hint: the shares counted from notices never exceed the order (ODER_QTY), and `tasks/fills` makes up
the difference to the broker's own figure. Both hold the lock of ``fill_lock`` while they count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Engine, func, select, text, update
from sqlalchemy.dialects.mysql import insert

from db.errors import mapped
from db.tables import fill, market
from db.tables import notice as notice_table
from trading.errors import Transient
from trading.fills import Notice, NoticeKind
from trading.words import SIDES

LOCK_WAIT_S = 5
SILENT_S = 5  # whoever holds the lock and says nothing for so long loses it with its session


@dataclass(frozen=True, slots=True)
class SeenNotice:
    """A notice of one of our accounts; ``account`` is its label, the number goes no further."""

    account: str
    notice: Notice
    occurrence: int  # 1 = first of this content in its section
    received_at: datetime


@contextmanager
def fill_lock(connection: Connection, account: str, order_no: str) -> Iterator[None]:
    """Nobody else counts the fills of this order meanwhile. Transient if not to be had in 5 s.

    The lock is the session's, and the session of a host that was cut off lives on at the server:
    hence the short patience with its silence, for as long as it holds the lock.
    """
    name = f"fill:{account}:{order_no}"
    database = connection.scalar(text("SELECT DATABASE()"))
    params = {"name": f"{database}:{name}"[:64], "wait": LOCK_WAIT_S}
    connection.execute(text("SET SESSION wait_timeout = :s"), {"s": SILENT_S})
    if connection.scalar(text("SELECT GET_LOCK(:name, :wait)"), params) != 1:
        connection.execute(text("SET SESSION wait_timeout = DEFAULT"))
        raise Transient(f"fills of order {order_no} are being counted elsewhere")
    try:
        yield
    finally:
        if not connection.invalidated:  # the lock goes with its session
            connection.execute(text("DO RELEASE_LOCK(:name)"), {"name": params["name"]})
            connection.execute(text("SET SESSION wait_timeout = DEFAULT"))


def record_notice(engine: Engine, seen: SeenNotice) -> bool:
    """Store one notice and what follows from it, in one commit. False when it was there already.

    Raises Unavailable or Transient when nothing was stored.
    """
    with mapped(), engine.connect() as connection:
        with fill_lock(connection, seen.account, seen.notice.order_no):
            connection.commit()  # the lock is the connection's: what others committed is seen now
            stored = _insert_notice(connection, seen)
            if stored is not None:
                if seen.notice.kind is NoticeKind.FILL:
                    _insert_fill(connection, seen, stored)
                _show_in_market(connection, seen)
            connection.commit()
        return stored is not None


def _insert_notice(connection: Connection, seen: SeenNotice) -> int | None:
    one = seen.notice
    statement = insert(notice_table).values(
        account=seen.account,
        order_day=one.at.date(),
        order_no=one.order_no,
        original_order_no=one.original_order_no,
        kind=one.kind.value,
        symbol=one.symbol,
        side=one.side.value,
        quantity=one.quantity,
        price=one.price,
        order_quantity=one.order_quantity,
        at=one.at,
        occurrence=seen.occurrence,
        received_at=seen.received_at,
    )
    result = connection.execute(statement.prefix_with("IGNORE"))
    return result.lastrowid if result.rowcount == 1 else None


def counted_shares(connection: Connection, account: str, day: date, order_no: str) -> int:
    """Shares of an order in `fill` so far, whatever their source. Ask under ``fill_lock``."""
    query = select(func.coalesce(func.sum(fill.c.quantity), 0)).where(
        fill.c.account == account, fill.c.order_day == day, fill.c.order_no == order_no
    )
    return int(connection.scalar(query) or 0)


def _made_up(connection: Connection, seen: SeenNotice) -> tuple[int, int]:
    """(shares, their price) that the broker's list has told of this order before any notice did."""
    shares, won = connection.execute(
        select(
            func.coalesce(func.sum(fill.c.quantity), 0),
            func.coalesce(func.sum(fill.c.quantity * fill.c.price), 0),
        ).where(
            fill.c.account == seen.account,
            fill.c.order_day == seen.notice.at.date(),
            fill.c.order_no == seen.notice.order_no,
            fill.c.source == "BROKER",
        )
    ).one()
    return (int(shares), round(int(won) / int(shares))) if shares > 0 else (0, 0)


def _insert_fill(connection: Connection, seen: SeenNotice, notice_id: int) -> None:
    """The shares of a notice. What the list had told already gives way in the same commit: this is
    the notice that was made up for, so nobody ever reads the two together.
    """
    one = seen.notice
    day = one.at.date()
    room = one.order_quantity - counted_shares(connection, seen.account, day, one.order_no)
    told, told_price = _made_up(connection, seen)
    replaced = min(one.quantity, told)
    quantity = replaced + min(one.quantity - replaced, max(0, room))
    if quantity <= 0:
        return
    row = {
        "account": seen.account,
        "order_day": day,
        "order_no": one.order_no,
        "symbol": one.symbol,
        "side": one.side.value,
        "at": one.at,
        "recorded_at": seen.received_at,
    }
    connection.execute(
        insert(fill).values(
            **row, quantity=quantity, price=one.price, source="NOTICE", notice_id=notice_id
        )
    )
    if replaced:
        connection.execute(
            insert(fill).values(**row, quantity=-replaced, price=told_price, source="BROKER")
        )


def _show_in_market(connection: Connection, seen: SeenNotice) -> None:
    connection.execute(
        update(market)
        .where(market.c.symbol == seen.notice.symbol)
        .values(notice_at=seen.received_at, notice=notice_text(seen.notice))
    )


_KINDS = {
    NoticeKind.ACCEPTED: "접수",
    NoticeKind.CONFIRMED: "확인",
    NoticeKind.CANCELLED: "취소",
    NoticeKind.REFUSED: "거부",
    NoticeKind.FILL: "체결",
}


def notice_text(one: Notice) -> str:
    """``체결 매수 10주 71,500원 주문 1234``."""
    price = f"{one.price:,}원" if one.price else "시장가"
    return f"{_KINDS[one.kind]} {SIDES[one.side]} {one.quantity:,}주 {price} 주문 {one.order_no}"


def recorded(engine: Engine, all_seen: Sequence[SeenNotice]) -> list[SeenNotice]:
    """``record_notice`` of each, in order; those that were new. Stops at the first error."""
    return [seen for seen in all_seen if record_notice(engine, seen)]
