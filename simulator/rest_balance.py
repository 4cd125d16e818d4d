"""inquire-balance, inquire-balance-rlz-pl and inquire-psbl-order (잔고, 실현손익, 매수가능)."""

from fractions import Fraction
from typing import Any

from simulator.account import Account, Holding
from simulator.paging import page
from simulator.rest import Call, Endpoint, Reply, done
from simulator.world import World

_DONE = ("KIOK0510", "조회가 완료되었습니다")
_NOTHING = ("KIOK0560", "조회할 내용이 없습니다")


def _percent(part: Fraction | int, whole: Fraction | int, digits: int = 2) -> str:
    return f"{float(Fraction(part) / Fraction(whole) * 100) if whole else 0.0:.{digits}f}"


def _row(account: Account, holding: Holding) -> dict[str, str]:
    stock, cost = holding.stock, int(holding.cost)
    value = holding.quantity * stock.price
    return {
        "pdno": stock.listing.code,
        "prdt_name": stock.listing.name,
        "trad_dvsn_name": "현금",
        "bfdy_buy_qty": str(holding.bought_yesterday),
        "bfdy_sll_qty": str(holding.sold_yesterday),
        "thdt_buyqty": str(holding.bought_today),
        "thdt_sll_qty": str(holding.sold_today),
        "hldg_qty": str(holding.quantity),
        "ord_psbl_qty": str(account.orderable_shares(stock.listing.code)),
        "pchs_avg_pric": f"{float(holding.average):.4f}",
        "pchs_amt": str(cost),
        "prpr": str(stock.price),
        "evlu_amt": str(value),
        "evlu_pfls_amt": str(value - cost),
        "evlu_pfls_rt": _percent(value - cost, cost),
        "evlu_erng_rt": "0.00000000",
        "loan_dt": "",
        "loan_amt": "0",
        "stln_slng_chgs": "0",
        "expd_dt": "",
        "fltt_rt": _percent(stock.price - stock.base, stock.base, 8),
        "bfdy_cprs_icdc": str(stock.price - stock.base),
        "item_mgna_rt_name": "20%",
        "grta_rt_name": "",
        "sbst_pric": str(stock.base * 7 // 100 * 10),
        "stck_loan_unpr": "0.0000",
    }


def _sums(account: Account) -> dict[str, str]:
    value = account.value()
    cost = sum(int(one.cost) for one in account.holdings.values())
    total = value + account.cash_d2
    return {
        "dnca_tot_amt": str(account.cash_d0),
        "nxdy_excc_amt": str(account.cash_d1),
        "prvs_rcdl_excc_amt": str(account.cash_d2),
        "cma_evlu_amt": "0",
        "bfdy_buy_amt": str(account.bought_yesterday),
        "thdt_buy_amt": str(account.bought_today),
        "nxdy_auto_rdpt_amt": "0",
        "bfdy_sll_amt": str(account.sold_yesterday),
        "thdt_sll_amt": str(account.sold_today),
        "d2_auto_rdpt_amt": "0",
        "bfdy_tlex_amt": str(account.costs_yesterday),
        "thdt_tlex_amt": str(account.costs_today),
        "tot_loan_amt": "0",
        "scts_evlu_amt": str(value),
        "tot_evlu_amt": str(total),
        "nass_amt": str(total),
        "fncg_gld_auto_rdpt_yn": "",
        "pchs_amt_smtl_amt": str(cost),
        "evlu_amt_smtl_amt": str(value),
        "evlu_pfls_smtl_amt": str(value - cost),
        "tot_stln_slng_chgs": "0",
        "bfdy_tot_asst_evlu_amt": str(account.assets_yesterday),
        "asst_icdc_amt": str(total - account.assets_yesterday),
        "asst_icdc_erng_rt": "0.00000000",
    }


def _holdings_page(world: World, call: Call) -> tuple[list[dict[str, str]], str, dict[str, Any]]:
    for holding in call.account.holdings.values():
        world.market.catch_up(holding.stock)
    paper = world.scenario.environment == "paper"
    size = world.scenario.page_balance or (20 if paper else 50)
    held = [call.account.holdings[code] for code in sorted(call.account.holdings)]
    condition = f"{call.account.number[:8]}^01^N^N^01^01^N^"
    shown, tr_cont, cursor = page(call, held, size, condition)
    return [_row(call.account, one) for one in shown], tr_cont, cursor


async def inquire_balance(world: World, call: Call) -> Reply:
    """Holdings by page, and the account's sums as an array of one."""
    rows, tr_cont, cursor = _holdings_page(world, call)
    text = _DONE if call.account.holdings else _NOTHING
    return done(cursor | {"output1": rows, "output2": [_sums(call.account)]}, *text, tr_cont)


async def inquire_realised(world: World, call: Call) -> Reply:
    """The balance with today's realised profit."""
    rows, tr_cont, cursor = _holdings_page(world, call)
    dropped = ("item_mgna_rt_name", "grta_rt_name", "sbst_pric")
    rows = [{name: row[name] for name in row if name not in dropped} for row in rows]
    account = call.account
    realised = int(account.realised_today) - account.costs_today
    cost = sum(int(one.cost) for one in account.holdings.values())
    sums = _sums(account) | {
        "rlzt_pfls": str(realised),
        "rlzt_erng_rt": _percent(realised, account.realised_cost_today),
        "real_evlu_pfls": str(account.value() - cost),
        "real_evlu_pfls_erng_rt": _percent(account.value() - cost, cost),
    }
    return done(cursor | {"output1": rows, "output2": [sums]}, *_DONE, tr_cont)


async def inquire_orderable(world: World, call: Call) -> Reply:
    """How much may be bought; a price-less order is reckoned at the upper limit."""
    stock = world.market.stocks.get(call.params.get("PDNO", ""))
    asked = call.params.get("ORD_UNPR", "")
    price = int(asked) if asked.isdigit() else 0
    if stock and (call.params.get("ORD_DVSN") == "01" or not price):
        price = stock.upper
    cash = max(call.account.orderable_cash(), 0)
    usable = cash * 1_000_000 // (1_000_000 + world.scenario.fee_ppm)
    most = usable * 5 // 2  # 미수: margin of 40 %
    buyable = price if stock else 0
    output = {
        "ord_psbl_cash": str(cash),
        "ord_psbl_sbst": "0",
        "ruse_psbl_amt": str(call.account.sold_today),
        "fund_rpch_chgs": "0",
        "psbl_qty_calc_unpr": str(buyable),
        "nrcvb_buy_amt": str(usable),
        "nrcvb_buy_qty": str(usable // buyable if buyable else 0),
        "max_buy_amt": str(most),
        "max_buy_qty": str(most // buyable if buyable else 0),
        "cma_evlu_amt": "0",
        "ovrs_re_use_amt_wcrc": "0",
        "ord_psbl_frcr_amt_wcrc": "0",
    }
    return done({"output": output}, *_DONE)


_BASE = "/uapi/domestic-stock/v1/trading"
ENDPOINTS = [
    Endpoint("GET", f"{_BASE}/inquire-balance", {"TTTC8434R": ""}, "ledger", inquire_balance),
    Endpoint(
        "GET", f"{_BASE}/inquire-balance-rlz-pl", {"TTTC8494R": ""}, "ledger", inquire_realised,
        in_paper=False,
    ),
    Endpoint("GET", f"{_BASE}/inquire-psbl-order", {"TTTC8908R": ""}, "ledger", inquire_orderable),
]  # fmt: skip
