"""Order (what KIS accepted; its number is ODNO) and the three outcomes of sending one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from trading.fills import Side


class OrderKind(StrEnum):
    """Order kinds by our name; the venue's ORD_DVSN code stands in kis/ (_codes_order.json)."""

    LIMIT = "LIMIT"  # 00 지정가
    MARKET = "MARKET"  # 01 시장가
    BEST = "BEST"  # 03 최유리지정가
    FIRST = "FIRST"  # 04 최우선지정가
    LIMIT_IOC = "LIMIT_IOC"  # 11
    LIMIT_FOK = "LIMIT_FOK"  # 12
    MARKET_IOC = "MARKET_IOC"  # 13
    MARKET_FOK = "MARKET_FOK"  # 14
    BEST_IOC = "BEST_IOC"  # 15
    BEST_FOK = "BEST_FOK"  # 16

    @property
    def needs_price(self) -> bool:
        """Whether the order carries a price of its own (ORD_UNPR); the others send "0"."""
        return self in (OrderKind.LIMIT, OrderKind.LIMIT_IOC, OrderKind.LIMIT_FOK)


class Venue(StrEnum):
    """EXCG_ID_DVSN_CD."""

    KRX = "KRX"
    NXT = "NXT"
    SOR = "SOR"


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be sent. ``price`` is KRW, 0 exactly when the kind needs none."""

    symbol: str
    side: Side
    kind: OrderKind
    quantity: int
    price: int
    venue: Venue = Venue.KRX


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker took the order: rt_cd 0 with an order number. Not yet a fill."""

    order_no: str  # ODNO without leading zeros
    branch: str  # KRX_FWDG_ORD_ORGNO: order-rvsecncl wants it back
    at: str  # ORD_TMD, HHMMSS KST


@dataclass(frozen=True, slots=True)
class Rejected:
    """The broker's own word that there is no order: a readable envelope with rt_cd != 0."""

    code: str  # msg_cd
    reason: str  # msg1, trimmed
    token_refused: bool = False  # the gateway knew no such token: the order was not even read


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything else (time-out, reset, 5xx, EGW00301/302, unreadable body). Never sent again."""

    reason: str


Outcome = Accepted | Rejected | Unknown


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One row of inquire-daily-ccld output1: an order as the broker's list holds it."""

    order_no: str  # odno without leading zeros
    original_order_no: str  # orgn_odno without leading zeros, "" if none
    branch: str  # ord_gno_brno
    symbol: str  # pdno
    side: Side  # sll_buy_dvsn_cd
    kind_code: str  # ord_dvsn_cd, the venue's code
    quantity: int  # ord_qty
    price: int  # ord_unpr
    ordered_at: datetime  # ord_dt + ord_tmd, aware KST
    filled: int  # tot_ccld_qty, cumulative
    filled_amount: int  # tot_ccld_amt, KRW
    open: int  # rmn_qty
    cancelled: int  # cnc_cfrm_qty
    rejected: int  # rjct_qty
    is_cancelled: bool  # cncl_yn Y
    kind: OrderKind | None = None  # of ``kind_code``; None: a kind that we never send


class Broker(Protocol):
    """What the order path needs of a broker; ``kis.broker.KisBroker`` is the real one.

    ``place`` and ``cancel`` never raise for anything that happened on the wire: whatever is not
    the broker's clear word is ``Unknown``. They make exactly one HTTP call, without any retry.
    What they raise (BadInput, or OutsideError without a permit or a token) they raise before the
    first byte is written: then nothing has been sent.
    """

    def prepare(self) -> None: ...  # open the connection before the claim, so nothing waits after
    def place(self, order: NewOrder) -> Outcome: ...
    def cancel(self, order_no: str, branch: str, kind: OrderKind, venue: Venue) -> Outcome: ...
    def orders_of_day(self, day: datetime, since: datetime | None = None) -> list[BrokerOrder]: ...
