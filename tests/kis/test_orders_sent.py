"""What an order's answer proves: accepted, refused by the broker's own word, or unknown."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kis.keys import Env
from kis.order_codes import NEVER_REACHED, ORD_DVSN, VENUE_KINDS
from tests.kis.door import (
    ORDER,
    SECRETS,
    Door,
    Kis,
    answer,
    cut,
    cut_in_half,
    envelope,
    silence,
)
from trading.errors import BadInput, Throttled, Transient, Unavailable
from trading.fills import Side
from trading.orders import Accepted, NewOrder, OrderKind, Rejected, Unknown, Venue


def test_an_accepted_order_has_its_number(door: Door):
    door.kis.answers = [answer("order-cash-ok")]
    door.broker.prepare()
    assert door.broker.place(ORDER) == Accepted("117057", "91252", "121052")
    (call,) = door.kis.calls()
    assert call["headers"]["tr_id"] == "TTTC0012U"
    assert call["headers"]["authorization"] == "Bearer planted-token-1"
    assert call["headers"]["custtype"] == "P"
    assert call["body"] == {
        "CANO": "87654321", "ACNT_PRDT_CD": "01", "PDNO": "005930", "ORD_DVSN": "00",
        "ORD_QTY": "10", "ORD_UNPR": "70000", "EXCG_ID_DVSN_CD": "KRX",
    }  # fmt: skip
    assert door.gate.taken == [("spare", False), ("order", False)]
    assert door.gate.back == 2


@pytest.mark.parametrize(
    ("env", "side", "tr_id"),
    [(Env.REAL, Side.BUY, "TTTC0012U"), (Env.REAL, Side.SELL, "TTTC0011U"),
     (Env.MOCK, Side.BUY, "VTTC0012U"), (Env.MOCK, Side.SELL, "VTTC0011U")],
)  # fmt: skip
def test_each_side_and_environment_has_its_tr_id(kis: Kis, env: Env, side: Side, tr_id: str):
    kis.answers = [answer("order-cash-ok")]
    order = NewOrder("005930", side, OrderKind.MARKET, 1, 0)
    assert isinstance(Door(kis, env).broker.place(order), Accepted)
    (call,) = kis.calls()
    assert (call["headers"]["tr_id"], call["body"]["ORD_UNPR"]) == (tr_id, "0")
    assert call["body"]["ORD_DVSN"] == "01"


@pytest.mark.parametrize("code", sorted(NEVER_REACHED))
@pytest.mark.parametrize("status", [200, 500])
def test_a_gateway_refusal_that_is_in_the_table_is_rejected(door: Door, code: str, status: int):
    door.kis.answers = [envelope(status, code)]
    refused = Rejected(code, "아니오", token_refused=code in {"EGW00121", "EGW00123"})
    assert door.broker.place(ORDER) == refused
    assert len(door.kis.calls()) == 1, "not even a new token makes it try again"


@pytest.mark.parametrize("rt_cd", ["1", "2", "7", "9"])
def test_the_brokers_no_is_rejected(door: Door, rt_cd: str):
    door.kis.answers = [envelope(200, "APBK0918", rt_cd)]
    assert door.broker.place(ORDER) == Rejected("APBK0918", "아니오")


@pytest.mark.parametrize(
    "reply",
    [
        envelope(500, "EGW00301"), envelope(200, "EGW00302"), envelope(500, "EGW00215"),
        envelope(200, "EGW00002"), envelope(500, "APBK0918"), envelope(500, "APBK0013", "0"),
        envelope(504, ""), envelope(200, ""), (500, b"", {}), (502, b"<html>bad gateway", {}),
        (200, b"", {}), (200, b"[]", {}), (200, b"{}", {}), (200, b"not json", {}),
        (302, b"", {"Location": "/elsewhere"}),
        (200, {"rt_cd": "0", "msg_cd": "APBK0013", "msg1": "ok"}, {}),
        (200, {"rt_cd": "0", "msg_cd": "APBK0013", "output": {"ODNO": ""}}, {}),
        (200, {"rt_cd": "0", "msg_cd": "APBK0013", "output": {"ODNO": "0000000000"}}, {}),
        (200, {"rt_cd": "0", "msg_cd": "APBK0013", "output": {"ODNO": "12x"}}, {}),
        (200, {"rt_cd": "0", "msg_cd": "APBK0013", "output": []}, {}),
        cut, cut_in_half,
    ],
)  # fmt: skip
def test_everything_else_is_unknown_and_sent_once(door: Door, reply: Any):
    door.kis.answers = [reply, answer("order-cash-ok"), answer("order-cash-ok")]
    outcome = door.broker.place(ORDER)
    assert isinstance(outcome, Unknown)
    assert len(door.kis.calls()) == 1
    assert not any(secret in repr(outcome) for secret in SECRETS)


def test_a_connection_grows_old_however_often_an_order_looks_at_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
):
    """A strike that waits looks again and again; the server counts calls alone as use."""
    monkeypatch.setattr("kis.rest.IDLE_MAX_S", 0.5)
    door.broker.prepare()
    time.sleep(0.2)  # the server counts in a thread of its own
    opened = door.kis.connections
    for _ in range(4):
        time.sleep(0.2)
        door.broker.prepare()
    assert door.kis.connections > opened


def test_no_answer_in_time_is_unknown_and_keeps_the_permit(door: Door):
    door.kis.answers = [silence]
    door.broker.prepare()
    back = door.gate.back
    started = time.monotonic()
    outcome = door.broker.place(ORDER)
    assert isinstance(outcome, Unknown)
    assert time.monotonic() - started < 8
    assert door.gate.back == back, "the call may still be on its way"


@pytest.mark.parametrize("error", [Throttled("no place"), Unavailable("Redis")])
def test_without_a_permit_nothing_is_sent(door: Door, error: Exception):
    door.broker.prepare()
    door.gate.error = error
    with pytest.raises(Transient):
        door.broker.place(ORDER)
    assert door.kis.calls() == []


@pytest.mark.parametrize(
    "order",
    [
        NewOrder("005930", Side.BUY, OrderKind.MARKET, 1, 0, Venue.NXT),
        NewOrder("005930", Side.BUY, OrderKind.MARKET, 1, 100),
        NewOrder("005930", Side.BUY, OrderKind.LIMIT, 1, 0),
        NewOrder("005930", Side.BUY, OrderKind.LIMIT, 0, 100),
    ],
)
def test_an_order_that_makes_no_sense_is_not_sent(door: Door, order: NewOrder):
    with pytest.raises(BadInput):
        door.broker.place(order)
    assert door.kis.seen == []


def test_the_kinds_are_those_of_the_venues_table():
    assert set(ORD_DVSN) == set(OrderKind)
    assert ORD_DVSN[OrderKind.MARKET_IOC] == "13"
    assert OrderKind.MARKET not in VENUE_KINDS[Venue.NXT]


def test_paper_trading_knows_only_krx(kis: Kis):
    with pytest.raises(BadInput, match="KRX"):
        Door(kis, Env.MOCK).broker.place(
            NewOrder("005930", Side.BUY, OrderKind.LIMIT, 1, 100, Venue.SOR)
        )
    assert kis.seen == []


def test_a_cancel_names_the_original_and_gets_a_number_of_its_own(door: Door):
    door.kis.answers = [answer("order-rvsecncl-ok")]
    outcome = door.broker.cancel("117057", "91252", OrderKind.LIMIT, Venue.KRX)
    assert outcome == Accepted("1569139", "06010", "131438")
    (call,) = door.kis.calls()
    assert call["headers"]["tr_id"] == "TTTC0013U"
    assert call["body"]["ORGN_ODNO"] == "0000117057"
    assert (call["body"]["QTY_ALL_ORD_YN"], call["body"]["RVSE_CNCL_DVSN_CD"]) == ("Y", "02")
