"""A customer of the simulated broker, speaking through requests and websocket-client."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import websocket
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from simulator.testing import RunningSimulator, simulator_in_thread, wait_for

TRADING = "/uapi/domestic-stock/v1/trading"
QUOTES = "/uapi/domestic-stock/v1/quotations"


def unsealed(frame: str, key: str, iv: str) -> list[str]:
    """Fields of an encrypted notice."""
    cipher = Cipher(algorithms.AES(key.encode()), modes.CBC(iv.encode())).decryptor()
    padded = cipher.update(base64.b64decode(frame.split("|", 3)[3])) + cipher.finalize()
    remover = PKCS7(128).unpadder()
    return (remover.update(padded) + remover.finalize()).decode().split("^")


class Feed:
    """One websocket connection."""

    def __init__(self, url: str, approval_key: str, path: str = "/tryitout") -> None:
        self.socket = websocket.create_connection(url + path, timeout=5, skip_utf8_validation=True)
        self.approval_key = approval_key
        self.seal: tuple[str, str] = ("", "")

    def ask(self, tr_id: str, tr_key: str, tr_type: str = "1", **header: Any) -> None:
        head = {
            "approval_key": self.approval_key,
            "custtype": "P",
            "tr_type": tr_type,
            "content-type": "utf-8",
        }
        body = {"input": {"tr_id": tr_id, "tr_key": tr_key}}
        self.socket.send(json.dumps({"header": head | header, "body": body}))

    def register(self, tr_id: str, tr_key: str, tr_type: str = "1") -> dict[str, Any]:
        """Ask, and the ack that comes for it; data may come in between."""
        self.ask(tr_id, tr_key, tr_type)
        return self.ack()

    def ack(self) -> dict[str, Any]:
        while True:
            text = self.next()
            if text.startswith("{") and "PINGPONG" not in text:
                message = json.loads(text)
                output = message["body"].get("output")
                if output and message["header"]["tr_id"].startswith("H0STCNI"):
                    self.seal = (output["key"], output["iv"])
                return message

    def next(self) -> str:
        data = self.socket.recv()
        return data if isinstance(data, str) else data.decode("utf-8", "replace")

    def frames(self, count: int, prefix: str = "0|") -> list[str]:
        """The next `count` data frames that begin so."""
        found: list[str] = []
        while len(found) < count:
            text = self.next()
            if text.startswith(prefix):
                found.append(text)
        return found

    def notices(self, count: int) -> list[list[str]]:
        return [unsealed(frame, *self.seal) for frame in self.frames(count, "1|")]

    def close(self) -> None:
        self.socket.close()


class Client:
    """One app key of the broker."""

    def __init__(self, simulator: RunningSimulator, number: int = 1) -> None:
        self.simulator = simulator
        self.me = simulator.customers[number - 1]
        self.session = requests.Session()
        self.feeds: list[Feed] = []
        self.token = ""

    def issue(self) -> requests.Response:
        body = {"appkey": self.me.app_key, "appsecret": self.me.app_secret}
        body["grant_type"] = "client_credentials"
        return self.session.post(self.simulator.rest_url + "/oauth2/tokenP", json=body, timeout=5)

    def headers(self, tr_id: str, tr_cont: str = "") -> dict[str, str]:
        if not self.token:
            self.token = self.issue().json()["access_token"]
        return {
            "authorization": f"Bearer {self.token}",
            "appkey": self.me.app_key,
            "appsecret": self.me.app_secret,
            "tr_id": tr_id,
            "tr_cont": tr_cont,
            "custtype": "P",
        }

    @property
    def account(self) -> dict[str, str]:
        return {"CANO": self.me.account[:8], "ACNT_PRDT_CD": self.me.account[8:]}

    def get(self, path: str, tr_id: str, tr_cont: str = "", **params: str) -> requests.Response:
        return self.session.get(
            self.simulator.rest_url + path,
            params=params,
            headers=self.headers(tr_id, tr_cont),
            timeout=5,
        )

    def ledger(self, name: str, tr_id: str, tr_cont: str = "", **params: str) -> requests.Response:
        return self.get(f"{TRADING}/{name}", tr_id, tr_cont, **self.account, **params)

    def post(self, path: str, tr_id: str, body: dict[str, str]) -> requests.Response:
        return self.session.post(
            self.simulator.rest_url + path, json=body, headers=self.headers(tr_id), timeout=5
        )

    def order(
        self, side: str, symbol: str, quantity: int, price: int = 0, kind: str = "", **more: str
    ) -> dict[str, Any]:
        kind = kind or ("00" if price else "01")
        body = self.account | {"PDNO": symbol, "ORD_DVSN": kind, "ORD_QTY": str(quantity)}
        body |= {"ORD_UNPR": str(price)} | more
        tr_id = "TTTC0012U" if side == "BUY" else "TTTC0011U"
        answer: dict[str, Any] = self.post(f"{TRADING}/order-cash", tr_id, body).json()
        return answer

    def change(self, odno: str, what: str, quantity: int = 0, price: int = 0) -> dict[str, Any]:
        body = self.account | {"KRX_FWDG_ORD_ORGNO": "91252", "ORGN_ODNO": odno, "ORD_DVSN": "00"}
        body |= {"RVSE_CNCL_DVSN_CD": what, "ORD_QTY": str(quantity), "ORD_UNPR": str(price)}
        body |= {"QTY_ALL_ORD_YN": "N" if quantity else "Y"}
        answer: dict[str, Any] = self.post(f"{TRADING}/order-rvsecncl", "TTTC0013U", body).json()
        return answer

    def executions(self, **params: str) -> list[dict[str, str]]:
        asked = {"INQR_STRT_DT": "20000101", "INQR_END_DT": "20991231", "CCLD_DVSN": "00"}
        answer = self.ledger("inquire-daily-ccld", "TTTC0081R", **(asked | params))
        rows: list[dict[str, str]] = answer.json()["output1"]
        return rows

    def approve(self) -> str:
        body = {"appkey": self.me.app_key, "secretkey": self.me.app_secret}
        body["grant_type"] = "client_credentials"
        url = self.simulator.rest_url + "/oauth2/Approval"
        key: str = self.session.post(url, json=body, timeout=5).json()["approval_key"]
        return key

    def feed(self, *symbols: str, notices: bool = False, path: str = "/tryitout") -> Feed:
        """A connection with these registrations."""
        feed = Feed(self.simulator.ws_url, self.approve(), path)
        self.feeds.append(feed)
        if notices:
            assert feed.register("H0STCNI0", "stockd1")["body"]["rt_cd"] == "0"
        for symbol in symbols:
            assert feed.register("H0STCNT0", symbol)["body"]["rt_cd"] == "0"
        return feed

    def close(self) -> None:
        for feed in self.feeds:
            feed.close()
        self.session.close()


@pytest.fixture
def broker() -> Iterator[Callable[..., Client]]:
    """Start a simulator with these knobs; the client of its first app key."""
    open_ones: list[Any] = []

    def start(scenario: str = "calm", **options: Any) -> Client:
        patient = {"ceiling": 1000, "ledger_per_s": 0}
        manager = simulator_in_thread(scenario, **(patient | options))
        client = Client(manager.__enter__())
        open_ones.append((manager, client))
        return client

    yield start
    for manager, client in reversed(open_ones):
        client.close()
        manager.__exit__(None, None, None)


@pytest.fixture
def client_of() -> Iterator[Callable[[RunningSimulator, int], Client]]:
    """Another app key of a running simulator."""
    made: list[Client] = []

    def make(simulator: RunningSimulator, number: int) -> Client:
        made.append(Client(simulator, number))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait until a condition is true."""
    return wait_for
