"""Access token (접근토큰) and websocket approval key (접속키): one of each for all processes.

Sources: fact sheet rest/oauth2-tokenP.json, rest/oauth2-Approval.json, README §2.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

import requests
import structlog

from kis.endpoints import APPROVAL, TOKEN, Endpoint
from kis.envelope import error_of, read_object
from kis.gate import CallGate, Permit
from kis.http import exchange, new_session
from kis.keys import KisKey
from trading.clock import KST
from trading.errors import OutsideError, Throttled, Unavailable

ACCESS, APPROVE = "access", "approval"
ISSUE_EVERY_S = 60.0  # EGW00133: one issue a minute (the notice of 2026-04-20 says one a second)
RENEW_BEFORE = timedelta(minutes=10)  # a token with less than this left is not started with
APPROVAL_LIVES = timedelta(hours=24)  # the answer names no end
# a token refused meanwhile costs an order one more call (docs/adr/0011)
CATCH_UP_EVERY_S = 1.0
LOCK_TIMEOUT_S = 20.0  # longer than one issue with its time-outs

log = structlog.get_logger(__name__)


class TokenStore(Protocol):
    """Tokens of all processes; the Redis one is plugged by runtime/. All raise Unavailable if gone.

    ``kind`` is ``"access"`` or ``"approval"``, ``key_id`` is ``KisKey.key_id``. ``value`` is a
    secret: it is stored, never logged. ``expires_at`` is aware KST.
    """

    def get(self, kind: str, key_id: str) -> tuple[str, datetime] | None: ...
    def put(self, kind: str, key_id: str, value: str, expires_at: datetime) -> None: ...
    def lock(self, kind: str, key_id: str, timeout: float) -> AbstractContextManager[Any]:
        """Single flight over all processes; waits up to ``timeout`` s, then raises Unavailable."""
        ...

    def claim_issue(self, kind: str, key_id: str, every_s: float) -> bool:
        """True at most once in ``every_s`` over all processes, even if the issue then fails."""
        ...


def _now() -> datetime:
    return datetime.now(KST)


class KisAuth:
    """Hands out the token and the approval key of one app key; asks KIS only when it must."""

    def __init__(
        self,
        key: KisKey,
        rest_url: str,
        store: TokenStore,
        gate: CallGate,
        *,
        http: requests.Session | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._key = key
        self._url = rest_url.rstrip("/")
        self._store = store
        self._gate = gate
        self._http = http or new_session()
        self._now = now
        self._seen: dict[str, tuple[str, datetime]] = {}
        self._ask_again: dict[str, float] = {}  # kind: monotonic; not with every call
        self._refused: dict[str, str] = {}  # kind: what KIS said no to, whatever its end says
        self._caught_up = -CATCH_UP_EVERY_S  # monotonic
        self._guard = threading.Lock()

    def token(self, until: datetime | None = None) -> str:
        """Access token valid for at least 10 more minutes, or past ``until`` (aware KST) if given.

        Raises Throttled (issued less than a minute ago), AuthError (key refused), Unavailable.
        """
        return self._fresh(ACCESS, until)

    def catch_up(self) -> str:
        """As ``token``, with the store read first, at most once a second: another process may have
        renewed it since.
        """
        now = time.monotonic()
        if now - self._caught_up > CATCH_UP_EVERY_S:
            self._look(ACCESS)
            self._caught_up = now
        return self.token()

    def forget(self, refused: str) -> None:
        """KIS refused this access token (EGW00121/123): nothing goes out with it any more, unless
        KIS, asked for another, gives the very same out again."""
        with self._guard:
            self._refused[ACCESS] = refused

    def approval_key(self, until: datetime | None = None) -> str:
        """Approval key of a new connection, the newest in the store, as ``token``: there are few,
        and the morning has renewed it since the last one.
        """
        with suppress(Unavailable):  # then the one this process knows
            self._look(APPROVE)
        return self._fresh(APPROVE, until)

    def renew(self, refused: str) -> str:
        """Another token than ``refused`` (EGW00121/123): the store is read before KIS is asked."""
        self.forget(refused)
        return self.token()

    def renew_approval(self, refused: str) -> str:
        """Another approval key than ``refused`` (OPSP0011)."""
        with self._guard:
            self._refused[APPROVE] = refused
        return self.approval_key()

    def _look(self, kind: str) -> None:
        with self._guard:
            held = self._store.get(kind, self._key.key_id)
            if held is not None and self._is_fresh(kind, held, None):
                self._seen[kind] = held

    def _is_fresh(self, kind: str, found: tuple[str, datetime], until: datetime | None) -> bool:
        if found[0] == self._refused.get(kind):
            return False
        return found[1] > (until or self._now() + RENEW_BEFORE)

    def _fresh(self, kind: str, until: datetime | None) -> str:
        with self._guard:
            held = self._seen.get(kind)
            if held is None or not self._is_fresh(kind, held, until):
                held = self._store.get(kind, self._key.key_id)
                if held is None or not self._is_fresh(kind, held, until):
                    held = self._issue_or_keep(kind, until, held)
                self._seen[kind] = held
            return held[0]

    def _issue_or_keep(
        self, kind: str, until: datetime | None, held: tuple[str, datetime] | None
    ) -> tuple[str, datetime]:
        """Another one; where none can be had, the one ``held`` until it ends: that its renewal
        fails is no reason to stop trading before.
        """
        if until is not None or held is None or not self._is_fresh(kind, held, self._now()):
            return self._issue_alone(kind, until)
        if time.monotonic() < self._ask_again.get(kind, 0.0):
            return held
        try:
            return self._issue_alone(kind, until)
        except OutsideError as error:
            self._ask_again[kind] = time.monotonic() + ISSUE_EVERY_S
            log.warning("not_renewed_yet", section=self._key.label, what=kind, error=str(error))
            return held

    def _issue_alone(self, kind: str, until: datetime | None) -> tuple[str, datetime]:
        """Issue under the shared lock, unless somebody else did meanwhile."""
        key_id = self._key.key_id
        with self._store.lock(kind, key_id, LOCK_TIMEOUT_S):
            found = self._store.get(kind, key_id)
            if found is not None and self._is_fresh(kind, found, until):
                return found
            endpoint = TOKEN if kind == ACCESS else APPROVAL
            # first the permit: one that does not come must not cost the minute's only question
            permit = self._gate.acquire(endpoint.lane, endpoint.permit_timeout)
            if not self._store.claim_issue(kind, key_id, ISSUE_EVERY_S):
                permit.done()
                raise Throttled(f"{kind} of {self._key.label}: asked for less than a minute ago")
            issued = self._issue_access(permit) if kind == ACCESS else self._issue_approval(permit)
            self._store.put(kind, key_id, *issued)
            self._refused.pop(kind, None)  # KIS's newest word
            return issued

    def _issue_access(self, permit: Permit) -> tuple[str, datetime]:
        body = self._post(TOKEN, "appsecret", permit)
        text = str(body.get("access_token_token_expired", ""))
        try:  # not expires_in: a token delivered again is older than "now"
            ends = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST)
        except ValueError:
            raise Unavailable(f"access_token_token_expired={text!r}: not a time") from None
        return self._secret_of(body, "access_token"), ends

    def _issue_approval(self, permit: Permit) -> tuple[str, datetime]:
        body = self._post(APPROVAL, "secretkey", permit)  # the app secret under another name
        return self._secret_of(body, "approval_key"), self._now() + APPROVAL_LIVES

    @staticmethod
    def _secret_of(body: dict[str, Any], name: str) -> str:
        value = body.get(name)
        if not isinstance(value, str) or not value:
            raise Unavailable(f"{name}: missing in the answer")
        return value

    def _post(self, endpoint: Endpoint, secret_name: str, permit: Permit) -> dict[str, Any]:
        sent = {
            "grant_type": "client_credentials",
            "appkey": self._key.app_key,
            secret_name: self._key.app_secret,
        }
        reply = exchange(self._http, endpoint, self._url, json=sent)
        permit.done()
        body = read_object(reply)
        code = str(body.get("error_code") or body.get("msg_cd") or "")
        if reply.status_code == 200 and not code:
            return body
        # error_description is the broker's own sentence; it has never been seen to repeat a secret,
        # but a body is not trusted with that: only the code is passed on.
        raise error_of(code, f"{endpoint.name} of {self._key.label}: HTTP {reply.status_code}")
