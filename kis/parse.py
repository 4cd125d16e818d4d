"""Pure functions from the wire to our nouns. A bad value is BadInput with field and value.

The tables put the wire's name beside ours; a code that is not in the fact sheet is an error, never
a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kis import fields as f
from kis.fields import Field, read_row
from kis.order_codes import KIND_OF
from trading.assets import Balance, Position
from trading.errors import BadInput
from trading.fills import Notice, NoticeKind
from trading.orders import BrokerOrder
from trading.ticks import Tick

# -- trade print, H0STCNT0 (체결가) -----------------------------------------------------------

HEAD = 14  # fields before ACML_TR_PBMN: all that a running bar needs
MAX_DIGITS = 18  # what BIGINT holds
TRADE_WIDTH = 46  # the narrowest record there ever was
HOUR_CLASSES = frozenset({"0", "A", "B", "C", "D"})  # HOUR_CLS_CODE
MARKET_CLASSES = frozenset({"", "1", "2", "3", "5"})  # MARKET_CLS_CODE, since 2026-09-14

_NUMBER = re.compile(rb"-?[0-9]{1,18}\Z")
_CODE = re.compile(rb"[0-9A-Z]{6,9}\Z")
_moments: dict[tuple[bytes, bytes], datetime] = {}  # (BSOP_DATE, HHMMSS): few a day, asked often


def _number(name: str, raw: bytes, empty: int | None = None) -> int:
    if not _NUMBER.match(raw):
        if raw == b"" and empty is not None:
            return empty
        raise BadInput(name, raw, "whole number expected")
    return int(raw)


def _trade_moment(on: bytes, hhmmss: bytes) -> datetime:
    known = _moments.get((on, hhmmss))
    if known is None:
        if len(_moments) > 200_000:  # weeks of uptime: start anew rather than grow
            _moments.clear()
        on_text, time_text = on.decode("latin-1"), hhmmss.decode("latin-1")
        known = f.moment("STCK_CNTG_HOUR", f.day("BSOP_DATE", on_text), time_text)
        _moments[on, hhmmss] = known
    return known


def parse_tick(record: Sequence[bytes]) -> Tick:
    """Tick of one record of ``kis.frames`` (both its forms): 46, 47 or more fields, same tick.

    Empty is 0 for what a stock without a trade, bid or VI has not; price, volume and cumulative
    volume must be there. BadInput names the wire field and the value.
    """
    if len(record) == HEAD + 1:
        record = [*record[:HEAD], *record[HEAD].split(b"^")]
    if len(record) < TRADE_WIDTH:
        raise BadInput("fields", len(record), f"at least {TRADE_WIDTH} expected")
    if max(map(len, record[2 : HEAD + 1])) > MAX_DIGITS:
        raise BadInput("record", len(max(record[2 : HEAD + 1], key=len)), "a number that long")
    code = record[0]
    if not _CODE.match(code):
        raise BadInput("MKSC_SHRN_ISCD", code, "stock code expected")
    price = _number("STCK_PRPR", record[2])
    if price <= 0:
        raise BadInput("STCK_PRPR", record[2], "a price is above 0")
    halted = record[35]
    if halted not in (b"Y", b"N", b""):
        raise BadInput("TRHT_YN", halted, "Y or N expected")
    hour_class = record[43].decode("latin-1")
    if hour_class not in HOUR_CLASSES:
        raise BadInput("HOUR_CLS_CODE", hour_class, "unknown code")
    market_class = record[46].decode("latin-1") if len(record) > 46 else ""
    if market_class not in MARKET_CLASSES:
        raise BadInput("MARKET_CLS_CODE", market_class, "unknown code")
    return Tick(
        code.decode("ascii"),
        _trade_moment(record[33], record[1]),
        price,
        int(record[4]) if record[4].isdigit() else _number("PRDY_VRSS", record[4], 0),
        int(record[7]) if record[7].isdigit() else _number("STCK_OPRC", record[7], 0),
        int(record[8]) if record[8].isdigit() else _number("STCK_HGPR", record[8], 0),
        int(record[9]) if record[9].isdigit() else _number("STCK_LWPR", record[9], 0),
        int(record[10]) if record[10].isdigit() else _number("ASKP1", record[10], 0),
        int(record[11]) if record[11].isdigit() else _number("BIDP1", record[11], 0),
        int(record[12]) if record[12].isdigit() else _number("CNTG_VOL", record[12]),
        int(record[13]) if record[13].isdigit() else _number("ACML_VOL", record[13]),
        int(record[14]) if record[14].isdigit() else _number("ACML_TR_PBMN", record[14], 0),
        halted == b"Y",
        hour_class,
        _number("VI_STND_PRC", record[45], 0),
        market_class,
    )


def parse_moment(record: Sequence[bytes]) -> datetime:
    """Exchange time of a trade record, aware KST; nothing else of it is looked at. BadInput."""
    on = record[33] if len(record) > HEAD + 1 else record[HEAD].split(b"^", 20)[19]
    return _trade_moment(on, record[1])


# price, change, high, low, ask, bid, volume, day volume, day turnover, then YYYYMMDDHHMMSS
_FIGURES = re.compile(rb"[0-9]{1,18},-?[0-9]{1,18}(?:,[0-9]{1,18}){7},[0-9]{12}[0-5][0-9]\Z")

Standing = tuple[bytes, ...]
"""What seldom changes: STCK_OPRC, BSOP_DATE, HHMM, TRHT_YN, HOUR_CLS_CODE, VI_STND_PRC and, where
it comes, MARKET_CLS_CODE; as on the wire."""


def parse_figures(record: Sequence[bytes]) -> tuple[str, Standing] | None:
    """The figures every trade changes, as checked text, and what stands beside them.

    Text: STCK_PRPR, PRDY_VRSS, STCK_HGPR, STCK_LWPR, ASKP1, BIDP1, CNTG_VOL, ACML_VOL,
    ACML_TR_PBMN and the time as YYYYMMDDHHMMSS, with commas; nothing but digits, commas and a sign.
    Valid only as long as the second part is that of a record ``parse_tick`` has read. None where a
    value is missing or odd: then ``parse_tick`` is to be asked. A quarter of its time.
    """
    at = record[1]
    # rest[0] is field 14, so 33 is 19 there, 35 is 21, 43 is 29, 45 is 31
    rest = record[HEAD].split(b"^") if len(record) == HEAD + 1 else list(record[HEAD:])
    if len(rest) < TRADE_WIDTH - HEAD:
        return None
    on = rest[19]
    text = b",".join((record[2], record[4], *record[8:HEAD], rest[0], on + at))
    if not _FIGURES.match(text):
        return None
    return text.decode(), (record[7], on, at[:4], rest[21], rest[29], *rest[31:33])


# -- fill notice, H0STCNI0 / H0STCNI9 (체결통보) ----------------------------------------------

_VENUES = frozenset({"1", "2", "3", "4"})  # ORD_EXG_GB


def _notice_kind(refused: str, traded: str, step: str, modify: str) -> NoticeKind:
    """RFUS_YN, CNTG_YN, ACPT_YN, RCTF_CLS (fact sheet ws/H0STCNI0.json, "cases")."""
    if refused not in ("0", "1"):
        raise BadInput("RFUS_YN", refused, "0 or 1 expected")
    if traded not in ("1", "2"):
        raise BadInput("CNTG_YN", traded, "1 or 2 expected")
    if refused == "1":
        return NoticeKind.REFUSED
    if traded == "2":
        return NoticeKind.FILL
    if modify not in ("0", "1", "2"):
        raise BadInput("RCTF_CLS", modify, "0 신규, 1 정정 or 2 취소 expected")
    if step == "1":
        return NoticeKind.ACCEPTED
    if step == "3" or (step == "2" and modify == "2"):
        return NoticeKind.CANCELLED
    if step == "2":
        return NoticeKind.CONFIRMED
    raise BadInput("ACPT_YN", step, "1, 2 or 3 expected")


def _notice_venue(record: Sequence[str]) -> str:
    """ORD_EXG_GB: field 19 of layout C, glued to POPUP_YN in field 18 of B, absent in A."""
    if len(record) >= 26:
        return record[19] if record[19] in _VENUES else ""
    glued = record[18] if len(record) > 18 else ""
    return glued[0] if len(glued) == 2 and glued[0] in _VENUES and glued[1] in "YN" else ""


def parse_notice(record: Sequence[str], received_at: datetime) -> Notice:
    """Notice of one decrypted record (any of the three layouts); ``received_at`` aware KST.

    Only fields 0-16 are read, which all layouts share, and the venue. A time of day that lies
    ahead of the reception by more than half a day belongs to the day before (midnight).
    """
    if len(record) < 17:
        raise BadInput("fields", len(record), "at least 17 expected")
    kind = _notice_kind(record[12], record[13], record[14], record[5])
    at = f.moment("STCK_CNTG_HOUR", received_at.date(), record[11])
    if at - received_at > timedelta(hours=12):
        at = f.moment("STCK_CNTG_HOUR", received_at.date() - timedelta(days=1), record[11])
    read = f.price if kind is NoticeKind.FILL else f.won_or_none
    quantity = f.shares("CNTG_QTY", record[9])
    if kind is NoticeKind.FILL and quantity == 0:
        raise BadInput("CNTG_QTY", record[9], "a fill has a quantity")
    return Notice(
        account=record[1],
        order_no=f.order_no("ODER_NO", record[2]),
        original_order_no=f.order_no("OODER_NO", record[3]),
        side=f.side("SELN_BYOV_CLS", record[4]),
        kind=kind,
        symbol=f.symbol("STCK_SHRN_ISCD", record[8].strip()),
        quantity=quantity,
        price=read("CNTG_UNPR", record[10]),
        order_quantity=f.shares("ODER_QTY", record[16]),
        at=at,
        venue=_notice_venue(record),
    )


# -- account ---------------------------------------------------------------------------------

POSITION = (
    Field("pdno", "symbol", f.symbol),  # 상품번호
    Field("prdt_name", "name", f.text_of),  # 상품명
    Field("hldg_qty", "quantity", f.shares),  # 보유수량
    Field("ord_psbl_qty", "sellable", f.shares),  # 주문가능수량
    Field("pchs_avg_pric", "average_price", f.ratio),  # 매입평균가격, 4 decimals
    Field("pchs_amt", "cost", f.won),  # 매입금액
    Field("prpr", "price", f.won),  # 현재가
    Field("evlu_amt", "value", f.won),  # 평가금액
    Field("evlu_pfls_amt", "profit", f.won),  # 평가손익금액
)
BALANCE = (
    Field("dnca_tot_amt", "deposit", f.won),  # 예수금총금액 D+0
    Field("nxdy_excc_amt", "deposit_d1", f.won),  # 익일정산금액 D+1
    Field("prvs_rcdl_excc_amt", "deposit_d2", f.won),  # 가수도정산금액 D+2
    Field("scts_evlu_amt", "securities_value", f.won),  # 유가평가금액
    Field("tot_evlu_amt", "total_value", f.won),  # 총평가금액
    Field("nass_amt", "net_assets", f.won),  # 순자산금액
    Field("pchs_amt_smtl_amt", "cost", f.won),  # 매입금액합계금액
    Field("evlu_pfls_smtl_amt", "profit", f.won),  # 평가손익합계금액
    Field("thdt_buy_amt", "bought_today", f.won),  # 금일매수금액
    Field("thdt_sll_amt", "sold_today", f.won),  # 금일매도금액
    Field("thdt_tlex_amt", "fees_today", f.won),  # 금일제비용금액
)


def parse_positions(rows: Sequence[Mapping[str, Any]]) -> list[Position]:
    """Positions of inquire-balance output1 (TTTC8434R), rows of 0 shares included."""
    return [Position(**read_row(POSITION, row)) for row in rows]


def parse_balance(row: Mapping[str, Any]) -> Balance:
    """Balance of the one object in inquire-balance output2."""
    return Balance(**read_row(BALANCE, row))


@dataclass(frozen=True, slots=True)
class OrderableCash:
    """inquire-psbl-order output (TTTC8908R), KRW and shares, without 미수."""

    cash: int  # ord_psbl_cash 주문가능현금
    buy_amount: int  # nrcvb_buy_amt 미수없는매수금액
    buy_quantity: int  # nrcvb_buy_qty 미수없는매수수량


ORDERABLE = (
    Field("ord_psbl_cash", "cash", f.won),
    Field("nrcvb_buy_amt", "buy_amount", f.won),
    Field("nrcvb_buy_qty", "buy_quantity", f.won),
)


def parse_orderable_cash(row: Mapping[str, Any]) -> OrderableCash:
    """Buying power, of the object in inquire-psbl-order."""
    return OrderableCash(**read_row(ORDERABLE, row))


def parse_realised_profit(row: Mapping[str, Any]) -> int:
    """Today's realised profit, KRW: rlzt_pfls of inquire-balance-rlz-pl output2 (TTTC8494R)."""
    return int(read_row((Field("rlzt_pfls", "profit", f.won),), row)["profit"])


