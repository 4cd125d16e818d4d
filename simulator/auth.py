"""Access tokens and approval keys."""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from random import Random

from simulator.clock import KST
from simulator.keys import Customer
from simulator.scenario import Scenario


@dataclass(slots=True)
class Token:
    """One issued token; times are Unix seconds."""

    text: str
    issued: float
    expires: float


class TooSoon(Exception):
    """A token was asked for again within the minute (EGW00133)."""


class Desk:
    """Issues and checks what a customer authenticates with."""

    def __init__(self, customers: list[Customer], scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.by_key = {one.app_key: one for one in customers}
        self._random = Random(seed ^ 0x51)
        self._tokens: dict[str, Token] = {}  # app key → newest token
        self._known: dict[str, tuple[str, Token]] = {}  # token text → app key, token
        self._asked: dict[str, float] = {}
        self._approvals: dict[str, tuple[Customer, float]] = {}
        self.tokens_issued = {one.label: 0 for one in customers}
        self.approvals_issued = {one.label: 0 for one in customers}

    def customer(self, app_key: object, secret: object) -> Customer | None:
        """The customer of this pair, None when it is not one."""
        found = self.by_key.get(str(app_key))
        return found if found and found.app_secret == secret else None

    def token(self, customer: Customer) -> Token:
        """The token of this customer, the same one for six hours. Raises TooSoon."""
        now = time.time()
        if now - self._asked.get(customer.app_key, 0.0) < self.scenario.token_gap_s:
            raise TooSoon
        self._asked[customer.app_key] = now
        token = self._tokens.get(customer.app_key)
        usable = token and now < token.expires and now - token.issued < self.scenario.token_same_s
        if token is None or not usable:
            token = Token(self._text(now), now, now + self.scenario.token_life_s)
            self._tokens[customer.app_key] = token
            self._known[token.text] = (customer.app_key, token)
        self.tokens_issued[customer.label] += 1
        return token

    def _text(self, now: float) -> str:
        claims = {"sub": "token", "iss": "unogw", "exp": int(now) + 86_400, "jti": self._hex(16)}
        parts = ({"typ": "JWT", "alg": "HS512"}, claims)
        head = ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode() for p in parts)
        return head.replace("=", "") + "." + self._hex(43)

    def _hex(self, size: int) -> str:
        return self._random.randbytes(size).hex()

    def fault_of(self, app_key: str, authorization: str) -> str:
        """msg_cd of what is wrong with an Authorization header, "" when nothing is."""
        if not authorization:
            return "EGW00122"
        kind, _, text = authorization.partition(" ")
        if kind != "Bearer":
            return "EGW00205"
        owner, token = self._known.get(text, ("", None))
        if token is None or owner != app_key:
            return "EGW00121"
        return "EGW00123" if time.time() >= token.expires else ""

    def expire(self) -> None:
        """Every token is expired from now on; a new one may be asked for at once."""
        for _, token in self._known.values():
            token.expires = 0.0
        self._asked.clear()

    def revoke(self, text: str) -> bool:
        """Take a token back; it is then unknown."""
        owner, token = self._known.pop(text, ("", None))
        if token is not None and self._tokens.get(owner) is token:
            del self._tokens[owner]
        return token is not None

    def approve(self, customer: Customer) -> str:
        """A new approval key for the websocket, valid for a day."""
        key = str(uuid.UUID(bytes=self._random.randbytes(16), version=4))
        self._approvals[key] = (customer, time.time() + 86_400)
        self.approvals_issued[customer.label] += 1
        return key

    def approved(self, key: object) -> Customer | None:
        """Who an approval key was issued to."""
        customer, expires = self._approvals.get(str(key), (None, 0.0))
        return customer if customer and time.time() < expires else None


def expiry_text(token: Token) -> str:
    """access_token_token_expired: Korean time without a zone."""
    return datetime.fromtimestamp(token.expires, KST).strftime("%Y-%m-%d %H:%M:%S")
