"""inquire-daily-ccld and inquire-psbl-rvsecncl (체결 확인, 정정취소 가능)."""

import time
from typing import Any

from simulator.order import Order
from simulator.paging import page
from simulator.rest import Call, Endpoint, Reply, done
from simulator.rest_order import FORWARDING_ORG
from simulator.world import World

_KINDS = {
    "00": "지정가",
    "01": "시장가",
    "02": "조건부지정가",
    "03": "최유리지정가",
    "04": "최우선지정가",
}
_SIDES = {"BUY": ("02", "매수"), "SELL": ("01", "매도")}
_ACTIONS = {"NEW": "", "MODIFY": "정정*", "CANCEL": "취소*"}


def _seen(order: Order, delay: float) -> tuple[int, int]:
    """(shares, won) filled as this query shows them: fills younger than `delay` are not there."""
    limit = time.monotonic() - delay
    old = [one for one in order.fills if one["mono"] <= limit]
    return sum(o["quantity"] for o in old), sum(o["quantity"] * o["price"] for o in old)


def _row(order: Order, delay: float) -> dict[str, str]:
    filled, amount = _seen(order, delay)
    code, name = _SIDES[order.side]
    confirmed = order.quantity if order.action == "CANCEL" else order.cancelled
    left = 0 if order.action == "CANCEL" else order.remainder + order.filled - filled
    return {
        "ord_dt": order.ymd,
        "ord_gno_brno": FORWARDING_ORG,
        "odno": order.odno,
        "orgn_odno": order.original,
        "ord_dvsn_name": _KINDS.get(order.kind, order.kind),
        "sll_buy_dvsn_cd": code,
        "sll_buy_dvsn_cd_name": f"{name}{'거부' if order.rejected else _ACTIONS[order.action]}",
        "pdno": order.code,
        "prdt_name": order.stock.listing.name,
        "ord_qty": str(order.quantity),
        "ord_unpr": str(order.price),
        "ord_tmd": order.hms,
        "tot_ccld_qty": str(filled),
        "avg_prvs": f"{amount / filled:.4f}" if filled else "0",
        "cncl_yn": "Y" if order.cancelled else "N",
        "tot_ccld_amt": str(amount),
        "loan_dt": "",
        "ordr_empno": "",
        "ord_dvsn_cd": order.kind,
        "cncl_cfrm_qty": str(confirmed),
        "rmn_qty": str(left),
        "rjct_qty": str(order.rejected),
        "ccld_cndt_name": "없음",
        "inqr_ip_addr": "",
        "cpbc_ordp_ord_rcit_dvsn_cd": "",
        "cpbc_ordp_infm_mthd_dvsn_cd": "",
        "infm_tmd": order.fills[-1]["hms"] if filled else "",
        "ctac_tlno": "",
        "prdt_type_cd": "300",
        "excg_dvsn_cd": "02",
        "cpbc_ordp_mtrl_dvsn_cd": "",
        "ord_orgno": "00000",
        "rsvn_ord_end_dt": "",
        "excg_id_dvsn_Cd": order.venue,
        "stpm_cndt_pric": "0",
        "stpm_efct_occr_dtmd": "",
    }


def _wanted(order: Order, row: dict[str, str], asked: dict[str, str]) -> bool:
    days = (asked.get("INQR_STRT_DT", ""), asked.get("INQR_END_DT", "99999999"))
    if not days[0] <= order.ymd <= days[1]:
        return False
    if asked.get("SLL_BUY_DVSN_CD", "00") not in ("00", row["sll_buy_dvsn_cd"]):
        return False
    if asked.get("PDNO", "") not in ("", order.code):
        return False
    odno = asked.get("ODNO", "")
    if odno and odno.zfill(10) != order.odno:
        return False
    if asked.get("EXCG_ID_DVSN_CD", "KRX") not in ("", "ALL", order.venue):
        return False
    filled = asked.get("CCLD_DVSN", "00")
    if filled == "01":
        return row["tot_ccld_qty"] != "0"
    return filled != "02" or row["rmn_qty"] != "0"