# -- orders of the day -----------------------------------------------------------------------

_BROKER_ORDER = (
    Field("odno", "order_no", f.order_no),  # 주문번호
    Field("orgn_odno", "original_order_no", f.order_no),  # 원주문번호
    Field("ord_gno_brno", "branch", f.text_of),  # 주문채번지점번호
    Field("pdno", "symbol", f.symbol),  # 상품번호
    Field("sll_buy_dvsn_cd", "side", f.side),  # 매도매수구분코드
    Field("ord_dvsn_cd", "kind_code", f.text_of),  # 주문구분코드
    Field("ord_qty", "quantity", f.shares),  # 주문수량
    Field("ord_unpr", "price", f.won),  # 주문단가
    Field("tot_ccld_qty", "filled", f.shares),  # 총체결수량
    Field("tot_ccld_amt", "filled_amount", f.won),  # 총체결금액
    Field("rmn_qty", "open", f.shares),  # 잔여수량
    Field("cnc_cfrm_qty", "cancelled", f.shares_or_none),  # 취소확인수량
    Field("rjct_qty", "rejected", f.shares_or_none),  # 거부수량
)


def parse_broker_order(row: Mapping[str, Any]) -> BrokerOrder:
    """One row of inquire-daily-ccld output1 (TTTC0081R), keys in lower case."""
    if "cnc_cfrm_qty" not in row:  # official repo and portal spell it differently
        row = {**row, "cnc_cfrm_qty": row.get("cncl_cfrm_qty")}
    values = read_row(_BROKER_ORDER, row)
    if not values["order_no"]:
        raise BadInput("odno", row.get("odno"), "an order has a number")
    cancelled = str(row.get("cncl_yn", "")).strip()
    if cancelled not in ("Y", "N", ""):
        raise BadInput("cncl_yn", cancelled, "Y, N or nothing expected")
    on = f.day("ord_dt", str(row.get("ord_dt", "")))
    ordered_at = f.moment("ord_tmd", on, str(row.get("ord_tmd", "")))
    return BrokerOrder(
        ordered_at=ordered_at,
        is_cancelled=cancelled == "Y",
        kind=KIND_OF.get(values["kind_code"]),
        **values,
    )
