"""KisRest: the raw REST client of one app key. It mirrors the venue; parse.py makes our nouns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from kis.auth import KisAuth
from kis.endpoints import Endpoint
from kis.envelope import EMPTY, TOKEN_REFUSED, code_of, error_of, lower, read_object
from kis.gate import CallGate, Permit
from kis.http import exchange, new_session, open_connection
from kis.keys import Env, KisKey
from trading.errors import AuthError, BadInput, Refused, Transient, Unavailable

ATTEMPTS, PATIENCE_S = 4, 8.0  # of one read, all its pauses included; a cycle is 10 s
MAX_PAGES = 40
MORE_PAGES = frozenset({"M", "F"})  # header tr_cont; D, E or blank: the last page
IDLE_MAX_S = 5.0  # an order does not trust a connection that idled longer


@dataclass(frozen=True, slots=True)
class Answer:
    """One good page: ``body`` with all keys in lower case, ``more`` as its tr_cont header says."""

    body: dict[str, Any]
    more: bool
    empty: bool  # the broker said KIOK0560 조회할 내용이 없습니다

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The array ``name``. BadInput if it is none; [] only when the broker said so."""
        value = self.body.get(name, [] if self.empty else None)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise BadInput(name, type(value).__name__, "an array of objects was expected")
        return value

    def one(self, name: str) -> dict[str, Any]:
        """The object ``name``, also where it comes as an array of exactly one. BadInput else."""
        value = self.body.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            raise BadInput(name, type(value).__name__, "one object was expected")
        return value


@dataclass(frozen=True, slots=True)
class Admission:
    """A token and a permit: everything a call needs before its first byte is written."""

    token: str
    permit: Permit


