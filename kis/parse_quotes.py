"""Quotes, days of stocks and holidays over REST: pure functions from the wire to our nouns.

A bad value is BadInput with field and value, as in ``kis/parse.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kis import fields as f
from kis.fields import Field, read_row
from trading.designations import STATUS, Designation, StockDay
from trading.errors import BadInput


@dataclass(frozen=True, slots=True)
class Price:
    """A stock's figures over REST, KRW and shares. The rows have no time: take the reception's."""

    symbol: str
    price: int  # 현재가
    change: int  # 전일 대비, signed
    open: int  # 시가, 0 before the first trade
    high: int  # 고가
    low: int  # 저가
    base: int  # 기준가: base of the ±30 % limits
    upper_limit: int  # 상한가
    lower_limit: int  # 하한가
    ask: int  # 매도호가; 0 where the call has none (inquire-price)
    bid: int  # 매수호가; 0 likewise
    day_volume: int  # 누적 거래량
    day_turnover: int  # 누적 거래 대금, KRW


_MULTPRICE = (
    Field("inter_shrn_iscd", "symbol", f.symbol),
    Field("inter2_prpr", "price", f.price),
    Field("inter2_prdy_vrss", "change", f.won_or_none),
    Field("inter2_oprc", "open", f.won_or_none),
    Field("inter2_hgpr", "high", f.won_or_none),
    Field("inter2_lwpr", "low", f.won_or_none),
    Field("inter2_sdpr", "base", f.won_or_none),
    Field("inter2_mxpr", "upper_limit", f.won_or_none),
    Field("inter2_llam", "lower_limit", f.won_or_none),
    Field("inter2_askp", "ask", f.won_or_none),
    Field("inter2_bidp", "bid", f.won_or_none),
    Field("acml_vol", "day_volume", f.shares_or_none),
    Field("acml_tr_pbmn", "day_turnover", f.won_or_none),
)
_PRICE = (
    Field("stck_prpr", "price", f.price),
    Field("prdy_vrss", "change", f.won_or_none),
    Field("stck_oprc", "open", f.won_or_none),
    Field("stck_hgpr", "high", f.won_or_none),
    Field("stck_lwpr", "low", f.won_or_none),
    Field("stck_sdpr", "base", f.won_or_none),
    Field("stck_mxpr", "upper_limit", f.won_or_none),
    Field("stck_llam", "lower_limit", f.won_or_none),
    Field("acml_vol", "day_volume", f.shares_or_none),
    Field("acml_tr_pbmn", "day_turnover", f.won_or_none),
)


def parse_multprice(row: Mapping[str, Any]) -> Price:
    """One row of intstock-multprice output (FHKST11300006). Join by symbol, never by position."""
    return Price(**read_row(_MULTPRICE, row))


def parse_price(symbol: str, row: Mapping[str, Any]) -> Price:
    """inquire-price output (FHKST01010100) of the ``symbol`` that was asked for."""
    _check_symbol(symbol, row)
    return Price(symbol=symbol, ask=0, bid=0, **read_row(_PRICE, row))


_STOCK_DAY = (
    Field("stck_sdpr", "base_price", f.won_or_none),
    Field("stck_mxpr", "upper_limit", f.won_or_none),  # 정리매매 has none
    Field("stck_llam", "lower_limit", f.won_or_none),
)
# Y/N fields of their own; in one answer iscd_stat_cls_code has room for one state alone
_FLAGS = {
    "temp_stop_yn": Designation.HALTED,
    "short_over_yn": Designation.OVERHEATED,
    "sltr_yn": Designation.DELISTING,
    "invt_caful_yn": Designation.ATTENTION,
}


def parse_stock_day(symbol: str, row: Mapping[str, Any]) -> StockDay:
    """Limits and designations of the day: inquire-price output (FHKST01010100) of ``symbol``.

    A state that is not in the table (iscd_stat_cls_code) makes the designations unknown, None.
    """
    _check_symbol(symbol, row)
    code = str(row.get("iscd_stat_cls_code") or "").strip()
    found = {one for name, one in _FLAGS.items() if str(row.get(name) or "").strip() == "Y"}
    if (status := STATUS.get(code)) is not None:
        found.add(status)
    known = code in STATUS
    return StockDay(
        symbol=symbol,
        designations=frozenset(found) if known or found else None,
        **read_row(_STOCK_DAY, row),
    )


def _check_symbol(symbol: str, row: Mapping[str, Any]) -> None:
    answered = str(row.get("stck_shrn_iscd", symbol)).strip()
    if answered != symbol:
        raise BadInput("stck_shrn_iscd", answered, f"{symbol} was asked for")


def parse_holiday(row: Mapping[str, Any]) -> tuple[date, bool]:
    """(day, market open) of one chk-holiday row: opnd_yn counts, tr_day_yn is Y on Sundays."""
    values = read_row((Field("bass_dt", "day", f.day), Field("opnd_yn", "open", f.yes)), row)
    return values["day"], values["open"]
