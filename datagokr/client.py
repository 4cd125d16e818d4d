"""The client: paging, either form of the key, and the gateway's XML errors."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from datagokr.parse import DailyPrice, parse_row
from trading.errors import AuthError, BadInput, OutsideError, Refused, Throttled, Unavailable

PATH = "/1160100/service/GetStockSecuritiesInfoService/getStockPriceInfo"
ROWS = 1000  # a page; one day is three pages
ATTEMPTS = 5
TIMEOUT_S = (3.05, 30.0)  # this server is slow at times
MAX_PAGES = 20  # of one day
NO_DATA = "03"
BAD_SHARE = 0.01  # of a day's rows

_REASON = re.compile(r"<returnReasonCode>\s*(\d+)\s*</returnReasonCode>")
_MESSAGE = re.compile(r"<returnAuthMsg>\s*([A-Z_]+)\s*</returnAuthMsg>")
AGAIN = frozenset({"1", "4", "99"})  # APPLICATION_ERROR, HTTP_ERROR, UNKNOWN_ERROR
TOMORROW = "22"  # LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS: the day's quota is used up
KEY_REFUSED = frozenset({"20", "30", "31", "32"})


@dataclass(frozen=True, slots=True)
class DayRows:
    """One whole day; ``bad``: what could not be read, with stock, field and value."""

    rows: list[DailyPrice]
    bad: list[str]


class PublicData:
    """Daily prices of the whole market. ``service_key`` is either form the portal hands out."""

    def __init__(
        self,
        url: str,
        service_key: str,
        *,
        http: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/") + PATH
        # the "Encoding" form is percent-encoded already; the client below encodes exactly once
        self._key = unquote(service_key) if "%" in service_key else service_key
        self._http = http or requests.Session()
        self._http.trust_env = False
        self._sleep = sleep

    def day(self, day: date) -> DayRows:
        """Every stock of one day; none when there is nothing (holiday, or not published yet).

        A row that cannot be read costs itself alone; where more than ``BAD_SHARE`` are such, the
        format has changed and nothing is believed. Raises Unavailable (after some tries, or when
        the pages do not add up), Throttled (quota, try tomorrow), AuthError (key), Refused,
        BadInput (a row of another day, or too many that cannot be read).
        """
        raw = [row for page in self._pages(day) for row in page]
        rows: dict[str, DailyPrice] = {}
        bad: dict[str, BadInput] = {}
        for at, one in enumerate(raw):
            symbol = str(one.get("srtnCd") or f"row {at}")
            try:
                rows[symbol] = parse_row(one)
            except BadInput as error:
                bad[symbol] = error
        if len(rows) + len(bad) != len(raw):
            # the list moved between two pages: a stock came twice, so another did not come
            raise Unavailable(f"data.go.kr: {len(rows) + len(bad)} different of {len(raw)} rows")
        if len(bad) > BAD_SHARE * len(raw):
            raise next(iter(bad.values()))
        wrong = [row.symbol for row in rows.values() if row.day != day]
        if wrong:
            raise BadInput("basDt", wrong[0], f"a row of another day than {day}")
        return DayRows(list(rows.values()), [f"{name}: {error}" for name, error in bad.items()])

    def _pages(self, day: date) -> Iterator[list[dict[str, Any]]]:
        seen, first_total = 0, None
        for number in range(1, MAX_PAGES + 1):
            rows, total = self._page(day, number)
            first_total = total if first_total is None else first_total
            if total != first_total:
                raise Unavailable(f"data.go.kr: totalCount went from {first_total} to {total}")
            seen += len(rows)
            yield rows
            if seen >= total:
                return
            if not rows:
                raise Unavailable(f"data.go.kr: {seen} of {total} rows came")
        raise Unavailable(f"data.go.kr: more than {MAX_PAGES} pages")

    def _page(self, day: date, number: int) -> tuple[list[dict[str, Any]], int]:
        for attempt in Retrying(
            retry=retry_if_exception_type(Unavailable),
            wait=wait_random_exponential(multiplier=0.5, max=20.0),
            stop=stop_after_attempt(ATTEMPTS),
            sleep=self._sleep,
            reraise=True,
        ):
            with attempt:
                return self._ask(day, number)
        raise AssertionError("tenacity ends with an answer or an error")

    def _ask(self, day: date, number: int) -> tuple[list[dict[str, Any]], int]:
        asked = {
            "serviceKey": self._key,
            "resultType": "json",
            "numOfRows": str(ROWS),
            "pageNo": str(number),
            "basDt": day.strftime("%Y%m%d"),
        }
        try:
            reply = self._http.get(
                self._url, params=asked, timeout=TIMEOUT_S, allow_redirects=False
            )
        except (requests.RequestException, OSError) as error:
            # from None: the original carries the address, and the address carries the key
            raise Unavailable(f"data.go.kr: {type(error).__name__}") from None
        return read_page(reply.status_code, reply.content)


def read_page(status: int, content: bytes) -> tuple[list[dict[str, Any]], int]:
    """(rows, totalCount) of an answer. XML is an error whatever the status says."""
    text = content.decode("utf-8", "replace")
    if text.lstrip().startswith("<"):
        reason, message = _REASON.search(text), _MESSAGE.search(text)
        said = message.group(1) if message else f"HTTP {status}"
        if reason is None:
            raise _without_reason(status, said)
        raise error_of(reason.group(1), said)
    try:
        response = json.loads(text)["response"]
        code = str(response["header"]["resultCode"])
        if code == NO_DATA:
            return [], 0
        if code not in ("00", "0"):
            raise error_of(code.lstrip("0"), str(response["header"].get("resultMsg", ""))[:80])
        body = response["body"]
        total, items = int(body["totalCount"]), body["items"]
    except (ValueError, KeyError, TypeError):
        said = f"HTTP {status}, an answer that cannot be read"
        raise _without_reason(status, said) from None
    item = items.get("item", []) if isinstance(items, dict) else []  # "" when nothing matched
    rows = item if isinstance(item, list) else [item]
    if not all(isinstance(row, dict) for row in rows):
        raise Unavailable("data.go.kr: rows that are no objects")
    return rows, total


def _without_reason(status: int, said: str) -> OutsideError:
    """A gateway that names no reason: its HTTP status is all there is."""
    if status in (401, 403):
        return AuthError(f"data.go.kr: {said}")
    if status == 429:
        return Throttled(f"data.go.kr: {said}")
    return Unavailable(f"data.go.kr: {said}")


def error_of(code: str, said: str) -> OutsideError:
    """The class of one of the gateway's returnReasonCodes; "" is an answer without one."""
    if code in AGAIN or not code:
        return Unavailable(f"data.go.kr: {said}", code)
    if code == TOMORROW:
        return Throttled("data.go.kr: 오늘 호출 한도를 다 썼습니다. 내일 이어집니다", code)
    if code in KEY_REFUSED:
        return AuthError(f"data.go.kr: {said}", code)
    return Refused(f"data.go.kr: {said}", code)
