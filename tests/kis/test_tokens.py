"""Tokens: one for all, used to their end, and never shown."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from kis.account import KisAccount
from kis.auth import CATCH_UP_EVERY_S
from kis.quotes import KisQuotes
from tests.kis.door import (
    KEY,
    ORDER,
    SAMPLES,
    SECRETS,
    Door,
    answer,
    cut,
    cut_in_half,
    envelope,
    price_ok,
)
from trading.clock import KST
from trading.errors import AuthError, Throttled, Unavailable
from trading.orders import Accepted, Rejected


def test_eight_threads_fetch_one_token(door: Door):
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(door.auth.token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["planted-token-1"] * 8
    assert door.kis.tokens == 1


@pytest.mark.parametrize("code", ["EGW00121", "EGW00123"])
@pytest.mark.parametrize("status", [200, 500])
def test_a_refused_token_is_read_again_before_it_is_issued(door: Door, code: str, status: int):
    ends = datetime.now(KST) + timedelta(hours=3)
    door.store.held["access"] = ("planted-token-old", ends)
    assert door.auth.token() == "planted-token-old"
    door.store.held["access"] = ("planted-token-of-another-process", ends)
    door.kis.answers = [envelope(status, code), price_ok()]
    KisQuotes(door.rest).price("005930")
    assert door.kis.tokens == 0
    bearer = door.kis.calls()[1]["headers"]["authorization"]
    assert bearer == "Bearer planted-token-of-another-process"
    door.kis.answers = [envelope(status, code), price_ok()]
    KisQuotes(door.rest).price("005930")
    assert door.kis.tokens == 1, "nobody has another: now it is issued"


def test_the_next_order_goes_out_with_the_token_another_process_has_fetched(door: Door):
    ends = datetime.now(KST) + timedelta(hours=3)
    door.store.held["access"] = ("planted-token-old", ends)
    door.broker.prepare()
    door.store.held["access"] = ("planted-token-of-another-process", ends)
    door.kis.answers = [answer("order-cash-ok")]
    time.sleep(CATCH_UP_EVERY_S + 0.05)  # the store is not asked again within it
    door.broker.prepare()
    door.broker.place(ORDER)
    (call,) = door.kis.calls()
    assert call["headers"]["authorization"] == "Bearer planted-token-of-another-process"
    assert door.kis.tokens == 0


@pytest.mark.parametrize("code", ["EGW00121", "EGW00123"])
def test_a_token_that_cost_one_order_costs_no_second(door: Door, code: str):
    door.store.held["access"] = ("planted-token-old", datetime.now(KST) + timedelta(hours=3))
    door.kis.answers = [envelope(500, code), answer("order-cash-ok")]
    door.broker.prepare()
    refused = door.broker.place(ORDER)
    assert isinstance(refused, Rejected), "one call an order: whether again is the ledger's to say"
    assert refused.token_refused
    door.broker.prepare()
    assert isinstance(door.broker.place(ORDER), Accepted), "the next call has a new token"
    assert door.kis.tokens == 1


def test_a_refused_token_that_is_given_out_again_is_good_again(door: Door):
    """Asked again within six hours KIS gives the same one: its newest word counts."""
    ends = datetime.now(KST) + timedelta(hours=3)
    door.store.held["access"] = ("planted-token-old", ends)
    door.kis.token_answer = (
        200,
        {
            "access_token": "planted-token-old",
            "access_token_token_expired": ends.strftime("%Y-%m-%d %H:%M:%S"),
        },
    )
    door.kis.answers = [envelope(500, "EGW00123"), answer("order-cash-ok"), price_ok()]
    door.broker.prepare()
    assert isinstance(door.broker.place(ORDER), Rejected)
    door.broker.prepare()
    assert isinstance(door.broker.place(ORDER), Accepted)
    KisQuotes(door.rest).price("005930")
    assert len(door.kis.calls("tokenP")) == 1, "not asked for with every call from now on"


def test_not_twice_a_minute(door: Door):
    door.auth.token()
    with pytest.raises(Throttled):
        door.auth.renew("planted-token-1")
    assert door.kis.tokens == 1


def test_a_token_too_short_for_the_day_is_renewed_before_the_market_opens(door: Door):
    now = datetime.now(KST)
    door.store.held["access"] = ("planted-token-old", now + timedelta(hours=3))
    assert door.auth.token(until=now + timedelta(hours=2)) == "planted-token-old"
    assert door.auth.token(until=now + timedelta(hours=12)) == "planted-token-1"
    door.store.held["approval"] = ("planted-token-a", now + timedelta(minutes=5))
    assert door.auth.approval_key() == "planted-token-approval"
    assert door.kis.calls("Approval")[0]["body"]["secretkey"] == SECRETS[1]


def test_a_new_connection_has_the_approval_key_that_the_morning_fetched(door: Door):
    ends = datetime.now(KST) + timedelta(hours=3)
    door.store.held["approval"] = ("planted-token-yesterday", ends)
    assert door.auth.approval_key() == "planted-token-yesterday"
    door.store.held["approval"] = ("planted-token-today", ends)
    assert door.auth.approval_key() == "planted-token-today"
    assert door.kis.calls("Approval") == []


def test_a_token_that_cannot_be_renewed_yet_is_used_to_its_end(door: Door):
    """Its last ten minutes are there for this: KIS's token door may be down, the others are not."""
    held = ("planted-token-old", datetime.now(KST) + timedelta(minutes=5))
    door.store.held["access"] = held
    door.kis.token_answer = (500, {})
    door.kis.answers = [price_ok(), price_ok()]
    for _ in range(2):
        KisQuotes(door.rest).price("005930")
    bearers = {call["headers"]["authorization"] for call in door.kis.calls()}
    assert bearers == {"Bearer planted-token-old"}
    assert door.gate.taken.count(("spare", False)) == 1, "not asked for again with every call"
    with pytest.raises(Unavailable):  # the morning wants one for the whole day, and says so
        Door(door.kis).auth.token(until=datetime.now(KST) + timedelta(hours=12))


