"""The fills of one order: counted by one at a time, and brought into its strike. Idempotent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Row, text

from db.errors import mapped
from db.ledger import append_event, step
from db.notices import fill_lock
from trading.lifecycle import ALLOWED, State, state_after_fills


@contextmanager
def counting(engine: Engine, account: str, order_no: str | None) -> Iterator[Connection]:
    """A transaction in which nobody else counts the fills of this order. Transient if somebody
    does so for 5 s."""
    with mapped(), engine.connect() as connection:
        if order_no is None:
            with connection.begin():
                yield connection
            return
        with fill_lock(connection, account, order_no):
            connection.commit()  # what others committed before the lock is seen now
            with connection.begin():
                yield connection


def apply_fills(engine: Engine, account: str, strike_id: int, order_no: str) -> int:
    """Bring what `fill` and `notice` say of an order into its strike; changes made."""
    with counting(engine, account, order_no) as connection:
        s = locked(connection, strike_id)
        if s is None or s.order_no is None:
            return 0
        _cap(connection, s)
        changed = bring_fills(connection, s)
        return changed + _endings(connection, held(connection, strike_id))


def _cap(connection: Connection, s: Row) -> None:  # type: ignore[type-arg]
    """No more shares than the order has: what came twice (db/notices.py lets nothing beyond the
    size that the notice names; the strike's own is the last word)."""
    total, amount = filled(connection, s)
    surplus = total - s.quantity
    if surplus > 0:
        price = round(amount / total)
        broker_fill(connection, s, -surplus, price)
        append_event(connection, s.id, State(s.state), State(s.state), {"taken_back": surplus})


def bring_fills(connection: Connection, s: Row) -> int:  # type: ignore[type-arg]
    """The sum of `fill` into the locked strike ``s``, with the state it means; changes made."""
    total, amount = filled(connection, s)
    if total == s.filled and amount == s.filled_amount:
        return 0
    before = State(s.state)
    after = state_after_fills(s.quantity, total, before)
    detail = {"filled": total, "was": s.filled, "amount": amount}
    changes = {"filled": max(0, total), "filled_amount": amount}
    return int(step(connection, s.id, before, after, detail, changes=changes))


def _endings(connection: Connection, s: Row) -> int:  # type: ignore[type-arg]
    """Cancels and refusals of the exchange that the notices tell."""
    kinds = set(
        connection.scalars(
            text(
                "SELECT kind FROM notice WHERE account = :a AND order_day = :d"
                " AND (order_no = :n OR original_order_no = :n)"
                " AND kind IN ('CANCELLED', 'REFUSED')"
                # a person may have cancelled a part of it by hand: the rest stands
                " AND NOT (kind = 'CANCELLED' AND original_order_no = :n AND quantity < :rest)"
            ),
            {**_key(s), "rest": max(0, s.quantity - s.filled)},
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
        # the list's figure is from before the cancel, and a fill's notice may be lost: ask it again
        changes = {"broker_filled": None}
        return int(
            step(connection, s.id, before, State.CANCELLED, {"notice": "CANCELLED"},
                 changes=changes)
        )  # fmt: skip
    return 0


def locked(connection: Connection, strike_id: int) -> Row | None:  # type: ignore[type-arg]
    """A strike's row, locked until the end of the transaction; None when there is none."""
    return connection.execute(
        text("SELECT * FROM strike WHERE id = :id FOR UPDATE"), {"id": strike_id}
    ).one_or_none()


def held(connection: Connection, strike_id: int) -> Row:  # type: ignore[type-arg]
    """A row that this transaction has locked already, as it is now."""
    return connection.execute(text("SELECT * FROM strike WHERE id = :id"), {"id": strike_id}).one()


def _key(s: Row) -> dict[str, object]:  # type: ignore[type-arg]
    return {"a": s.account, "d": s.order_day, "n": s.order_no}


def filled(connection: Connection, s: Row) -> tuple[int, int]:  # type: ignore[type-arg]
    """(shares, KRW) of an order in `fill`, whatever their source."""
    row = connection.execute(
        text(
            "SELECT COALESCE(SUM(quantity), 0), COALESCE(SUM(quantity * price), 0) FROM fill"
            " WHERE account = :a AND order_day = :d AND order_no = :n"
        ),
        _key(s),
    ).one()
    return int(row[0]), int(row[1])


def broker_fill(connection: Connection, s: Row, shares: int, price: int) -> None:  # type: ignore[type-arg]
    """Shares (below 0: taken back) at a price in KRW that the broker's list makes up for."""
    connection.execute(
        text(
            "INSERT INTO fill (account, order_day, order_no, symbol, side, quantity, price, at,"
            " source, notice_id, recorded_at)"
            " VALUES (:a, :d, :n, :symbol, :side, :shares, :price, NOW(6), 'BROKER', NULL, NOW(6))"
        ),
        {**_key(s), "symbol": s.symbol, "side": s.side, "shares": shares, "price": price},
    )
