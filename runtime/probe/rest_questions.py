"""Questions over REST: read-only, each call through its lane like any other (fact sheet §9)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import requests

from kis.endpoints import BALANCE, DAILY_CCLD, MULTPRICE, PRICE, Endpoint
from kis.keys import Env
from kis.rest import KisRest
from runtime.probe.answers import Answer, compared, unknown
from trading.errors import BadInput, StockdError

RATE_S = 3.0  # of calls as fast as the lanes let them
LEDGER_CALLS = 4
NO_SUCH = "999999"
DAY_ASKS = {
    "SLL_BUY_DVSN_CD": "00", "PDNO": "", "CCLD_DVSN": "00", "INQR_DVSN": "00", "INQR_DVSN_3": "00",
    "ORD_GNO_BRNO": "", "ODNO": "", "INQR_DVSN_1": "", "EXCG_ID_DVSN_CD": "KRX",
    "CTX_AREA_FK100": "", "CTX_AREA_NK100": "",
}  # fmt: skip
BALANCE_ASKS = {
    "AFHR_FLPR_YN": "N", "OFL_YN": "", "INQR_DVSN": "02", "UNPR_DVSN": "01",
    "FUND_STTL_ICLD_YN": "N", "FNCG_AMT_AUTO_RDPT_YN": "N", "PRCS_DVSN": "00",
    "CTX_AREA_FK100": "", "CTX_AREA_NK100": "",
}  # fmt: skip


def ask_rest(rest: KisRest, ceiling: int, symbol: str, today: date) -> Iterator[Answer]:
    """Every REST question in turn; one that fails is an answer too."""
    for question in (_rate, _ledger, _balance, _empty_day, _refusal, _multprice):
        try:
            yield question(rest, ceiling, symbol, today)
        except StockdError as error:
            yield unknown(question.__doc__ or "", "", f"{type(error).__name__}: {error}")


def words_of(reply: requests.Response) -> str:
    """How an answer looks: HTTP status, rt_cd, msg_cd. Nothing of its data."""
    body = _body(reply)
    return (
        f"HTTP {reply.status_code} rt_cd {body.get('rt_cd')!s} {body.get('msg_cd', '')!s}".strip()
    )


def _rate(rest: KisRest, ceiling: int, symbol: str, today: date) -> Answer:
    """초당 호출 한도에 걸리는가"""
    ends = time.monotonic() + RATE_S
    seen: Counter[str] = Counter()

    def calls() -> None:
        while time.monotonic() < ends:
            reply = rest.ask_once(PRICE, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol})
            seen[str(_body(reply).get("msg_cd", ""))] += 1

    with ThreadPoolExecutor(min(4, ceiling)) as pool:
        for one in [pool.submit(calls) for _ in range(min(4, ceiling))]:
            one.result()
    refused, total = seen["EGW00201"], sum(seen.values())
    share = refused / total if total else 0.0
    found = f"{total}콜 / {RATE_S:g}초, EGW00201 {refused}번 ({share:.1%})"
    change = "kis.margin 을 2 올리십시오 (또는 맞는 kis.profile)"
    return compared(
        "초당 호출 한도", f"초당 {ceiling}, 거절 3 % 아래", found, share <= 0.03, change
    )


def _ledger(rest: KisRest, ceiling: int, symbol: str, today: date) -> Answer:
    """원장 조회 간격"""
    replies = [rest.ask_once(BALANCE, rest.account() | BALANCE_ASKS) for _ in range(LEDGER_CALLS)]
    refused = sum(_body(one).get("msg_cd") == "EGW00215" for one in replies)
    found = f"{LEDGER_CALLS}번 중 EGW00215 {refused}번"
    change = "원장 간격이 늘었습니다: 공지를 보고 budget/lanes.py LEDGER_GAP_S 를 올리십시오"
    return compared("원장 조회 간격", "응답 뒤 1.05초면 받음", found, refused == 0, change)


def _balance(rest: KisRest, ceiling: int, symbol: str, today: date) -> Answer:
    """잔고의 모양"""
    reply = rest.ask_once(BALANCE, rest.account() | BALANCE_ASKS)
    body = _body(reply)
    shapes = f"output1 {_shape(body.get('output1'))}, output2 {_shape(body.get('output2'))}"
    same = isinstance(body.get("output2"), list) or body.get("msg_cd") == "KIOK0560"
    assumed = "output2 는 한 칸 배열; 빈 계좌는 KIOK0560 에 rt_cd 0 또는 7"
    found = f"{words_of(reply)}, {shapes}"
    return compared(
        "잔고의 모양", assumed, found, same, "kis/parse.py 를 고쳐야 합니다: 알려 주십시오"
    )


def _empty_day(rest: KisRest, ceiling: int, symbol: str, today: date) -> Answer:
    """빈 체결 목록의 모양"""
    sunday = (today - timedelta(days=(today.weekday() + 1) % 7 or 7)).strftime("%Y%m%d")
    asks = rest.account() | DAY_ASKS | {"INQR_STRT_DT": sunday, "INQR_END_DT": sunday}
    reply = rest.ask_once(DAILY_CCLD, asks)
    body = _body(reply)
    same = str(body.get("rt_cd")) == "0" or body.get("msg_cd") == "KIOK0560"
    found = f"{words_of(reply)}, output1 {_shape(body.get('output1'))}"
    return compared("빈 체결 목록", "빈 배열 또는 KIOK0560", found, same, "알려 주십시오")


def _refusal(rest: KisRest, ceiling: int, symbol: str, today: date) -> Answer:
    """없는 종목을 물었을 때"""
    asks = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": NO_SUCH}
    reply = rest.ask_once(PRICE, asks)
    body = _body(reply)
    same = reply.status_code in (200, 500) and "rt_cd" in body
    assumed = "HTTP 200 또는 500, 봉투에 rt_cd"
    return compared("거절의 모양", assumed, words_of(reply), same, "알려 주십시오")


def _multprice(rest: KisRest, ceiling: int, symbol: str, today: date) -> Answer:
    """30종목 시세에 없는 종목이 섞이면"""
    assumed = "없는 종목은 빠지거나 빈 줄로 옵니다"
    if not _exists(MULTPRICE, rest.env):
        return unknown("30종목 시세의 없는 종목", assumed, "모의투자에 없는 호출")
    asked = {}
    for number, code in enumerate((symbol, NO_SUCH), start=1):
        asked[f"FID_COND_MRKT_DIV_CODE_{number}"] = "J"
        asked[f"FID_INPUT_ISCD_{number}"] = code
    reply = rest.ask_once(MULTPRICE, asked)
    rows = _body(reply).get("output")
    codes = [str(one.get("inter_shrn_iscd", "")).strip() for one in rows or [] if one]
    same = isinstance(rows, list) and symbol in codes and NO_SUCH not in codes
    found = f"{words_of(reply)}, 온 줄 {len(codes)} ({', '.join(codes) or '없음'})"
    return compared(
        "30종목 시세의 없는 종목", assumed, found, same, "sweep.symbols 를 상장 종목만으로"
    )


def _exists(endpoint: Endpoint, env: Env) -> bool:
    return bool(endpoint.tr_id(env))


def _body(reply: requests.Response) -> dict[str, Any]:
    try:
        body = json.loads(reply.content)
    except ValueError:
        raise BadInput("body", f"HTTP {reply.status_code}", "not JSON") from None
    return {str(k).lower(): v for k, v in body.items()} if isinstance(body, dict) else {}


def _shape(value: Any) -> str:
    if isinstance(value, list):
        return f"배열 {len(value)}"
    return "없음" if value is None else type(value).__name__
