"""The REST gateway: counts each arrival, checks who calls, answers in the broker's envelope."""

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.account import Account
from simulator.journal import stamp
from simulator.keys import Customer
from simulator.world import World

GATEWAY_TEXT = {
    "EGW00002": "서버 에러가 발생했습니다.",
    "EGW00101": "잘못된 요청입니다.",
    "EGW00102": "AppKey는 필수입니다.",
    "EGW00103": "유효하지 않은 AppKey입니다.",
    "EGW00105": "유효하지 않은 AppSecret입니다.",
    "EGW00121": "유효하지 않은 token 입니다.",
    "EGW00122": "token을 찾을 수 없습니다.",
    "EGW00123": "기간이 만료된 token 입니다.",
    "EGW00201": "초당 거래건수를 초과하였습니다.",
    "EGW00205": "credentials_type이 유효하지 않습니다.(Bearer)",
    "EGW00208": "고객타입(custtype)이 유효하지 않습니다.",
    "EGW00215": "원장에서 허용 가능한 초당 거래건수를 초과하였습니다.",
    "EGW00301": "연결시간이 초과 되었습니다. 직전 거래를 반드시 확인하세요.",
    "EGW00310": "유효하지 않은 TR-ID입니다.",
    "EGW02006": "모의투자 TR 이 아닙니다.",
}


@dataclass(slots=True)
class Reply:
    """An answer: HTTP status, body (dict as JSON, or text as it is), tr_cont of the header."""

    status: int
    body: dict[str, Any] | str
    tr_cont: str = ""

    @property
    def msg_cd(self) -> str:
        """The broker's code in it, "" for plain text."""
        if isinstance(self.body, str):
            return ""
        return str(self.body.get("msg_cd") or self.body.get("error_code") or "")


class LostReply(Exception):
    """The call was carried out, its answer does not arrive. `how`: close or hang."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


@dataclass(slots=True)
class Call:
    """A REST call whose sender is known. `params`: query or body with upper-case names."""

    customer: Customer
    account: Account
    tr_id: str
    variant: str  # what the tr_id means for this path, e.g. "buy"
    params: dict[str, str]
    next_page: bool
    mono: float
    wall: float


Handler = Callable[[World, Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path of the broker. `trs`: real tr_id → variant; `kind`: quote, ledger or order."""

    method: str
    path: str
    trs: dict[str, str]
    kind: str
    handler: Handler
    in_paper: bool = True
    needs_account: bool = True


def gateway_error(msg_cd: str) -> Reply:
    """The gateway's own refusal: HTTP 500 with a readable envelope."""
    return Reply(500, {"rt_cd": "1", "msg_cd": msg_cd, "msg1": GATEWAY_TEXT[msg_cd]})


def done(data: dict[str, Any], msg_cd: str, msg1: str, tr_cont: str = "") -> Reply:
    """A success; msg1 is padded to 80 as the broker's is."""
    return Reply(200, data | {"rt_cd": "0", "msg_cd": msg_cd, "msg1": f"{msg1:<80}"}, tr_cont)


def paper_tr(tr_id: str) -> str:
    """The tr_id of paper trading: V instead of T, J or C; quotes keep theirs."""
    return "V" + tr_id[1:] if tr_id[0] in "TJC" else tr_id


