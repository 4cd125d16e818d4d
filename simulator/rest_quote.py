"""inquire-price, intstock-multprice, inquire-time-itemchartprice and chk-holiday."""

import time
from datetime import UTC, datetime, timedelta

from simulator import trading_days
from simulator.price_steps import step_at
from simulator.rest import Call, Endpoint, Reply, done
from simulator.stock import Stock, sign_of
from simulator.world import World

_DONE = ("MCA00000", "정상처리 되었습니다.")
_MOST = 30  # symbols in one multprice call
_MARKETS = ("J", "NX", "UN")


def _percent(part: float, whole: float) -> str:
    return f"{part * 100 / whole if whole else 0:.2f}"


def _find(world: World, market: str, code: str) -> Stock | None:
    stock = world.market.stocks.get(code) if market in _MARKETS else None
    if stock:
        world.market.catch_up(stock)
    return stock


def _unknown(market: str) -> Reply:
    if market not in _MARKETS:
        text = "ERROR : INPUT FID_COND_MRKT_DIV_CODE"
        return Reply(200, {"rt_cd": "2", "msg_cd": "OPSQ2001", "msg1": text})
    return Reply(200, {"rt_cd": "1", "msg_cd": "MCA05918", "msg1": "종목코드 오류입니다."})


async def inquire_price(world: World, call: Call) -> Reply:
    """The full quote of one stock."""
    market = call.params.get("FID_COND_MRKT_DIV_CODE", "")
    stock = _find(world, market, call.params.get("FID_INPUT_ISCD", ""))
    if stock is None:
        return _unknown(market)
    one = stock.listing
    in_vi = time.monotonic() < stock.vi_until
    state = world.scenario.designations.get(one.code, "55")
    output = {
        "iscd_stat_cls_code": "58" if stock.halted else state,
        "marg_rate": "20.00",
        "rprs_mrkt_kor_name": one.market,
        "bstp_kor_isnm": "기타",
        "temp_stop_yn": "Y" if stock.halted else "N",
        "oprc_rang_cont_yn": "N",
        "clpr_rang_cont_yn": "N",
        "crdt_able_yn": "Y",
        "elw_pblc_yn": "N",
        "stck_prpr": str(stock.price),
        "prdy_vrss": str(stock.price - stock.base),
        "prdy_vrss_sign": stock.sign(),
        "prdy_ctrt": _percent(stock.price - stock.base, stock.base),
        "acml_tr_pbmn": str(stock.amount),
        "acml_vol": str(stock.volume),
        "prdy_vrss_vol_rate": _percent(stock.volume, stock.previous_volume),
        "stck_oprc": str(stock.open),
        "stck_hgpr": str(stock.high),
        "stck_lwpr": str(stock.low),
        "stck_mxpr": str(stock.upper),
        "stck_llam": str(stock.lower),
        "stck_sdpr": str(stock.base),
        "wghn_avrg_stck_prc": f"{stock.amount / stock.volume:.2f}",
        "hts_frgn_ehrt": "20.00",
        "frgn_ntby_qty": "0",
        "pgtr_ntby_qty": "0",
        "cpfn": "1000",
        "rstc_wdth_prc": str(stock.upper - stock.base),
        "stck_fcam": "100",
        "stck_sspr": str(stock.base * 7 // 100 * 10),
        "aspr_unit": str(step_at(stock.price)),
        "hts_deal_qty_unit_val": "1",
        "lstn_stcn": str(one.shares),
        "hts_avls": str(one.shares * stock.price // 100_000_000),
        "per": "12.00",
        "pbr": "1.10",
        "stac_month": "12",
        "vol_tnrt": _percent(stock.volume, one.shares),
        "eps": f"{stock.base / 12:.2f}",
        "bps": f"{stock.base / 1.1:.2f}",
        "w52_hgpr": str(stock.upper),
        "w52_lwpr": str(stock.lower),
        "whol_loan_rmnd_rate": "0.20",
        "ssts_yn": "Y",
        "stck_shrn_iscd": one.code,
        "fcam_cnnm": "100",
        "vi_cls_code": "Y" if in_vi else "N",
        "ovtm_vi_cls_code": "N",
        "invt_caful_yn": "N",
        "mrkt_warn_cls_code": "00",
        "short_over_yn": "Y" if state == "59" else "N",
        "sltr_yn": "N",
    }
    return done({"output": output}, *_DONE)


async def intstock_multprice(world: World, call: Call) -> Reply:
    """Up to 30 stocks in one call, in the order asked for; unknown codes are simply missing."""
    rows = []
    for number in range(1, _MOST + 1):
        code = call.params.get(f"FID_INPUT_ISCD_{number}", "")
        market = call.params.get(f"FID_COND_MRKT_DIV_CODE_{number}", "")
        stock = _find(world, market, code) if code else None
        if stock:
            rows.append(_quote_row(stock))
    return done({"output": rows}, *_DONE)


def _quote_row(stock: Stock) -> dict[str, str]:
    depth = stock.volume % 90_000 + 100
    return {
        "kospi_kosdaq_cls_name": stock.listing.market,
        "mrkt_trtm_cls_name": "",
        "hour_cls_code": "0",
        "inter_shrn_iscd": stock.listing.code,
        "inter_kor_isnm": stock.listing.name,
        "inter2_prpr": str(stock.price),
        "inter2_prdy_vrss": str(stock.price - stock.base),
        "prdy_vrss_sign": stock.sign(),
        "prdy_ctrt": _percent(stock.price - stock.base, stock.base),
        "acml_vol": str(stock.volume),
        "inter2_oprc": str(stock.open),
        "inter2_hgpr": str(stock.high),
        "inter2_lwpr": str(stock.low),
        "inter2_llam": str(stock.lower),
        "inter2_mxpr": str(stock.upper),
        "inter2_askp": str(stock.ask),
        "inter2_bidp": str(stock.bid),
        "seln_rsqn": str(depth),
        "shnu_rsqn": str(depth * 2),
        "total_askp_rsqn": str(depth * 11),
        "total_bidp_rsqn": str(depth * 13),
        "acml_tr_pbmn": str(stock.amount),
        "inter2_prdy_clpr": str(stock.base),
        "oprc_vrss_hgpr_rate": _percent(stock.high - stock.open, stock.open),
        "intr_antc_cntg_vrss": "0",
        "intr_antc_cntg_vrss_sign": "3",
        "intr_antc_cntg_prdy_ctrt": "0.00",
        "intr_antc_vol": "0",
        "inter2_sdpr": str(stock.base),
    }


async def inquire_minutes(world: World, call: Call) -> Reply:
    """Today's minute bars at and before a time, newest first, thirty at most."""
    market = call.params.get("FID_COND_MRKT_DIV_CODE", "")
    stock = _find(world, market, call.params.get("FID_INPUT_ISCD", ""))
    if stock is None:
        return _unknown(market)
    until = call.params.get("FID_INPUT_HOUR_1", "235959")[:4]
    minutes = sorted((one for one in stock.bars if one <= until), reverse=True)[:30]
    rows = []
    for minute in minutes:
        first, high, low, last, volume, _ = stock.bars[minute]
        turnover = sum(bar[5] for at, bar in stock.bars.items() if at <= minute)
        rows.append(
            {
                "stck_bsop_date": world.clock.ymd,
                "stck_cntg_hour": f"{minute}00",
                "stck_prpr": str(last),
                "stck_oprc": str(first),
                "stck_hgpr": str(high),
                "stck_lwpr": str(low),
                "cntg_vol": str(volume),
                "acml_tr_pbmn": str(turnover),
            }
        )
    change = stock.price - stock.base
    head = {
        "prdy_vrss": str(change),
        "prdy_vrss_sign": sign_of(change),
        "prdy_ctrt": _percent(change, stock.base),
        "stck_prdy_clpr": str(stock.base),
        "acml_vol": str(stock.volume),
        "acml_tr_pbmn": str(stock.amount),
        "hts_kor_isnm": stock.listing.name,
        "stck_prpr": str(stock.price),
    }
    return done({"output1": head, "output2": rows}, *_DONE)


async def chk_holiday(world: World, call: Call) -> Reply:
    """23 calendar days from a date; the next page starts where the cursor says."""
    cursor = call.params.get("CTX_AREA_NK", "").strip() if call.next_page else ""
    text = cursor or call.params.get("BASS_DT", "")
    try:
        first = datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        return Reply(200, {"rt_cd": "2", "msg_cd": "OPSQ2002", "msg1": "ERROR : INPUT BASS_DT"})
    rows = []
    for offset in range(23):
        day = first + timedelta(days=offset)
        is_open = "Y" if trading_days.is_open(day) else "N"
        rows.append(
            {
                "bass_dt": day.strftime("%Y%m%d"),
                "wday_dvsn_cd": f"{(day.weekday() + 1) % 7 + 1:02d}",
                "bzdy_yn": is_open,
                "tr_day_yn": "Y",
                "opnd_yn": is_open,
                "sttl_day_yn": is_open,
            }
        )
    after = (first + timedelta(days=23)).strftime("%Y%m%d")
    body = {"ctx_area_nk": f"{after:<20}", "ctx_area_fk": f"{text:<20}", "output": rows}
    return done(body, "KIOK0500", "조회가 계속됩니다..다음버튼을 Click 하십시오.", "F")


_BASE = "/uapi/domestic-stock/v1/quotations"
ENDPOINTS = [
    Endpoint(
        "GET", f"{_BASE}/inquire-price", {"FHKST01010100": ""}, "quote", inquire_price,
        needs_account=False,
    ),
    Endpoint(
        "GET", f"{_BASE}/intstock-multprice", {"FHKST11300006": ""}, "quote", intstock_multprice,
        in_paper=False, needs_account=False,
    ),
    Endpoint(
        "GET", f"{_BASE}/inquire-time-itemchartprice", {"FHKST03010200": ""}, "quote",
        inquire_minutes, needs_account=False,
    ),
    Endpoint(
        "GET", f"{_BASE}/chk-holiday", {"CTCA0903R": ""}, "ledger", chk_holiday,
        in_paper=False, needs_account=False,
    ),
]  # fmt: skip
