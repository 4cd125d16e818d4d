"""Orders at the simulated broker: taken, refused, filled by the market, changed, lost."""

import time

import pytest
import requests

SAMSUNG = "005930"


def samsung(client):
    return client.simulator.look("stocks")[SAMSUNG]


def order_of(client, odno):
    return next(one for one in client.simulator.book()["orders"] if one["odno"] == odno)


def test_a_market_order_fills_and_its_answer_has_upper_case_names(broker, eventually):
    client = broker()
    answer = client.order("BUY", SAMSUNG, 7)
    assert (answer["rt_cd"], answer["msg_cd"]) == ("0", "APBK0013")
    assert set(answer["output"]) == {"KRX_FWDG_ORD_ORGNO", "ODNO", "ORD_TMD"}
    odno = answer["output"]["ODNO"]
    assert len(odno) == 10
    assert odno.isdigit()
    eventually(lambda: order_of(client, odno)["filled"] == 7)


def test_a_resting_order_fills_when_the_price_comes_and_at_its_own_price(broker, eventually):
    client = broker(move=0.0)
    price = samsung(client)["price"]
    wanted = price - 500
    odno = client.order("BUY", SAMSUNG, 5, wanted)["output"]["ODNO"]
    time.sleep(0.3)
    assert order_of(client, odno)["filled"] == 0
    client.simulator.control("price", symbol=SAMSUNG, price=wanted - 100)
    eventually(lambda: order_of(client, odno)["filled"] == 5)
    assert order_of(client, odno)["fills"][0]["price"] == wanted


def test_a_large_order_fills_in_pieces_that_add_up(broker, eventually):
    client = broker("demo", fill_parts=5, seed=3)
    feed = client.feed(notices=True)
    odno = client.order("BUY", SAMSUNG, 100)["output"]["ODNO"]
    eventually(lambda: order_of(client, odno)["filled"] == 100)
    pieces = order_of(client, odno)["fills"]
    notices = feed.notices(1 + len(pieces))
    assert notices[0][13] == "1"
    assert sum(int(one[9]) for one in notices[1:]) == 100
    assert [int(one[9]) for one in notices[1:]] == [one["quantity"] for one in pieces]


REFUSED = [
    # why, side, shares, price, order kind, words of the broker
    ("not a multiple of the price step", "BUY", 1, "step", "", "호가단위"),
    ("above the upper limit", "BUY", 1, "over", "", "상하한가"),
    ("more than the cash", "BUY", 100_000, "last", "", "주문가능금액"),
    ("more shares than held", "SELL", 1, "last", "", "수량을 초과"),
    ("no shares at all", "BUY", 0, "last", "", "INVALID"),
    ("a price on a market order", "BUY", 1, "last", "01", "주문단가"),
    ("an order kind of another session", "BUY", 1, "none", "06", "장운영시간"),
    ("an order kind nobody knows", "BUY", 1, "last", "99", "INVALID"),
]


def test_the_broker_refuses_and_says_why(broker):
    client = broker(rate=0.0)
    stock = samsung(client)
    prices = {"step": stock["price"] + 7, "over": stock["upper"] + 1000, "last": stock["price"]}
    for why, side, shares, price, kind, words in REFUSED:
        answer = client.order(side, SAMSUNG, shares, prices.get(price, 0), kind)
        assert answer["rt_cd"] == "1", why
        assert words in answer["msg1"], why
        assert "output" not in answer, why
        line = client.simulator.lines("orders")[-1]
        assert (line["outcome"], line["msg_cd"]) == ("refused", answer["msg_cd"]), why
    assert client.simulator.book()["orders"] == []


def test_an_unknown_stock_a_halt_vi_and_closed_hours_refuse_too(broker):
    client = broker(rate=0.0, refusal_rt_cd="7")
    assert client.order("BUY", "999999", 1, 1000)["msg_cd"] == "MCA05918"
    client.simulator.control("fault", halt=SAMSUNG)
    halted = client.order("BUY", SAMSUNG, 1)
    assert (halted["rt_cd"], "거래정지" in halted["msg1"]) == ("7", True)
    client.simulator.control("fault", resume=SAMSUNG, vi=SAMSUNG, vi_s=30)
    assert "VI" in client.order("BUY", SAMSUNG, 1)["msg1"]
    nights = broker(clock="03:00:00", hours="krx")
    assert nights.order("BUY", SAMSUNG, 1)["msg_cd"] == "APBK0918"


def test_every_value_of_an_order_is_text(broker):
    client = broker()
    body = client.account | {"PDNO": SAMSUNG, "ORD_DVSN": "01", "ORD_QTY": 1, "ORD_UNPR": "0"}
    answer = client.post("/uapi/domestic-stock/v1/trading/order-cash", "TTTC0012U", body)
    assert (answer.status_code, answer.json()["msg_cd"]) == (500, "EGW00101")