class Gateway:
    """Serves endpoints over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def route(self, endpoint: Endpoint) -> web.RouteDef:
        """The aiohttp route of an endpoint."""

        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(request, endpoint)

        return web.route(endpoint.method, endpoint.path, serve)

    async def _serve(self, request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
        arrived = stamp()
        tr_id = request.headers.get("tr_id", "")
        customer = self.world.desk.by_key.get(request.headers.get("appkey", ""))
        line: dict[str, Any] = arrived | {
            "key": customer.label if customer else "unknown",
            "path": endpoint.path,
            "tr_id": tr_id,
        }
        try:
            reply = await self._answer(request, endpoint, customer, arrived)
        except LostReply as lost:
            self.world.counters.lost_replies += 1
            self.world.journal.call(line | {"status": 0, "msg_cd": "", "lost": lost.how})
            if lost.how == "hang":
                await asyncio.sleep(120)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        self.world.journal.call(line | {"status": reply.status, "msg_cd": reply.msg_cd})
        return respond(reply, tr_id)

    async def _answer(
        self,
        request: web.Request,
        endpoint: Endpoint,
        customer: Customer | None,
        arrived: dict[str, float],
    ) -> Reply:
        world, now = self.world, arrived["mono"]
        if customer is None:
            return gateway_error("EGW00103" if "appkey" in request.headers else "EGW00102")
        refused = self._metered(customer, endpoint, now)
        if refused:
            world.counters.refuse(refused)
            return gateway_error(refused)
        fault = self._identity_fault(request, customer)
        if fault:
            return gateway_error(fault)
        params = await _params(request)
        if params is None:
            return gateway_error("EGW00101")
        tr_id = request.headers.get("tr_id", "")
        variant = self._variant(endpoint, tr_id)
        if variant.startswith("EGW"):
            return gateway_error(variant)
        number = params.get("CANO", "") + params.get("ACNT_PRDT_CD", "")
        if endpoint.needs_account and number != customer.account:
            text = "ERROR : INPUT INVALID_CHECK_ACNO"
            return Reply(200, {"rt_cd": "2", "msg_cd": "OPSQ2000", "msg1": text})
        call = Call(
            customer,
            world.accounts[customer.account],
            tr_id,
            variant,
            params,
            request.headers.get("tr_cont", "") == "N",
            now,
            arrived["wall"],
        )
        if endpoint.kind != "order":
            spoilt = await self._spoil()
            if spoilt:
                return spoilt
        reply = await endpoint.handler(world, call)
        if reply.msg_cd and reply.body["rt_cd"] != "0":  # type: ignore[index]
            world.counters.refuse(reply.msg_cd)
        return reply

    def _metered(self, customer: Customer, endpoint: Endpoint, now: float) -> str:
        """msg_cd when this arrival is one too many, else ""."""
        counters, knobs = self.world.counters, self.world.scenario
        if not counters.windows[customer.label].admit(now, knobs.ceiling):
            return "EGW00201"
        if knobs.spurious_rate and self.world.dice.random() < knobs.spurious_rate:
            return "EGW00201"
        if endpoint.kind == "ledger":
            window = counters.ledgers[customer.account_label]
            if not window.admit(now, knobs.ledger_per_s):
                return "EGW00215"
        return ""

    def _identity_fault(self, request: web.Request, customer: Customer) -> str:
        headers = request.headers
        if headers.get("appsecret") != customer.app_secret:
            return "EGW00105"
        fault = self.world.desk.fault_of(customer.app_key, headers.get("authorization", ""))
        if fault:
            return fault
        return "" if headers.get("custtype", "P") in ("P", "B") else "EGW00208"

    def _variant(self, endpoint: Endpoint, tr_id: str) -> str:
        """What the tr_id asks for, or the EGW code that refuses it."""
        paper = self.world.scenario.environment == "paper"
        known = endpoint.trs
        if paper:
            if not endpoint.in_paper:
                return "EGW02006"
            known = {paper_tr(one): variant for one, variant in endpoint.trs.items()}
        if tr_id in known:
            return known[tr_id]
        return "EGW02006" if paper and tr_id in endpoint.trs else "EGW00310"

    async def _spoil(self) -> Reply | None:
        """The faults that any read may meet."""
        knobs, random = self.world.scenario, self.world.dice.random
        if knobs.slow and random() < knobs.slow:
            await asyncio.sleep(knobs.slow_s)
        if knobs.http_500 and random() < knobs.http_500:
            return Reply(500, "<html><body>500 Internal Server Error</body></html>")
        if knobs.broken_json and random() < knobs.broken_json:
            return Reply(200, '{"rt_cd":"0","msg_cd":"KIOK0510","output1":[{"pdno":"0059')
        return None


async def _params(request: web.Request) -> dict[str, str] | None:
    """Query (any case) or JSON body (upper case, every value a string); None when it is neither."""
    if request.method == "GET":
        return {name.upper(): value for name, value in request.query.items()}
    if request.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return None
    try:
        body = json.loads(await request.text())
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    if any(name != name.upper() or not isinstance(value, str) for name, value in body.items()):
        return None
    return body


def respond(reply: Reply, tr_id: str = "") -> web.Response:
    """The HTTP answer: tr_id, tr_cont and gt_uid in lower case, the other headers capitalised."""
    headers = {}
    if tr_id:
        uid = f"{time.time_ns():x}{uuid.uuid4().hex}"[:32]
        headers = {"tr_id": tr_id, "tr_cont": reply.tr_cont, "gt_uid": uid}
    if isinstance(reply.body, str):
        kind = "text/html" if reply.body.startswith("<") else "application/json"
        return web.Response(status=reply.status, text=reply.body, content_type=kind)
    text = json.dumps(reply.body, ensure_ascii=False)
    return web.Response(
        status=reply.status, text=text, content_type="application/json", headers=headers
    )
