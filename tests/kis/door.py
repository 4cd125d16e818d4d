"""The REST client of the tests and the real HTTP server that it talks to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kis.auth import KisAuth
from kis.broker import KisBroker
from kis.keys import Env, KisKey
from kis.rest import KisRest
from trading.clock import KST
from trading.fills import Side
from trading.orders import NewOrder, OrderKind

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


def price_ok() -> tuple[int, Any, dict[str, str]]:
    output = {
        "stck_prpr": "259500", "prdy_vrss": "-9500", "stck_oprc": "1", "stck_hgpr": "2",
        "stck_lwpr": "1", "stck_sdpr": "269000", "stck_mxpr": "349500", "stck_llam": "188500",
        "acml_vol": "10", "acml_tr_pbmn": "20", "STCK_SHRN_ISCD": "005930",
    }  # fmt: skip
    return 200, {"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "ok", "output": output}, {}


def balance_page(rows: list[dict[str, str]], more: bool, deposit: str = "100") -> Any:
    body = json.loads(json.dumps(SAMPLES["inquire-balance"]["body"]))
    template = body["output1"][0]
    body["output1"] = [{**template, **row} for row in rows]
    body["output2"][0]["dnca_tot_amt"] = deposit
    body["ctx_area_nk100"] = f"{len(rows)}-{rows[-1]['pdno']}".ljust(100)
    return 200, body, {"tr_cont": "M" if more else "D"}


def envelope(status: int, code: str, rt_cd: str = "1") -> tuple[int, Any, dict[str, str]]:
    return status, {"rt_cd": rt_cd, "msg_cd": code, "msg1": "아니오   "}, {}
