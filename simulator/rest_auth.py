"""/oauth2/tokenP, /oauth2/revokeP, /oauth2/Approval and /uapi/hashkey: flat bodies, no envelope."""

import hashlib
import json
from typing import Any

from aiohttp import web

from simulator.auth import TooSoon, expiry_text
from simulator.journal import stamp
from simulator.keys import Customer
from simulator.rest import Reply, respond
from simulator.world import World

_TOO_SOON = "접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)"


def _flat_error(msg_cd: str, text: str) -> Reply:
    return Reply(403, {"error_description": text, "error_code": msg_cd})


class AuthRoutes:
    """The calls a customer makes before it has a token."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[web.RouteDef]:
        """The aiohttp routes."""
        return [
            web.post("/oauth2/tokenP", self.token),
            web.post("/oauth2/revokeP", self.revoke),
            web.post("/oauth2/Approval", self.approval),
            web.post("/uapi/hashkey", self.hashkey),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """A Bearer token; the same one within six hours, refused within a minute."""
        return await self._serve(request, "appsecret", self._token)

    async def revoke(self, request: web.Request) -> web.Response:
        """Take a token back."""
        return await self._serve(request, "appsecret", self._revoke)

    async def approval(self, request: web.Request) -> web.Response:
        """A websocket key; here the secret is called secretkey."""
        return await self._serve(request, "secretkey", self._approval)

    async def hashkey(self, request: web.Request) -> web.Response:
        """The hash of an order body; orders are taken without it."""
        customer = self.world.desk.customer(
            request.headers.get("appkey"), request.headers.get("appsecret")
        )
        body = await _json(request)
        if customer is None or body is None:
            return respond(_flat_error("EGW00103", "유효하지 않은 AppKey입니다."))
        text = json.dumps(body, ensure_ascii=False, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return respond(Reply(200, {"BODY": body, "HASH": digest}))

    async def _serve(self, request: web.Request, secret_name: str, answer: Any) -> web.Response:
        arrived = stamp()
        body = await _json(request) or {}
        customer = self.world.desk.customer(body.get("appkey"), body.get(secret_name))
        if customer is None:
            known = str(body.get("appkey")) in self.world.desk.by_key
            code = "EGW00105" if known else "EGW00103"
            word = "AppSecret" if known else "AppKey"
            reply = _flat_error(code, f"유효하지 않은 {word}입니다.")
        else:
            reply = answer(customer, body)
        if reply.msg_cd:
            self.world.counters.refuse(reply.msg_cd)
        label = customer.label if customer else "unknown"
        line = arrived | {"key": label, "path": request.path, "tr_id": ""}
        self.world.journal.call(line | {"status": reply.status, "msg_cd": reply.msg_cd})
        return respond(reply)

    def _token(self, customer: Customer, body: dict[str, Any]) -> Reply:
        if body.get("grant_type") != "client_credentials":
            return _flat_error("EGW00116", "유효하지 않은 grant_type입니다.")
        try:
            token = self.world.desk.token(customer)
        except TooSoon:
            return _flat_error("EGW00133", _TOO_SOON)
        return Reply(
            200,
            {
                "access_token": token.text,
                "access_token_token_expired": expiry_text(token),
                "token_type": "Bearer",
                "expires_in": int(self.world.scenario.token_life_s),
            },
        )

    def _revoke(self, customer: Customer, body: dict[str, Any]) -> Reply:
        if not self.world.desk.revoke(str(body.get("token"))):
            return _flat_error("EGW00121", "유효하지 않은 token 입니다.")
        return Reply(200, {"code": 200, "message": "접근토큰 폐기에 성공하였습니다"})

    def _approval(self, customer: Customer, body: dict[str, Any]) -> Reply:
        if body.get("grant_type") != "client_credentials":
            return _flat_error("EGW00116", "유효하지 않은 grant_type입니다.")
        return Reply(200, {"approval_key": self.world.desk.approve(customer)})


async def _json(request: web.Request) -> dict[str, Any] | None:
    try:
        body = json.loads(await request.text())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
