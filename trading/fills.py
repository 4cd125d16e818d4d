"""Notice (체결통보) and Fill (체결): what the broker tells about our own orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Side(StrEnum):
    """매매 구분. KIS SELN_BYOV_CLS: 01 매도, 02 매수."""

    BUY = "BUY"
    SELL = "SELL"


class NoticeKind(StrEnum):
    """What a notice says (KIS CNTG_YN, RFUS_YN, RCTF_CLS, ACPT_YN)."""

    ACCEPTED = "ACCEPTED"  # CNTG_YN 1, ACPT_YN 1: 주문 접수
    CONFIRMED = "CONFIRMED"  # CNTG_YN 1, ACPT_YN 2: 정정·취소 확인
    CANCELLED = "CANCELLED"  # CNTG_YN 1, ACPT_YN 3: IOC/FOK 잔량 취소, or a confirmed cancel
    REFUSED = "REFUSED"  # RFUS_YN 1: 거부
    FILL = "FILL"  # CNTG_YN 2: 체결


@dataclass(frozen=True, slots=True)
class Notice:
    """One fill notice record (KIS H0STCNI0 / H0STCNI9, fields 0-16 of every layout)."""

    account: str  # ACNT_NO, 10 digits
    order_no: str  # ODER_NO without leading zeros
    original_order_no: str  # OODER_NO without leading zeros, "" for a new order
    side: Side
    kind: NoticeKind
    symbol: str  # STCK_SHRN_ISCD
    quantity: int  # CNTG_QTY: of this fill when kind is FILL, else of the order; shares
    price: int  # CNTG_UNPR: fill price when kind is FILL, else order price (0 for market); KRW
    order_quantity: int  # ODER_QTY: whole order, never a fill quantity
    at: datetime  # STCK_CNTG_HOUR joined with the KST date of reception
    venue: str = ""  # ORD_EXG_GB: 1 KRX, 2 NXT, 3 SOR→KRX, 4 SOR→NXT; "" where the layout lacks it
