"""A stand-in for data.go.kr's 금융위원회_주식시세정보, on the same port as the broker's REST."""

import json
from datetime import UTC, date, datetime
from random import Random
from typing import Any

from aiohttp import web

from simulator import trading_days
from simulator.journal import stamp
from simulator.keys import DATAGOKR_KEY
from simulator.price_steps import floor_to_step
from simulator.symbols import Listing, listings
from simulator.world import World

PATH = "/1160100/service/GetStockSecuritiesInfoService/getStockPriceInfo"
_ALL_STOCKS = 2_868
_REASONS = {
    "1": "APPLICATION_ERROR",
    "4": "HTTP_ERROR",
    "12": "NO_OPENAPI_SERVICE_ERROR",
    "20": "SERVICE_ACCESS_DENIED_ERROR",
    "22": "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR",
    "30": "SERVICE_KEY_IS_NOT_REGISTERED_ERROR",
    "31": "DEADLINE_HAS_EXPIRED_ERROR",
    "32": "UNREGISTERED_IP_ERROR",
    "99": "UNKNOWN_ERROR",
}


class PublicData:
    """Closing prices of every stock for every past trading day, the same whenever asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fail_with = ""  # a returnReasonCode: every call fails with it
        self.spoilt: dict[str, int] = {}  # YYYYMMDD: so many of its rows have no opening price
        self.shifted = ""  # YYYYMMDD: its list moves by a row between the first page and the second
        self._listed: list[Listing] = []
        self._days: dict[str, list[dict[str, str]]] = {}

    def routes(self) -> list[web.RouteDef]:
        """The aiohttp routes."""
        return [web.get(PATH, self.prices)]

    async def prices(self, request: web.Request) -> web.Response:
        """One page of rows; a wrong key gets XML whatever resultType asks for."""
        asked = request.query
        # aiohttp has decoded the query once: either form of the key, encoded exactly once, fits
        wrong_key = "" if asked.get("serviceKey") == DATAGOKR_KEY else "30"
        reason = self.fail_with or wrong_key
        line = stamp() | {"key": "datagokr", "path": PATH, "tr_id": "", "status": 200}
        self.world.journal.call(line | {"msg_cd": reason})
        if reason:
            return web.Response(text=_gateway_error(reason), content_type="text/xml")
        try:
            size, number = int(asked.get("numOfRows", "10")), int(asked.get("pageNo", "1"))
        except ValueError:
            return web.Response(text=_gateway_error("1"), content_type="text/xml")
        rows = self._chosen(dict(asked))
        for at in range(self.spoilt.get(asked.get("basDt", ""), 0)):
            rows[at] = rows[at] | {"mkp": ""}
        moved = int(self.shifted == asked.get("basDt") and number > 1)
        shown = rows[(number - 1) * size - moved : number * size - moved]
        body: dict[str, Any] = {"numOfRows": size, "pageNo": number, "totalCount": len(rows)}
        if asked.get("resultType") != "json":
            return web.Response(text=_xml(shown, body), content_type="text/xml")
        item: Any = shown[0] if len(shown) == 1 else shown
        body["items"] = {"item": item} if shown else ""
        header = {"resultCode": "00", "resultMsg": "NORMAL SERVICE."}
        text = json.dumps({"response": {"header": header, "body": body}}, ensure_ascii=False)
        return web.Response(text=text, content_type="application/json")

    def _chosen(self, asked: dict[str, str]) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for day in self._asked_days(asked):
            rows += self._day(day)
        for name, field in (("isinCd", "isinCd"), ("itmsNm", "itmsNm"), ("mrktCls", "mrktCtg")):
            if asked.get(name):
                rows = [row for row in rows if row[field] == asked[name]]
        for name, field in (("likeSrtnCd", "srtnCd"), ("likeItmsNm", "itmsNm")):
            if asked.get(name):
                rows = [row for row in rows if asked[name] in row[field]]
        return rows

    def _asked_days(self, asked: dict[str, str]) -> list[date]:
        """Trading days asked for, newest first; today's figures come a business day late."""
        newest = trading_days.last_open_before(self.world.clock.now().date())
        if asked.get("basDt"):
            day = _day_of(asked["basDt"])
            return [day] if day and day <= newest and trading_days.is_open(day) else []
        first = _day_of(asked.get("beginBasDt", "")) or newest
        end = _day_of(asked.get("endBasDt", ""))  # not included
        days: list[date] = []
        day = newest
        while day >= first and len(days) < 20:
            if end is None or day < end:
                days.append(day)
            day = trading_days.last_open_before(day)
        return days

    def _day(self, day: date) -> list[dict[str, str]]:
        text = day.strftime("%Y%m%d")
        if text not in self._days:
            if not self._listed:
                known = [stock.listing for stock in self.world.market.stocks.values()]
                codes = {one.code for one in known}
                more = [one for one in listings(_ALL_STOCKS, 1) if one.code not in codes]
                self._listed = (known + more)[: max(_ALL_STOCKS, len(known))]
            newest = trading_days.last_open_before(self.world.clock.now().date())
            self._days[text] = [_row(one, text, day == newest) for one in self._listed]
        return self._days[text]


def _row(one: Listing, day: str, newest: bool) -> dict[str, str]:
    """The day's figures; the newest day's close is the base of today's market."""
    rng = Random(f"{one.code}{day}")
    close = one.close if newest else floor_to_step(int(one.close * rng.uniform(0.9, 1.1)))
    before = floor_to_step(int(close * rng.uniform(0.97, 1.03)))
    high = floor_to_step(int(max(close, before) * rng.uniform(1.0, 1.02)))
    low = floor_to_step(int(min(close, before) * rng.uniform(0.98, 1.0)))
    volume = rng.randrange(1_000, 5_000_000)
    rate = f"{(close - before) * 100 / before:.2f}".replace("0.", ".", 1)
    return {
        "basDt": day,
        "srtnCd": one.code,
        "isinCd": f"KR7{one.code}00{rng.randrange(10)}"[:12],
        "itmsNm": one.name,
        "mrktCtg": one.market,
        "clpr": str(close),
        "vs": str(close - before),
        "fltRt": rate if abs(close - before) * 100 < before else f"{float(rate):.2f}",
        "mkp": str(before),
        "hipr": str(high),
        "lopr": str(low),
        "trqu": str(volume),
        "trPrc": str(volume * close),
        "lstgStCnt": str(one.shares),
        "mrktTotAmt": str(one.shares * close),
    }


def _day_of(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _gateway_error(reason: str) -> str:
    return (
        "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg>"
        f"<returnAuthMsg>{_REASONS.get(reason, 'UNKNOWN_ERROR')}</returnAuthMsg>"
        f"<returnReasonCode>{reason}</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>"
    )


def _xml(rows: list[dict[str, str]], body: dict[str, Any]) -> str:
    def tags(values: dict[str, Any]) -> str:
        return "".join(f"<{k}>{str(v).replace('&', '&amp;')}</{k}>" for k, v in values.items())

    items = "".join(f"<item>{tags(row)}</item>" for row in rows)
    return (
        "<response><header><resultCode>00</resultCode><resultMsg>NORMAL SERVICE.</resultMsg>"
        f"</header><body>{tags(body)}<items>{items}</items></body></response>"
    )
