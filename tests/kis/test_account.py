"""The account as the broker tells it: holdings, cash, the day's orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from kis.account import KisAccount
from tests.kis.door import (
    Door,
    answer,
    balance_page,
)
from trading.clock import KST
from trading.errors import BadInput


def test_the_genuine_balance_says_what_it_says(door: Door):
    door.kis.answers = [answer("inquire-balance")]
    holdings = KisAccount(door.rest).holdings()
    (position,) = holdings.positions
    assert (position.symbol, position.quantity, position.sellable) == ("009150", 1657, 1611)
    assert position.average_price == Decimal("135440.2517")
    assert holdings.balance is not None
    assert (holdings.balance.deposit, holdings.balance.profit) == (346455, -756922)
    (call,) = door.kis.calls()
    assert call["params"]["CTX_AREA_NK100"] == ""
    assert ("assets", True) in door.gate.taken


def test_pages_are_keyed_and_never_summed(door: Door):
    pages = [
        balance_page([{"pdno": "000001", "hldg_qty": "21"}, {"pdno": "000002"}], True),
        balance_page([{"pdno": "000001", "hldg_qty": "21"}, {"pdno": "000003"}], False, "200"),
    ]
    door.kis.answers = list(pages)
    holdings = KisAccount(door.rest).holdings()
    assert {p.symbol: p.quantity for p in holdings.positions}["000001"] == 21
    assert len(holdings.positions) == 3
    first, second = door.kis.calls()
    assert (first["headers"]["tr_cont"], second["headers"]["tr_cont"]) == ("", "N")
    assert second["params"]["CTX_AREA_NK100"] == pages[0][1]["ctx_area_nk100"]


@pytest.mark.parametrize("rt_cd", ["0", "7"])
def test_empty_is_empty_only_when_the_broker_says_so(door: Door, rt_cd: str):
    body = {"rt_cd": rt_cd, "msg_cd": "KIOK0560", "msg1": "조회할 내용이 없습니다", "output1": []}
    door.kis.answers = [(200, body, {})]
    holdings = KisAccount(door.rest).holdings()
    assert (holdings.positions, holdings.balance) == ([], None)


@pytest.mark.parametrize(
    "broken",
    [
        {"rt_cd": "0", "msg_cd": "KIOK0510"},
        {"rt_cd": "0", "msg_cd": "KIOK0510", "output1": {}, "output2": [{}]},
        {"rt_cd": "0", "msg_cd": "KIOK0510", "output1": [], "output2": []},
        {"rt_cd": "0", "msg_cd": "KIOK0510", "output1": [], "output2": [{"dnca_tot_amt": "x"}]},
        {"rt_cd": "0", "msg_cd": "KIOK0510", "output1": [{"pdno": "005930"}], "output2": [{}]},
    ],
)
def test_a_reply_of_another_shape_is_an_error_not_no_holdings(door: Door, broken: dict[str, Any]):
    door.kis.answers = [(200, broken, {})]
    with pytest.raises(BadInput):
        KisAccount(door.rest).holdings()


def test_orderable_cash(door: Door):
    door.kis.answers = [answer("psbl-order")]
    cash = KisAccount(door.rest).orderable_cash()
    assert (cash.cash, cash.buy_amount, cash.buy_quantity) == (741191178, 107177377, 1531)


def test_the_days_orders_over_two_pages(door: Door):
    row = {
        "ord_dt": "20260915", "ord_gno_brno": "91252", "odno": "0000117057", "orgn_odno": "",
        "sll_buy_dvsn_cd": "02", "pdno": "005930", "ord_qty": "10", "ord_unpr": "70000",
        "ord_tmd": "093001", "tot_ccld_qty": "4", "cncl_yn": "N", "tot_ccld_amt": "280000",
        "ord_dvsn_cd": "00", "cncl_cfrm_qty": "0", "rmn_qty": "6", "rjct_qty": "0",
        "excg_id_dvsn_Cd": "KRX",
    }  # fmt: skip

    def page(more: bool, *numbers: str) -> Any:
        rows = [{**row, "odno": number} for number in numbers]
        body = {"rt_cd": "0", "msg_cd": "KIOK0510", "msg1": "", "output1": rows, "output2": {},
                "ctx_area_fk100": "f", "ctx_area_nk100": numbers[-1]}  # fmt: skip
        return 200, body, {"tr_cont": "F" if more else "E"}

    door.kis.answers = [page(True, "0000000001", "0000000002"), page(False, "0000000002", "03")]
    orders = door.broker.orders_of_day(datetime(2026, 9, 15, 23, 0, tzinfo=KST))
    assert [order.order_no for order in orders] == ["1", "2", "3"]
    assert (orders[0].filled, orders[0].open, orders[0].filled_amount) == (4, 6, 280000)
    assert orders[0].ordered_at == datetime(2026, 9, 15, 9, 30, 1, tzinfo=KST)
    assert door.kis.calls()[0]["params"]["INQR_STRT_DT"] == "20260915"
    assert door.gate.taken[1:] == [("confirm", True)] * 2


@pytest.mark.parametrize(
    ("pages", "read", "numbers"),
    [
        # newest first, as asked: what follows the page that ends before 10:00 is not needed
        ((("110000", "103000"), ("100100", "093000"), ("092000",)), 2, ["4", "3", "2", "1"]),
        # oldest first, whatever was asked: only the end of the list is its end
        ((("092000", "093000"), ("100100", "103000"), ("110000",)), 3, ["1", "2", "3", "4", "5"]),
        # all of one second says nothing of what follows
        ((("093000", "093000"), ("110000",)), 2, ["1", "2", "3"]),
    ],
)
def test_a_list_asked_from_a_time_on_ends_with_the_page_before_it(
    door: Door, pages: tuple[tuple[str, ...], ...], read: int, numbers: list[str]
) -> None:
    """Each page costs a second of the ledger's pace; 모의투자 has 15 rows on one."""
    row = {
        "ord_dt": "20260915", "ord_gno_brno": "91252", "orgn_odno": "",
        "sll_buy_dvsn_cd": "02", "pdno": "005930", "ord_qty": "10", "ord_unpr": "70000",
        "tot_ccld_qty": "0", "tot_ccld_amt": "0", "cncl_yn": "N", "ord_dvsn_cd": "00",
        "cncl_cfrm_qty": "0", "rmn_qty": "10", "rjct_qty": "0", "excg_id_dvsn_cd": "KRX",
    }  # fmt: skip
    count = 0
    for at, times in enumerate(pages):
        rows = []
        for ordered in times:
            count += 1
            rows.append({**row, "odno": str(count), "ord_tmd": ordered})
        body = {"rt_cd": "0", "msg_cd": "KIOK0510", "msg1": "", "output1": rows, "output2": {},
                "ctx_area_fk100": "f", "ctx_area_nk100": str(at)}  # fmt: skip
        door.kis.answers.append((200, body, {"tr_cont": "F" if at + 1 < len(pages) else "E"}))
    since = datetime(2026, 9, 15, 10, 0, tzinfo=KST)
    orders = door.broker.orders_of_day(datetime(2026, 9, 15, 12, 0, tzinfo=KST), since)
    assert [order.order_no for order in orders] == numbers
    assert [call["params"]["INQR_DVSN"] for call in door.kis.calls()] == ["00"] * read
