"""Reads: tried again, but with an end; pages that are keyed and never summed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from kis.account import KisAccount
from kis.endpoints import ALL, BALANCE, PRICE, TOKEN, Lane
from kis.keys import Env
from kis.quotes import KisQuotes
from tests.kis.door import (
    SAMPLES,
    Door,
    Kis,
    answer,
    balance_page,
    cut,
    price_ok,
)
from trading.errors import BadInput, Refused, Throttled, Unavailable


@pytest.mark.parametrize(
    "first",
    [
        answer("rate-limit-appkey"),
        answer("rate-limit-ledger"),
        (500, b"", {}),
        (200, b"{", {}),
        cut,
    ],
)
def test_a_read_is_tried_again(door: Door, first: Any):
    door.kis.answers = [first, price_ok()]
    price = KisQuotes(door.rest).price("005930")
    assert (price.price, price.change, price.upper_limit) == (259500, -9500, 349500)
    assert len(door.kis.calls()) == 2
    assert [lane for lane, _ in door.gate.taken] == ["spare", "sweep", "sweep"]


def test_a_read_gives_up_after_its_end(door: Door):
    door.kis.answers = [answer("rate-limit-appkey")] * 20
    with pytest.raises(Throttled) as caught:
        KisQuotes(door.rest).price("005930")
    assert caught.value.code == "EGW00201"
    assert 2 <= len(door.kis.calls()) <= 4


@pytest.mark.parametrize(
    ("sample", "error"),
    [("mock-unsupported-tr", Refused), ("bad-account", Refused), ("bad-code", Refused)],
)
def test_the_brokers_no_to_a_read_is_not_repeated(door: Door, sample: str, error: type[Exception]):
    door.kis.answers = [answer(sample), price_ok()]
    with pytest.raises(error) as caught:
        KisQuotes(door.rest).price("005930")
    assert SAMPLES[sample]["body"]["msg_cd"] in str(caught.value)
    assert len(door.kis.calls()) == 1


def test_a_second_page_that_fails_is_no_shorter_account(door: Door):
    door.kis.answers = [balance_page([{"pdno": "000001"}], True), *[(500, b"", {})] * 9]
    with pytest.raises(Unavailable):
        KisAccount(door.rest).holdings()


def test_a_cursor_that_turns_in_a_circle_ends(door: Door):
    door.kis.answers = [balance_page([{"pdno": "000001"}], True)] * 9
    with pytest.raises(Unavailable, match="twice"):
        KisAccount(door.rest).holdings()
    assert len(door.kis.calls()) == 2


def test_a_sweep_says_what_did_not_come_back(door: Door):
    def row(symbol: str, price: str) -> dict[str, str]:
        names = ("prdy_vrss", "oprc", "hgpr", "lwpr", "sdpr", "mxpr", "llam", "askp", "bidp")
        return {"inter_shrn_iscd": symbol, "inter2_prpr": price, "acml_vol": "1",
                "acml_tr_pbmn": "2", **{f"inter2_{name}": "5" for name in names}}  # fmt: skip

    rows = [row("000002", "200"), row("", "0"), row("000001", "x"), row("000009", "9")]
    body = {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "", "output": rows}
    door.kis.answers = [(200, body, {})]
    quotes = KisQuotes(door.rest).multprice(["000001", "000002", "000003"])
    assert {symbol: price.price for symbol, price in quotes.prices.items()} == {"000002": 200}
    assert quotes.missing == ["000001", "000003"]
    assert "inter2_prpr='x'" in quotes.bad[0]
    with pytest.raises(BadInput):
        KisQuotes(door.rest).multprice(["000001"] * 31)


def test_holidays_are_read_from_opnd_yn(door: Door):
    door.kis.answers = [answer("chk-holiday")]
    days = KisQuotes(door.rest).holidays(date(2026, 9, 10))
    assert days == {
        date(2026, 9, 10): True, date(2026, 9, 12): False, date(2026, 9, 24): False,
    }  # fmt: skip


def test_what_paper_trading_lacks_is_refused_without_a_call(kis: Kis):
    door = Door(kis, Env.MOCK)
    with pytest.raises(Refused, match="EGW02006"):
        KisAccount(door.rest).realised_profit()
    assert kis.seen == []


def test_every_call_has_its_lane_and_its_time_outs():
    for endpoint in ALL:
        assert endpoint.lane in Lane
        assert 0 < sum(endpoint.timeout) < 8, "below the permits' hold"
    assert (PRICE.ledger, BALANCE.ledger, TOKEN.lane) == (False, True, Lane.SPARE)
