"""Tick (체결가): one trade print of one stock, as the market daemon hands it on."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Tick(NamedTuple):
    """One record of a trade frame (KIS H0STCNT0, fact sheet ws/H0STCNT0.json).

    A NamedTuple and not a dataclass: 20,000 of these are made a second.
    Prices and turnover are whole won, volumes are shares, ratios stay out (they are derived).
    """

    symbol: str  # MKSC_SHRN_ISCD 종목코드, 6 characters (ETN: 7)
    at: datetime  # BSOP_DATE + STCK_CNTG_HOUR 체결 시각, aware KST, whole seconds
    price: int  # STCK_PRPR 현재가, KRW
    change: int  # PRDY_VRSS 전일 대비, KRW, signed
    open: int  # STCK_OPRC 시가
    high: int  # STCK_HGPR 고가 of the day
    low: int  # STCK_LWPR 저가 of the day
    ask: int  # ASKP1 매도호가1
    bid: int  # BIDP1 매수호가1
    volume: int  # CNTG_VOL 체결 거래량 of this trade, shares
    day_volume: int  # ACML_VOL 누적 거래량, monotone a day: the natural sequence
    day_turnover: int  # ACML_TR_PBMN 누적 거래 대금, KRW
    halted: bool  # TRHT_YN 거래정지
    hour_class: str  # HOUR_CLS_CODE: 0 장중, A/B/C/D expected prices (C: VI)
    vi_price: int  # VI_STND_PRC 정적VI발동기준가
    market_class: (
        str  # MARKET_CLS_CODE 장 구분 (1 프리 2 정규 3 애프터 5 종가); "" in 46-field frames
    )
