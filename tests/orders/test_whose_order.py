"""An order whose answer was lost, and orders that the owner makes by hand in the same account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from kis.endpoints import CANCEL
from runtime import orders, wiring
from tests.orders.hands import fresh_trader, look, say
from trading.clock import KST
from trading.errors import BadInput
from trading.fills import Side
from trading.orders import BrokerOrder, NewOrder, OrderKind
from trading.reconcile import Absent, Ambiguous, Found, Unsettled, find

SYMBOL = "005930"
AT = datetime(2026, 11, 23, 10, 0, tzinfo=KST)


def listed(number: str, kind: OrderKind, after_s: float) -> BrokerOrder:
    at = AT + timedelta(seconds=after_s)
    return BrokerOrder(
        number, "", "1", SYMBOL, Side.BUY, "", 10, 70_000, at, 0, 0, 10, 0, 0, False, kind
    )


def unsettled(kind: OrderKind) -> Unsettled:
    price = 70_000 if kind.needs_price else 0
    return Unsettled(1, SYMBOL, Side.BUY, 10, price, AT, AT - timedelta(seconds=60), kind)


@pytest.mark.parametrize(
    ("kind", "on_the_list", "finding"),
    [
        (OrderKind.LIMIT, [("7", OrderKind.LIMIT, 1)], Found),
        (OrderKind.LIMIT, [("7", OrderKind.LIMIT, 1), ("8", OrderKind.LIMIT, 2)], Ambiguous),
        # the owner bought as much by a limit order: ours was a market order
        (OrderKind.MARKET, [("7", OrderKind.LIMIT, 1)], Ambiguous),
        (OrderKind.MARKET, [("7", OrderKind.LIMIT, 1), ("8", OrderKind.MARKET, 1)], Found),
        # our clock is wrong by more than the reconciling allows for: never "it was not sent"
        (OrderKind.LIMIT, [("7", OrderKind.LIMIT, -20)], Ambiguous),
        (OrderKind.LIMIT, [("7", OrderKind.LIMIT, -1800)], Absent),
        (OrderKind.LIMIT, [], Absent),
    ],
)
def test_only_an_order_that_fits_in_everything_is_taken_for_ours(
    kind: OrderKind, on_the_list: list[tuple[str, OrderKind, float]], finding: type
) -> None:
    found = find(unsettled(kind), [listed(*one) for one in on_the_list], (), AT)
    assert isinstance(found, finding), found
    if isinstance(found, Found):
        assert found.order.kind is kind


def fired(book: Any, here: Any, **more: Any) -> Any:
    orders.agree()
    trader = fresh_trader()
    book.money(here.account, 1_000_000_000)
    row = {"order_kind": "MARKET", "quantity": 7, "max_age_ms": 60_000}
    price = more.pop("price", 70_000)
    book.arm(SYMBOL, price, **(row | more))
    book.tick(SYMBOL, price)
    assert look(trader) == 1
    return trader


def by_hand(quantity: int) -> str:
    """The owner's own order, of which the ledger knows nothing; its number."""
    order = NewOrder(SYMBOL, Side.BUY, OrderKind.MARKET, quantity, 0)
    return str(orders.broker().place(order).order_no)  # type: ignore[union-attr]


def test_where_the_list_cannot_tell_a_person_does_and_the_stock_is_free_again(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    fired(book, here)
    here.simulator.control("fault", lose_next="close")
    assert orders.serve_next().state == "UNKNOWN"
    own = by_hand(7)
    orders.settle()
    strike = book.strikes()[0]
    assert (strike.state, strike.reason_code) == ("UNKNOWN", "AMBIGUOUS")
    ours = next(
        one["odno"].lstrip("0")
        for one in here.simulator.book()["orders"]
        if one["odno"].lstrip("0") != own
    )
    for wrong in ((), ("--order", ours, "--not-sent"), ("--order", "999999")):
        with pytest.raises(BadInput):
            say("ledger", "settle", str(strike.id), *wrong, "--reason", "HTS 화면")
    say("ledger", "settle", str(strike.id), "--order", ours, "--reason", "HTS 화면")
    orders.settle()
    strike = book.strikes()[0]
    assert strike.order_no == ours
    assert strike.state in ("ACCEPTED", "PART_FILLED", "FILLED")
    with pytest.raises(BadInput):
        say("ledger", "settle", str(strike.id), "--not-sent", "--reason", "다시")
    assert len(here.orders_at_broker()) == 2, "ours and the owner's, none again"


def test_an_old_day_that_a_person_must_settle_does_not_keep_today_from_being_read(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    fired(book, here)
    assert orders.serve_next().state == "ACCEPTED"
    for back in range(1, 6):
        for arm, state in ((1, "UNKNOWN"), (2, "ACCEPTED")):
            book.run(
                "INSERT INTO strike (condition_id, arm_no, condition_rev, account, symbol, side,"
                " order_kind, venue, quantity, price, trigger_op, strike_price, tick_price,"
                " tick_seq, tick_received_at, fired_at, deadline, assets, state, reason_code,"
                " claimed_at, order_no, order_day, updated_at) VALUES (:c, :n, 1, :a, '000660',"
                " 'BUY', 'MARKET', 'KRX', 1, 0, 'LE', 1, 1, 1, NOW(6), NOW(6), NOW(6), '{}',"
                " :state, IF(:state = 'UNKNOWN', 'AMBIGUOUS', ''), NOW(6) - INTERVAL :d DAY,"
                " IF(:state = 'UNKNOWN', NULL, :c), IF(:state = 'UNKNOWN', NULL,"
                " CURDATE() - INTERVAL :d DAY), NOW(6))",
                c=100 + back, n=arm, a=here.account, state=state, d=back,
            )  # fmt: skip
    assert orders.settle_ledger().days_to_read()[0].day == book.rows("SELECT CURDATE() AS d")[0].d
    for _ in range(2):  # an order of yesterday that yesterday's whole list does not have
        orders.settle()
        book.run("UPDATE strike SET absent_since = absent_since - INTERVAL 11 SECOND")
    orders.settle()
    over = book.rows("SELECT state FROM strike WHERE arm_no = 2 AND reason_code = 'UNLISTED'")
    assert len(over) >= 2
    assert {one.state for one in over} == {"CANCELLED"}


def test_a_part_that_the_owner_cancels_by_hand_leaves_the_rest_open(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    price = here.simulator.look("stocks")[SYMBOL]["price"] // 1000 * 1000 - 6000
    fired(book, here, price=price, order_kind="LIMIT")
    assert orders.serve_next().state == "ACCEPTED"
    strike = book.strikes()[0]
    rest = wiring.kis_rest()
    rest.prepare()
    body = {
        **rest.account(), "KRX_FWDG_ORD_ORGNO": strike.branch,
        "ORGN_ODNO": strike.order_no.zfill(10), "ORD_DVSN": "00", "RVSE_CNCL_DVSN_CD": "02",
        "ORD_QTY": "3", "ORD_UNPR": "0", "QTY_ALL_ORD_YN": "N", "EXCG_ID_DVSN_CD": "KRX",
    }  # fmt: skip
    rest.send(CANCEL, body, rest.admit(CANCEL))
    orders.settle()
    orders.settle()
    assert book.states() == ["ACCEPTED"], "four shares still stand at the exchange"
