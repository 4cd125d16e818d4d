"""The list can lag: what it shows of a cancelled order may not be all of it yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from db.notices import SeenNotice, record_notice
from db.settle import SettleLedger, settle
from runtime.loop import kst_now
from trading.fills import Notice, NoticeKind, Side
from trading.orders import BrokerOrder

QUANTITY, FILLED, PRICE = 3, 1, 10_000


def row(filled: int, at: datetime) -> BrokerOrder:
    """Cancelled after one share: the two others are confirmed at once, the fill may come later."""
    cancelled = QUANTITY - FILLED
    return BrokerOrder(
        "7", "", "06010", "005930", Side.BUY, "00", QUANTITY, PRICE, at.replace(microsecond=0),
        filled, filled * PRICE, QUANTITY - cancelled - filled, cancelled, 0, True,
    )  # fmt: skip


def test_a_fill_that_a_cancelled_orders_row_shows_late_is_counted(book: Any) -> None:
    """Its notice was lost: the list is all there is."""
    accepted(book)
    at, ledger = kst_now(), SettleLedger(book.root, "a")
    for shown in (0, FILLED, FILLED, FILLED):
        settle(ledger, lambda *_, shown=shown: [row(shown, at)], kst_now)
    (strike,) = book.strikes()
    assert (strike.state, strike.filled) == ("CANCELLED", FILLED)
    assert book.rows("SELECT SUM(quantity) AS n FROM fill")[0].n == FILLED


def test_a_cancel_that_a_notice_tells_does_not_close_the_book(book: Any) -> None:
    """The list was read while nothing was filled. Then one share is, its notice is lost, and the
    notice of the cancel comes: the list must be asked once more. (Seed 100067 of the lives.)"""
    accepted(book)
    at, ledger = kst_now(), SettleLedger(book.root, "a")
    untouched = replace(row(0, at), open=QUANTITY, cancelled=0, is_cancelled=False)
    settle(ledger, lambda *_: [untouched], kst_now)
    notice = Notice(
        "1", "7", "", Side.BUY, NoticeKind.CANCELLED, "005930", QUANTITY - FILLED, PRICE, QUANTITY,
        at.replace(microsecond=0),
    )  # fmt: skip
    assert record_notice(book.root, SeenNotice("a", notice, 1, at))
    for _ in range(3):
        settle(ledger, lambda *_: [row(FILLED, at)], kst_now)
    (strike,) = book.strikes()
    assert (strike.state, strike.filled) == ("CANCELLED", FILLED)
    assert book.rows("SELECT SUM(quantity) AS n FROM fill")[0].n == FILLED


def test_an_order_that_a_lagging_list_emptied_is_looked_at_until_its_fills_are_back(
    book: Any,
) -> None:
    """All of it was filled and told; the list, read twice while the clock jumped, does not have it
    yet. Whoever believes the list must go on asking it. (Seeds 4262234, 4263352 of the lives.)"""
    accepted(book)
    at, ledger = kst_now(), SettleLedger(book.root, "a")
    notice = Notice(
        "1", "7", "", Side.BUY, NoticeKind.FILL, "005930", QUANTITY, PRICE, QUANTITY,
        at.replace(microsecond=0),
    )  # fmt: skip
    assert record_notice(book.root, SeenNotice("a", notice, 1, at))
    open_row = replace(row(0, at), open=QUANTITY, cancelled=0, is_cancelled=False)
    seen = []
    for late in (0, 21):
        settle(ledger, lambda *_: [open_row], lambda late=late: at + timedelta(seconds=late))
        seen += [(s.state, s.filled) for s in book.strikes()]
    assert seen == [("FILLED", QUANTITY), ("ACCEPTED", 0)]
    whole = replace(open_row, filled=QUANTITY, filled_amount=QUANTITY * PRICE, open=0)
    for _ in range(3):
        settle(ledger, lambda *_: [whole], kst_now)
    (strike,) = book.strikes()
    assert (strike.state, strike.filled) == ("FILLED", QUANTITY)
    assert book.rows("SELECT SUM(quantity) AS n FROM fill")[0].n == QUANTITY


def accepted(book: Any) -> None:
    """An order of ours, number 7, open at the broker."""
    book.run(
        "INSERT INTO strike (condition_id, arm_no, condition_rev, account, symbol, side,"
        " order_kind, venue, quantity, price, trigger_op, strike_price, tick_price, tick_seq,"
        " tick_received_at, fired_at, deadline, claimed_at, answered_at, assets, state, order_no,"
        " order_day, updated_at) VALUES (1, 1, 1, 'a', '005930', 'BUY', 'LIMIT', 'KRX', :q, :p,"
        " 'LE', :p, :p, 1, NOW(6), NOW(6), NOW(6), NOW(6), NOW(6), '{}', 'ACCEPTED', '7',"
        " CURDATE(), NOW(6))",
        q=QUANTITY, p=PRICE,
    )  # fmt: skip
