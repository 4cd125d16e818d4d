"""The broker meters calls by arrival."""

import time

import pytest

PRICE = ("/uapi/domestic-stock/v1/quotations/inquire-price", "FHKST01010100")
SAMSUNG = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}


@pytest.mark.parametrize(
    ("scenario", "ceiling"), [("calm", 18), ("kis-2024", 20), ("new-customer", 3)]
)
def test_one_call_above_the_ceiling_of_any_second_is_refused(broker, scenario, ceiling):
    client = broker(scenario, ceiling=ceiling)
    client.headers("")
    took, bursts = 9.9, 0
    while took >= 1.0:  # a machine busy elsewhere may be too slow to hit the ceiling at once
        bursts += 1
        assert bursts < 10
        time.sleep(1.05 if bursts > 1 else 0)
        started = time.monotonic()
        answers = [client.get(*PRICE, **SAMSUNG) for _ in range(ceiling + 2)]
        took = time.monotonic() - started
    assert [one.status_code for one in answers] == [200] * ceiling + [500, 500]
    assert answers[-1].json()["msg_cd"] == "EGW00201"
    stats = client.simulator.stats()
    assert stats["max_calls_in_any_second"]["simkey-1"] == ceiling + 2
    assert stats["refused"]["EGW00201"] >= 2
    time.sleep(1.05)
    assert client.get(*PRICE, **SAMSUNG).status_code == 200


def test_the_ledger_answers_an_account_once_a_second(broker, client_of):
    client = broker(ceiling=18, ledger_per_s=1)
    other = client_of(client.simulator, 2)
    assert client.ledger("inquire-balance", "TTTC8434R").status_code == 200
    refused = client.ledger("inquire-daily-ccld", "TTTC0081R")
    assert (refused.status_code, refused.json()["msg_cd"]) == (500, "EGW00215")
    assert other.ledger("inquire-balance", "TTTC8434R").status_code == 200
    assert client.order("BUY", "005930", 1)["rt_cd"] == "0"
    assert client.simulator.stats()["refused_by_rate"] == 1


def test_paper_trading_has_fewer_calls_and_its_own_ids(broker):
    client = broker("paper")
    lacking = client.ledger("inquire-balance-rlz-pl", "VTTC8494R")
    assert (lacking.status_code, lacking.json()["msg_cd"]) == (500, "EGW02006")
    assert client.ledger("inquire-balance", "TTTC8434R").json()["msg_cd"] == "EGW02006"
    assert client.ledger("inquire-balance", "VTTC8434R").json()["rt_cd"] == "0"
    assert client.get(*PRICE, **SAMSUNG).json()["rt_cd"] == "0"


def test_spurious_refusals_slow_answers_and_broken_bodies_can_be_switched_on(broker):
    client = broker()
    client.simulator.control("fault", spurious_rate=1.0)
    assert client.get(*PRICE, **SAMSUNG).json()["msg_cd"] == "EGW00201"
    client.simulator.control("fault", spurious_rate=0, broken_json=1.0)
    broken = client.get(*PRICE, **SAMSUNG)
    assert broken.status_code == 200
    with pytest.raises(ValueError, match="Unterminated string"):
        broken.json()
    client.simulator.control("fault", broken_json=0, http_500=1.0)
    assert client.get(*PRICE, **SAMSUNG).text.startswith("<html>")
    client.simulator.control("fault", http_500=0, slow=1.0, slow_s=0.3)
    started = time.monotonic()
    assert client.get(*PRICE, **SAMSUNG).status_code == 200
    assert time.monotonic() - started >= 0.3


def test_every_arrival_is_in_the_log_with_its_time_and_answer(broker):
    client = broker()
    before = time.monotonic()
    client.get(*PRICE, **SAMSUNG)
    client.ledger("inquire-balance", "TTTC9999R")
    token, price, wrong = client.simulator.lines("calls")
    assert token["path"] == "/oauth2/tokenP"
    assert before <= token["mono"] <= price["mono"] <= wrong["mono"] <= time.monotonic()
    assert (price["key"], price["tr_id"], price["status"]) == ("simkey-1", PRICE[1], 200)
    assert (wrong["status"], wrong["msg_cd"]) == (500, "EGW00310")
