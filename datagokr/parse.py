"""One row of getStockPriceInfo as our nouns. Field list: fact sheet data-go-kr.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.clock import KST
from trading.errors import BadInput

MARKETS = frozenset({"KOSPI", "KOSDAQ", "KONEX"})


@dataclass(frozen=True, slots=True)
class DailyPrice:
    """One stock on one day. Prices and amounts in KRW; open, high, low are 0 when not traded."""

    day: date  # basDt 기준일자
    symbol: str  # srtnCd 단축코드
    isin: str  # isinCd
    name: str  # itmsNm 종목명
    market: str  # mrktCtg 시장구분
    open: int  # mkp 시가
    high: int  # hipr 고가
    low: int  # lopr 저가
    close: int  # clpr 종가
    price_change: int  # vs 전일 대비, signed
    change_rate: Decimal  # fltRt 등락률, %, signed; comes as ".5" or "-.5" too
    volume: int  # trqu 거래량
    turnover: int  # trPrc 거래대금
    listed_shares: int  # lstgStCnt 상장주식수
    market_cap: int  # mrktTotAmt 시가총액


def parse_row(row: Mapping[str, Any]) -> DailyPrice:
    """BadInput names the field that is missing or no number."""
    market = _text(row, "mrktCtg")
    if market not in MARKETS:
        raise BadInput("mrktCtg", market, f"one of {', '.join(sorted(MARKETS))}")
    return DailyPrice(
        day=parse_day(_text(row, "basDt")),
        symbol=_text(row, "srtnCd"),
        isin=str(row.get("isinCd") or ""),
        name=_text(row, "itmsNm"),
        market=market,
        open=_number(row, "mkp"),
        high=_number(row, "hipr"),
        low=_number(row, "lopr"),
        close=_number(row, "clpr"),
        price_change=_number(row, "vs"),
        change_rate=_ratio(row, "fltRt"),
        volume=_number(row, "trqu"),
        turnover=_number(row, "trPrc"),
        listed_shares=_number(row, "lstgStCnt"),
        market_cap=_number(row, "mrktTotAmt"),
    )


def parse_day(text: str) -> date:
    """YYYYMMDD."""
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=KST).date()
    except ValueError:
        raise BadInput("basDt", text, "YYYYMMDD expected") from None


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(name, value, "a text was expected")
    return value.strip()


def _number(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    try:
        return int(str(value))
    except ValueError:
        raise BadInput(name, value, "a whole number was expected") from None


def _ratio(row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name)
    try:
        ratio = Decimal(str(value))
    except InvalidOperation:
        raise BadInput(name, value, "a number was expected") from None
    if not ratio.is_finite():
        raise BadInput(name, value, "a number was expected")
    return ratio
