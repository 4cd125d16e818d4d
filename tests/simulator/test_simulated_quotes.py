"""Quotes over REST, holidays, and the stand-in for data.go.kr."""

import pytest
import requests

from simulator.keys import DATAGOKR_KEY
from simulator.price_steps import day_limits, down, up

BASE = "/uapi/domestic-stock/v1/quotations"
PUBLIC = "/1160100/service/GetStockSecuritiesInfoService/getStockPriceInfo"


@pytest.mark.parametrize(
    ("base", "upper", "lower"), [(128_500, 167_000, 90_000), (111_000, 144_000, 78_000)]
)
def test_the_days_limits_are_those_of_the_brokers_examples(base, upper, lower):
    got = day_limits(base)
    # the examples were written under the price steps of before 2023: 500 above 100,000
    assert got[0] - got[0] % 500 == upper
    assert got[1] + -got[1] % 500 == lower


@pytest.mark.parametrize("edge", [2_000, 5_000, 20_000, 50_000, 200_000, 500_000])
def test_a_step_up_and_down_again_comes_back_at_every_band(edge):
    assert down(up(edge)) == edge
    assert up(down(edge)) == edge


def test_one_price_and_its_limits(broker):
    client = broker()
    asked = {"fid_cond_mrkt_div_code": "J", "fid_input_iscd": "005930"}
    output = client.get(f"{BASE}/inquire-price", "FHKST01010100", **asked).json()["output"]
    assert output["stck_shrn_iscd"] == "005930"
    assert int(output["stck_llam"]) <= int(output["stck_prpr"]) <= int(output["stck_mxpr"])
    assert int(output["stck_prpr"]) - int(output["prdy_vrss"]) == int(output["stck_sdpr"])
    wrong = client.get(f"{BASE}/inquire-price", "FHKST01010100", **asked | {"fid_input_iscd": "1"})
    assert wrong.json()["msg_cd"] == "MCA05918"


def test_thirty_stocks_in_one_call_and_unknown_codes_missing(broker):
    client = broker()
    codes = [*list(client.simulator.look("stocks"))[:29], "999999"]
    asked = {}
    for number, code in enumerate(codes, 1):
        asked[f"FID_COND_MRKT_DIV_CODE_{number}"] = "J"
        asked[f"FID_INPUT_ISCD_{number}"] = code
    rows = client.get(f"{BASE}/intstock-multprice", "FHKST11300006", **asked).json()["output"]
    assert [row["inter_shrn_iscd"] for row in rows] == codes[:29]


def test_the_whole_market_can_be_listed(broker):
    stocks = broker(symbols=2900).simulator.look("stocks")
    assert len(stocks) == 2900
    assert stocks["005930"]["name"] == "삼성전자"
    assert any(not code.isdigit() for code in stocks)
    assert {len(code) for code in stocks} == {6}


def test_minute_bars_are_those_of_the_ticks(broker):
    client = broker(rate=300.0)
    frames = client.feed("005930").frames(60)
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}
    asked |= {"FID_INPUT_HOUR_1": "235959", "FID_PW_DATA_INCU_YN": "N", "FID_ETC_CLS_CODE": ""}
    bars = client.get(f"{BASE}/inquire-time-itemchartprice", "FHKST03010200", **asked).json()
    records = [frame.split("|")[3].split("^") for frame in frames]
    prices = [int(one[2 + 47 * n]) for one in records for n in range(len(one) // 47)]
    rows = bars["output2"]
    assert min(prices) >= min(int(row["stck_lwpr"]) for row in rows)
    assert max(prices) <= max(int(row["stck_hgpr"]) for row in rows)
    assert [row["stck_cntg_hour"] for row in rows] == sorted(
        (row["stck_cntg_hour"] for row in rows), reverse=True
    )


def test_chuseok_is_a_holiday_and_the_calendar_goes_on_by_its_cursor(broker):
    client = broker()
    first = client.get(f"{BASE}/chk-holiday", "CTCA0903R", BASS_DT="20260910")
    days = {row["bass_dt"]: row for row in first.json()["output"]}
    assert len(days) == 23
    assert [days[d]["opnd_yn"] for d in ("20260910", "20260912", "20260924")] == ["Y", "N", "N"]
    assert [days[d]["wday_dvsn_cd"] for d in ("20260910", "20260912")] == ["05", "07"]
    cursor = first.json()["ctx_area_nk"]
    assert cursor == "20261003            "
    second = client.get(
        f"{BASE}/chk-holiday", "CTCA0903R", "N", BASS_DT="20260910", CTX_AREA_NK=cursor
    )
    assert second.json()["output"][0]["bass_dt"] == "20261003"


def test_the_order_hash_is_given_and_not_needed(broker):
    client = broker()
    headers = {"appkey": client.me.app_key, "appsecret": client.me.app_secret}
    url = client.simulator.rest_url + "/uapi/hashkey"
    answer = client.session.post(url, json={"CANO": "1"}, headers=headers, timeout=5).json()
    assert answer["BODY"] == {"CANO": "1"}
    assert len(answer["HASH"]) == 64


def test_closing_prices_of_all_stocks_come_in_pages_and_a_holiday_is_empty(broker):
    url = broker().simulator.rest_url + PUBLIC
    asked = {"serviceKey": DATAGOKR_KEY, "resultType": "json", "numOfRows": "1000"}
    seen = []
    for number in (1, 2, 3):
        answer = requests.get(
            url, {**asked, "basDt": "20260922", "pageNo": str(number)}, timeout=5
        ).json()["response"]["body"]
        seen += [row["srtnCd"] for row in answer["items"]["item"]]
    assert len(seen) == len(set(seen)) == answer["totalCount"] == 2868
    empty = requests.get(url, {**asked, "basDt": "20260924"}, timeout=5).json()
    assert empty["response"]["body"]["items"] == ""
    one = requests.get(url, {**asked, "basDt": "20260922", "likeSrtnCd": "005930"}, timeout=5)
    assert one.json()["response"]["body"]["items"]["item"]["itmsNm"] == "삼성전자"


def test_a_key_encoded_twice_gets_xml_with_http_200(broker):
    client = broker()
    url = client.simulator.rest_url + PUBLIC
    twice = requests.utils.quote(DATAGOKR_KEY, safe="")
    answer = requests.get(url, {"serviceKey": twice, "resultType": "json"}, timeout=5)
    assert answer.status_code == 200
    assert "<returnReasonCode>30</returnReasonCode>" in answer.text
    once = requests.get(f"{url}?serviceKey={twice}&resultType=json", timeout=5)
    assert once.json()["response"]["header"]["resultCode"] == "00"
    client.simulator.control("fault", datagokr_error="22")
    limited = requests.get(f"{url}?serviceKey={twice}&resultType=json", timeout=5)
    assert "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR" in limited.text