def test_a_token_that_was_refused_or_has_ended_is_not_used_whatever_else_fails(door: Door):
    door.kis.token_answer = (500, {})
    door.store.held["access"] = ("planted-token-old", datetime.now(KST) - timedelta(seconds=1))
    with pytest.raises(Unavailable):
        door.auth.token()
    other = Door(door.kis)
    other.store.held["access"] = ("planted-token-old", datetime.now(KST) + timedelta(minutes=5))
    other.auth.forget("planted-token-old")
    with pytest.raises(Unavailable):
        other.auth.token()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ((403, SAMPLES["tokenP-too-often"]["body"]), Throttled),
        ((403, {"error_code": "EGW00103", "error_description": "x"}), AuthError),
        ((403, {}), Unavailable),
        (
            (200, {"access_token": "planted-token", "access_token_token_expired": "soon"}),
            Unavailable,
        ),
        ((200, {"access_token_token_expired": "2026-09-12 08:30:15"}), Unavailable),
    ],
)
def test_each_way_a_token_is_not_given(door: Door, reply: Any, error: type[Exception]):
    door.kis.token_answer = reply
    with pytest.raises(error) as caught:
        door.auth.token()
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_no_secret_in_any_error_repr_or_log(door: Door, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    parrot = {"rt_cd": "1", "msg_cd": "XX", "msg1": f"{SECRETS[0]} {SECRETS[1]} 87654321"}
    replies = [cut, cut_in_half, (200, parrot, {}), (500, parrot, {}), (502, b"x", {})]
    said = [repr(KEY), str(KEY), repr(door.rest), repr(door.auth), KEY.key_id]
    for reply in replies:
        for act in (
            lambda: KisAccount(door.rest).holdings(),
            lambda: KisQuotes(door.rest).price("005930"),
        ):
            door.kis.answers = [reply] * 9
            with pytest.raises(Exception) as caught:  # noqa: PT011  whatever it is
                act()
            error: BaseException | None = caught.value
            while error is not None:
                said.append(repr(error))
                error = error.__cause__
        door.kis.answers = [reply]
        said.append(repr(door.broker.place(ORDER)))
    said.append(caplog.text)
    for secret in SECRETS:
        assert not any(secret in text for text in said), secret