def test_a_cancel_and_a_modify_are_orders_with_numbers_of_their_own(broker, eventually):
    client = broker(move=0.0)
    feed = client.feed(notices=True)
    low = samsung(client)["lower"]
    first = client.order("BUY", SAMSUNG, 10, low)["output"]["ODNO"]
    second = client.change(first, "01", price=low + 100)["output"]["ODNO"]
    third = client.change(second, "02", quantity=4)["output"]["ODNO"]
    assert len({first, second, third}) == 3
    assert order_of(client, first)["remainder"] == 0
    assert order_of(client, second)["remainder"] == 6
    accepted, modified, cancelled = feed.notices(3)
    assert (accepted[2], accepted[3], accepted[5]) == (first, "", "0")
    assert (modified[2], modified[3], modified[5], modified[14]) == (second, first, "1", "2")
    assert (cancelled[2], cancelled[3], cancelled[5]) == (third, second, "2")
    assert client.change(first, "02")["rt_cd"] == "1"
    assert client.change("0000000001", "02")["rt_cd"] == "1"
    client.simulator.control("price", symbol=SAMSUNG, price=low + 100)
    eventually(lambda: order_of(client, second)["filled"] == 6)
    assert "수량이 없습니다" in client.change(second, "02")["msg1"]


def test_ioc_that_finds_nothing_is_dropped(broker, eventually):
    client = broker(move=0.0)
    feed = client.feed(notices=True)
    odno = client.order("BUY", SAMSUNG, 3, samsung(client)["lower"], "11")["output"]["ODNO"]
    accepted, dropped = feed.notices(2)
    assert (accepted[7], dropped[7]) == ("1", "1")
    assert (dropped[2], dropped[13], dropped[14]) == (odno, "1", "3")
    assert order_of(client, odno)["cancelled"] == 3


def test_sent_does_not_mean_accepted(broker):
    client = broker()
    feed = client.feed(notices=True)
    client.simulator.control("fault", refuse_after_sent=1)
    odno = client.order("BUY", SAMSUNG, 3)["output"]["ODNO"]
    (notice,) = feed.notices(1)
    assert (notice[2], notice[12], notice[13]) == (odno, "1", "1")
    assert client.executions(ODNO=odno)[0]["rjct_qty"] == "3"


@pytest.mark.parametrize("how", ["close", "hang", "500", "EGW00301"])
def test_an_order_whose_answer_is_lost_is_at_the_broker_all_the_same(broker, how):
    client = broker(rate=0.0)
    client.headers("")
    client.simulator.control("fault", lose_next=how)
    body = client.account | {"PDNO": SAMSUNG, "ORD_DVSN": "01", "ORD_QTY": "2", "ORD_UNPR": "0"}
    url = client.simulator.rest_url + "/uapi/domestic-stock/v1/trading/order-cash"
    if how in ("close", "hang"):
        with pytest.raises(requests.RequestException):
            client.session.post(url, json=body, headers=client.headers("TTTC0012U"), timeout=0.4)
    else:
        answer = client.session.post(url, json=body, headers=client.headers("TTTC0012U"), timeout=5)
        assert answer.status_code == 500
        assert ("EGW00301" in answer.text) == (how == "EGW00301")
    assert [one["quantity"] for one in client.simulator.book()["orders"]] == [2]
    order = next(one for one in client.simulator.lines("orders") if one["kind"] == "order")
    assert (order["outcome"], order["lost"]) == ("lost reply", how)
    assert client.order("BUY", SAMSUNG, 1)["rt_cd"] == "0"


def test_the_notice_can_overtake_the_answer(broker):
    client = broker(notice_first=True)
    feed = client.feed(notices=True)
    client.headers("")
    answer = client.order("BUY", SAMSUNG, 1)
    answered = time.monotonic()
    (notice,) = feed.notices(1)
    assert notice[2] == answer["output"]["ODNO"]
    time.sleep(0.3)
    sealed = [one for one in client.simulator.lines("frames") if one["frame"].startswith("1|")]
    assert sealed[0]["mono"] < answered - 0.05


def test_the_gap_between_two_order_calls_is_measured_where_they_arrive(broker):
    client = broker()
    client.order("BUY", SAMSUNG, 1)
    time.sleep(0.2)
    client.order("BUY", SAMSUNG, 1)
    gap = client.simulator.stats()["min_order_gap_s"]["account-1"]
    assert 0.2 <= gap < 1.0
    calls = [one for one in client.simulator.lines("orders") if one["kind"] == "order"]
    assert calls[1]["mono"] - calls[0]["mono"] == pytest.approx(gap, abs=1e-5)