class KisRest:
    """REST calls of one app key: ``read``/``pages`` retry with an end, ``send`` never repeats."""

    def __init__(
        self,
        key: KisKey,
        env: Env,
        rest_url: str,
        auth: KisAuth,
        gate: CallGate,
        *,
        http: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.key = key
        self.env = env
        self._url = rest_url.rstrip("/")
        self._auth = auth
        self._gate = gate
        self._http = http or new_session()
        self._sleep = sleep
        self._last_exchange = 0.0  # monotonic

    def account(self) -> dict[str, str]:
        """CANO and ACNT_PRDT_CD, which every account call carries."""
        return {"CANO": self.key.cano, "ACNT_PRDT_CD": self.key.product}

    # -- reads ------------------------------------------------------------------------------

    def read(
        self, endpoint: Endpoint, params: dict[str, str], *, next_page: bool = False
    ) -> Answer:
        """One page. Raises Throttled, Unavailable, AuthError, Refused (with code), BadInput."""
        for attempt in Retrying(
            retry=retry_if_exception_type(Transient),
            wait=wait_random_exponential(multiplier=0.25, max=2.0),
            stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(PATIENCE_S),
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                return self._read_renewing(endpoint, params, next_page)
        raise AssertionError("tenacity ends with an answer or an error")

    def pages(
        self, endpoint: Endpoint, params: dict[str, str], max_pages: int = MAX_PAGES
    ) -> Iterator[Answer]:
        """All pages in order; each is a call of its own for the budget. Errors as ``read``.

        A cursor that comes twice, or more than ``max_pages``, is Unavailable: never an endless
        loop, never a quiet part of a list.
        """
        upper_fk, upper_nk = endpoint.cursor
        asked = {**params, upper_fk: "", upper_nk: ""}
        seen: set[tuple[str, str]] = set()
        for number in range(max_pages):
            answer = self.read(endpoint, asked, next_page=number > 0)
            yield answer
            if not answer.more:
                return
            cursor = (
                str(answer.body.get(upper_fk.lower(), "")),
                str(answer.body.get(upper_nk.lower(), "")),
            )
            if cursor in seen:
                raise Unavailable(f"{endpoint.name}: the same page cursor came twice")
            seen.add(cursor)
            asked = {**params, upper_fk: cursor[0], upper_nk: cursor[1]}
        raise Unavailable(f"{endpoint.name}: more than {max_pages} pages")

    def _read_renewing(self, endpoint: Endpoint, params: dict[str, str], next_page: bool) -> Answer:
        admitted = self.admit(endpoint)
        try:
            return self._read_once(endpoint, params, next_page, admitted)
        except AuthError as error:
            if error.code not in TOKEN_REFUSED:
                raise
            self._auth.renew(admitted.token)
        return self._read_once(endpoint, params, next_page, self.admit(endpoint))

    def _read_once(
        self, endpoint: Endpoint, params: dict[str, str], next_page: bool, admitted: Admission
    ) -> Answer:
        reply = self._exchange(endpoint, admitted, next_page, params=params)
        body = lower(read_object(reply))
        rt_cd, code, text = code_of(body)
        empty = code == EMPTY and rt_cd in ("0", "7")
        if rt_cd == "":
            raise Unavailable(f"{endpoint.name}: HTTP {reply.status_code} without an envelope")
        if rt_cd != "0" and not empty:
            raise error_of(code, f"{endpoint.name}: {self.safe(text)}")
        if reply.status_code != 200 and not empty:
            raise Unavailable(f"{endpoint.name}: HTTP {reply.status_code} with rt_cd 0", code)
        more = reply.headers.get("tr_cont", "").strip() in MORE_PAGES and not empty
        return Answer(body, more, empty)

    def ask_once(self, endpoint: Endpoint, params: dict[str, str]) -> requests.Response:
        """One GET as it came back, whatever it says, never repeated: for `stockd probe`.

        BadInput for anything but a read. Errors as ``admit``; Unavailable without an answer.
        """
        if endpoint.method != "GET":
            raise BadInput("endpoint", endpoint.name, "a probe only reads")
        return self._exchange(endpoint, self.admit(endpoint), False, params=params)

    # -- orders -----------------------------------------------------------------------------

    def catch_up(self) -> None:
        """The newest token of all processes."""
        self._auth.catch_up()

    def prepare(self) -> None:
        """Token read and connection open, so that an order's one call waits for nothing."""
        self.catch_up()
        idle = time.monotonic() - self._last_exchange
        if open_connection(self._http, self._url, fresh=idle > IDLE_MAX_S):
            self._last_exchange = time.monotonic()

    def admit(self, endpoint: Endpoint) -> Admission:
        """Token, then permit. Raises before anything is written, so nothing has been sent."""
        if not endpoint.tr_id(self.env):
            raise Refused(f"{endpoint.name}: 모의투자에 없는 호출입니다", "EGW02006")
        token = self._auth.token()
        permit = self._gate.acquire(endpoint.lane, endpoint.permit_timeout, ledger=endpoint.ledger)
        return Admission(token, permit)

    def send(
        self, endpoint: Endpoint, body: dict[str, str], admitted: Admission
    ) -> requests.Response:
        """Exactly one HTTP call, no retry of any kind. Unavailable when no whole answer came."""
        return self._exchange(endpoint, admitted, False, body=body)

    def forget_token(self, admitted: Admission) -> None:
        """The token of that call was refused: the next call fetches another."""
        self._auth.forget(admitted.token)

    # -- both -------------------------------------------------------------------------------

    def _exchange(
        self,
        endpoint: Endpoint,
        admitted: Admission,
        next_page: bool,
        *,
        params: dict[str, str] | None = None,
        body: dict[str, str] | None = None,
    ) -> requests.Response:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {admitted.token}",
            "appkey": self.key.app_key,
            "appsecret": self.key.app_secret,
            "tr_id": endpoint.tr_id(self.env),
            "tr_cont": "N" if next_page else "",
            "custtype": "P",
        }
        reply = exchange(self._http, endpoint, self._url, headers=headers, params=params, json=body)
        self._last_exchange = time.monotonic()
        admitted.permit.done()
        return reply

    def safe(self, text: str) -> str:
        """The broker's sentence without our secrets, should it ever repeat one."""
        for secret in (self.key.app_key, self.key.app_secret, self.key.cano, self.key.hts_id):
            if secret:
                text = text.replace(secret, "***")
        return text
