"""Balance, executions and orderable cash, in the broker's own shapes."""

import json
from pathlib import Path

PAYLOADS = Path(__file__).parent.parent / "payloads"


def genuine(name: str) -> dict:
    rows = json.loads((PAYLOADS / "rest_responses.json").read_text("utf-8"))
    return next(row for row in rows if row["id"] == name)


def test_the_balance_has_the_shape_of_the_genuine_one(broker):
    client = broker("demo")
    answer = client.ledger("inquire-balance", "TTTC8434R")
    body, sample = answer.json(), genuine("inquire-balance")["body"]
    assert set(body) == set(sample)
    assert set(body["output1"][0]) == set(sample["output1"][0])
    assert isinstance(body["output2"], list)
    assert set(body["output2"][0]) == set(sample["output2"][0])
    assert len(body["ctx_area_fk100"]) == len(body["ctx_area_nk100"]) == 100
    assert body["msg1"].endswith("  ")
    assert all(isinstance(value, str) for value in body["output1"][0].values())
    raw = set(answer.raw.headers)
    assert {"tr_id", "tr_cont", "gt_uid", "Content-Type", "Content-Length", "Date"} <= raw


def test_holdings_come_page_by_page_each_exactly_once(broker):
    held = {f"{code}": [10, 1000] for code in ("000660", "005380", "005930", "035420", "068270")}
    client = broker(holdings=held, page_balance=2)
    seen, marks, cursor, tr_cont = [], [], {}, ""
    while True:
        answer = client.ledger("inquire-balance", "TTTC8434R", tr_cont, **cursor)
        body = answer.json()
        seen += [row["pdno"] for row in body["output1"]]
        marks.append(answer.headers["tr_cont"])
        if marks[-1] in ("D", "E"):
            break
        cursor = {name.upper(): body[name] for name in ("ctx_area_fk100", "ctx_area_nk100")}
        tr_cont = "N"
    assert seen == sorted(held)
    assert marks == ["F", "M", "E"]


def test_an_empty_account_says_so_and_still_succeeds(broker):
    body = broker().ledger("inquire-balance", "TTTC8434R").json()
    assert (body["rt_cd"], body["msg_cd"], body["output1"]) == ("0", "KIOK0560", [])
    assert body["output2"][0]["dnca_tot_amt"] == "100000000"


def test_another_accounts_number_is_refused(broker):
    client = broker()
    path = "/uapi/domestic-stock/v1/trading/inquire-balance"
    body = client.get(path, "TTTC8434R", CANO="12345678", ACNT_PRDT_CD="01").json()
    assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2000")


def test_a_purchase_moves_the_cash_of_the_day_after_tomorrow_only(broker, eventually):
    client = broker(rate=0.0)
    client.order("BUY", "005930", 10)
    row = eventually(lambda: client.executions(CCLD_DVSN="01"))[0]
    amount = int(row["tot_ccld_amt"])
    body = client.ledger("inquire-balance", "TTTC8434R").json()
    sums, holding = body["output2"][0], body["output1"][0]
    fee = amount * 150 // 1_000_000
    assert (sums["dnca_tot_amt"], sums["nxdy_excc_amt"]) == ("100000000", "100000000")
    assert int(sums["prvs_rcdl_excc_amt"]) == 100_000_000 - amount - fee
    assert int(sums["thdt_buy_amt"]) == amount
    assert int(sums["tot_evlu_amt"]) == int(sums["scts_evlu_amt"]) + 100_000_000 - amount - fee
    assert (holding["hldg_qty"], holding["thdt_buyqty"]) == ("10", "10")


def test_shares_sold_out_stay_as_a_row_of_zero_and_the_profit_is_realised(broker, eventually):
    client = broker(rate=0.0, holdings={"005930": [10, 70000]})
    client.order("SELL", "005930", 10)
    amount = int(eventually(lambda: client.executions(CCLD_DVSN="01"))[0]["tot_ccld_amt"])
    body = client.ledger("inquire-balance-rlz-pl", "TTTC8494R").json()
    assert body["output1"][0]["hldg_qty"] == "0"
    costs = amount * 150 // 1_000_000 + amount * 2000 // 1_000_000
    assert int(body["output2"][0]["rlzt_pfls"]) == amount - 700_000 - costs
    assert int(body["output2"][0]["prvs_rcdl_excc_amt"]) == 100_000_000 + amount - costs


def test_an_open_order_keeps_its_cash_and_a_market_order_counts_at_the_upper_limit(broker):
    client = broker(rate=0.0)
    stock = client.simulator.look("stocks")["005930"]
    asked = {"PDNO": "005930", "ORD_UNPR": "", "ORD_DVSN": "01"}
    before = client.ledger("inquire-psbl-order", "TTTC8908R", **asked).json()["output"]
    assert set(before) == set(genuine("psbl-order")["body"]["output"])
    assert before["ord_psbl_cash"] == "100000000"
    assert before["psbl_qty_calc_unpr"] == str(stock["upper"])
    client.order("BUY", "005930", 100, stock["lower"])
    after = client.ledger("inquire-psbl-order", "TTTC8908R", **asked).json()["output"]
    kept = 100 * stock["lower"]
    assert int(after["ord_psbl_cash"]) == 100_000_000 - kept - kept * 150 // 1_000_000
    rows = client.ledger("inquire-psbl-rvsecncl", "TTTC0084R").json()["output"]
    assert [(row["pdno"], row["psbl_qty"]) for row in rows] == [("005930", "100")]


def test_executions_are_paged_filtered_and_may_lag(broker, eventually):
    client = broker(rate=0.0, page_orders=2, executions_delay_s=0.6)
    low = client.simulator.look("stocks")["005930"]["lower"]
    numbers = [client.order("BUY", "005930", 1, low)["output"]["ODNO"] for _ in range(3)]
    filled = client.order("BUY", "000660", 1)["output"]["ODNO"]
    first = client.ledger("inquire-daily-ccld", "TTTC0081R", CCLD_DVSN="00", INQR_DVSN="01")
    assert first.headers["tr_cont"] == "F"
    assert [row["odno"] for row in first.json()["output1"]] == numbers[:2]
    assert isinstance(first.json()["output2"], dict)
    eventually(lambda: client.simulator.stats()["fills"] == 1)
    assert client.executions(ODNO=filled)[0]["tot_ccld_qty"] == "0"
    eventually(lambda: client.executions(ODNO=filled)[0]["tot_ccld_qty"] == "1")
    open_ones = client.executions(CCLD_DVSN="02", INQR_DVSN="01")
    assert [row["odno"] for row in open_ones] == numbers[:2]
    assert open_ones[0]["excg_id_dvsn_Cd"] == "KRX"