async def inquire_daily_ccld(world: World, call: Call) -> Reply:
    """One row an order with what is filled so far; output2 is an object."""
    rows = []
    for order in world.exchange.orders.values():
        if order.account is call.account:
            row = _row(order, world.scenario.executions_delay_s)
            if _wanted(order, row, call.params):
                rows.append(row)
    if call.params.get("INQR_DVSN", "00") == "00":
        rows.reverse()
    quantity = sum(int(row["tot_ccld_qty"]) for row in rows)
    amount = sum(int(row["tot_ccld_amt"]) for row in rows)
    sums = {
        "tot_ord_qty": str(sum(int(row["ord_qty"]) for row in rows)),
        "tot_ccld_qty": str(quantity),
        "tot_ccld_amt": str(amount),
        "prsm_tlex_smtl": str(amount * world.scenario.fee_ppm // 1_000_000),
        "pchs_avg_pric": f"{amount / quantity if quantity else 0:.4f}",
    }
    paper = world.scenario.environment == "paper"
    size = world.scenario.page_orders or (15 if paper else 100)
    condition = f"{call.account.number[:8]}^01^{call.params.get('INQR_STRT_DT', '')}^"
    shown, tr_cont, cursor = page(call, rows, size, condition)
    body: dict[str, Any] = cursor | {"output1": shown, "output2": sums}
    if not rows:
        return done(body, "KIOK0560", "조회할 내용이 없습니다", tr_cont)
    more = tr_cont in ("F", "M")
    text = ("KIOK0500", "조회가 계속됩니다..다음버튼을 Click 하십시오.") if more else (
        "KIOK0460", "조회 되었습니다. (마지막 자료)"
    )  # fmt: skip
    return done(body, *text, tr_cont)


async def inquire_open_orders(world: World, call: Call) -> Reply:
    """Orders that can still be changed; psbl_qty is the open remainder."""
    side = {"1": "SELL", "2": "BUY"}.get(call.params.get("INQR_DVSN_2", "0"), "")
    rows = []
    for order in world.exchange.orders.values():
        if order.account is not call.account or order.remainder <= 0:
            continue
        if side and order.side != side:
            continue
        code, name = _SIDES[order.side]
        rows.append(
            {
                "ord_gno_brno": FORWARDING_ORG,
                "odno": order.odno,
                "orgn_odno": order.original,
                "ord_dvsn_name": _KINDS.get(order.kind, order.kind),
                "pdno": order.code,
                "prdt_name": order.stock.listing.name,
                "rvse_cncl_dvsn_name": f"{name}{_ACTIONS[order.action]}",
                "ord_qty": str(order.quantity),
                "ord_unpr": str(order.price),
                "ord_tmd": order.hms,
                "tot_ccld_qty": str(order.filled),
                "tot_ccld_amt": str(order.amount),
                "psbl_qty": str(order.remainder),
                "sll_buy_dvsn_cd": code,
                "ord_dvsn_cd": order.kind,
                "mgco_aptm_odno": "",
                "excg_dvsn_cd": "02",
                "excg_id_dvsn_cd": order.venue,
                "excg_id_dvsn_name": order.venue,
                "stpm_cndt_pric": "0",
                "stpm_efct_occr_yn": "N",
            }
        )
    shown, tr_cont, cursor = page(call, rows, 50, f"{call.account.number[:8]}^01^")
    text = ("KIOK0510", "조회가 완료되었습니다") if rows else ("KIOK0560", "조회할 내용이 없습니다")
    return done(cursor | {"output": shown}, *text, tr_cont)


_BASE = "/uapi/domestic-stock/v1/trading"
ENDPOINTS = [
    Endpoint(
        "GET",
        f"{_BASE}/inquire-daily-ccld",
        {"TTTC0081R": "", "CTSC9215R": "old", "TTTC8001R": "", "CTSC9115R": "old"},
        "ledger",
        inquire_daily_ccld,
    ),
    Endpoint(
        "GET", f"{_BASE}/inquire-psbl-rvsecncl", {"TTTC0084R": "", "TTTC8036R": ""}, "ledger",
        inquire_open_orders, in_paper=False,
    ),
]  # fmt: skip
