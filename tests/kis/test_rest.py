"""The REST side against a real HTTP server: envelopes, pages, tokens, and what an order's answer
proves."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from kis.account import KisAccount
from kis.auth import CATCH_UP_EVERY_S, KisAuth
from kis.broker import KisBroker
from kis.endpoints import ALL, BALANCE, PRICE, TOKEN, Lane
from kis.keys import Env, KisKey
from kis.order_codes import NEVER_REACHED, ORD_DVSN, VENUE_KINDS
from kis.quotes import KisQuotes
from kis.rest import KisRest
from trading.clock import KST
from trading.errors import AuthError, BadInput, Refused, Throttled, Transient, Unavailable
from trading.fills import Side
from trading.orders import Accepted, NewOrder, OrderKind, Rejected, Unknown, Venue

PAYLOADS = Path(__file__).parents[1] / "payloads"
SAMPLES = {r["id"]: r for r in json.loads((PAYLOADS / "rest_responses.json").read_text("utf-8"))}
SECRETS = ("PS-planted-appkey", "planted-appsecret", "87654321", "planted-hts", "planted-token")
KEY = KisKey("main", SECRETS[0], SECRETS[1], "87654321-01", SECRETS[3])
ORDER = NewOrder("005930", Side.BUY, OrderKind.LIMIT, 10, 70000)


class Kis(ThreadingHTTPServer):
    """Answers with what the test queued (status, body, headers), else by path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.seen: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        self.tokens = 0
        self.connections = 0
        self.token_answer: tuple[int, dict[str, Any]] | None = None

    def calls(self, word: str = "/uapi/") -> list[dict[str, Any]]:
        return [call for call in self.seen if word in call["path"]]

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def handle_error(self, *_: object) -> None: ...


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Kis

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, raw: bytes) -> None:
        kis, url = self.server, urlsplit(self.path)
        params = {k: v[0] for k, v in parse_qs(url.query, keep_blank_values=True).items()}
        kis.seen.append(
            {"path": url.path, "params": params, "body": json.loads(raw or b"{}"),
             "headers": {k.lower(): v for k, v in self.headers.items()}, "at": time.monotonic()}
        )  # fmt: skip
        if url.path == "/oauth2/tokenP":
            kis.tokens += 1
            ends = datetime.now(KST) + timedelta(hours=24)
            status, body = kis.token_answer or (
                200,
                {"access_token": f"planted-token-{kis.tokens}", "token_type": "Bearer",
                 "access_token_token_expired": f"{ends:%Y-%m-%d %H:%M:%S}", "expires_in": 86400},
            )  # fmt: skip
            return self._send(status, json.dumps(body).encode(), {})
        if url.path == "/oauth2/Approval":
            return self._send(200, b'{"approval_key": "planted-token-approval"}', {})
        answer = kis.answers.pop(0) if kis.answers else (404, {}, {})
        if callable(answer):
            return answer(self)
        status, body, headers = answer
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._send(status, data, headers)

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class Store:
    """A token store in memory, by the Protocol."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, datetime]] = {}
        self.may_issue = True
        self._lock = threading.Lock()
        self._issued: set[str] = set()

    def get(self, kind: str, key_id: str) -> tuple[str, datetime] | None:
        return self.held.get(kind)

    def put(self, kind: str, key_id: str, value: str, expires_at: datetime) -> None:
        self.held[kind] = (value, expires_at)

    @contextmanager
    def lock(self, kind: str, key_id: str, timeout: float) -> Iterator[None]:
        with self._lock:
            yield

    def claim_issue(self, kind: str, key_id: str, every_s: float) -> bool:
        fresh = kind not in self._issued
        self._issued.add(kind)
        return fresh and self.may_issue


class Gate:
    """Counts permits; by the Protocol."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bool]] = []
        self.back = 0
        self.error: Exception | None = None

    def acquire(self, lane: str, timeout: float, *, ledger: bool = False) -> Gate:
        if self.error:
            raise self.error
        self.taken.append((lane, ledger))
        return self

    def done(self) -> None:
        self.back += 1


class Door:
    """A client with everything it needs, and the server it talks to."""

    def __init__(self, kis: Kis, env: Env = Env.REAL) -> None:
        self.kis, self.store, self.gate = kis, Store(), Gate()
        self.auth = KisAuth(KEY, kis.url, self.store, self.gate)
        self.rest = KisRest(KEY, env, kis.url, self.auth, self.gate, sleep=lambda _: None)
        self.broker = KisBroker(self.rest)


@pytest.fixture
def kis() -> Iterator[Kis]:
    with Kis() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def door(kis: Kis) -> Door:
    return Door(kis)


def answer(sample: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
    row = SAMPLES[sample]
    return row["http"], row["body"], {**row.get("headers", {}), **headers}


def cut(handler: Handler) -> None:
    """The order was read, the answer never comes: the connection is dropped."""
    handler.connection.close()
    handler.close_connection = True


def cut_in_half(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b'{"rt_cd": "0"')
    handler.close_connection = True


def silence(handler: Handler) -> None:
    time.sleep(5)


# -- orders: three outcomes --------------------------------------------------------------------


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


def envelope(status: int, code: str, rt_cd: str = "1") -> tuple[int, Any, dict[str, str]]:
    return status, {"rt_cd": rt_cd, "msg_cd": code, "msg1": "아니오   "}, {}


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


# -- reads: retries with an end, pages -----------------------------------------------------------


def price_ok() -> tuple[int, Any, dict[str, str]]:
    output = {
        "stck_prpr": "259500", "prdy_vrss": "-9500", "stck_oprc": "1", "stck_hgpr": "2",
        "stck_lwpr": "1", "stck_sdpr": "269000", "stck_mxpr": "349500", "stck_llam": "188500",
        "acml_vol": "10", "acml_tr_pbmn": "20", "STCK_SHRN_ISCD": "005930",
    }  # fmt: skip
    return 200, {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "ok", "output": output}, {}


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


def balance_page(rows: list[dict[str, str]], more: bool, deposit: str = "100") -> Any:
    body = json.loads(json.dumps(SAMPLES["inquire-balance"]["body"]))
    template = body["output1"][0]
    body["output1"] = [{**template, **row} for row in rows]
    body["output2"][0]["dnca_tot_amt"] = deposit
    body["ctx_area_nk100"] = f"{len(rows)}-{rows[-1]['pdno']}".ljust(100)
    return 200, body, {"tr_cont": "M" if more else "D"}


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


def test_a_second_page_that_fails_is_no_shorter_account(door: Door):
    door.kis.answers = [balance_page([{"pdno": "000001"}], True), *[(500, b"", {})] * 9]
    with pytest.raises(Unavailable):
        KisAccount(door.rest).holdings()


def test_a_cursor_that_turns_in_a_circle_ends(door: Door):
    door.kis.answers = [balance_page([{"pdno": "000001"}], True)] * 9
    with pytest.raises(Unavailable, match="twice"):
        KisAccount(door.rest).holdings()
    assert len(door.kis.calls()) == 2


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


# -- tokens ---------------------------------------------------------------------------------------


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


# -- secrets --------------------------------------------------------------------------------------


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


def test_every_call_has_its_lane_and_its_time_outs():
    for endpoint in ALL:
        assert endpoint.lane in Lane
        assert 0 < sum(endpoint.timeout) < 8, "below the permits' hold"
    assert (PRICE.ledger, BALANCE.ledger, TOKEN.lane) == (False, True, Lane.SPARE)
