"""A customer signs in to the simulated broker."""

import time


def test_a_token_lasts_a_day_and_a_second_issue_within_the_minute_is_refused(broker):
    client = broker()
    first = client.issue()
    assert first.status_code == 200
    assert set(first.json()) == {
        "access_token",
        "access_token_token_expired",
        "token_type",
        "expires_in",
    }
    assert first.json()["expires_in"] == 86400
    assert len(first.json()["access_token"]) <= 350
    second = client.issue()
    assert second.status_code == 403
    assert second.json()["error_code"] == "EGW00133"
    assert "rt_cd" not in second.json()


def test_asking_again_later_the_same_day_gives_the_same_token(broker):
    client = broker(token_gap_s=0.0)
    assert client.issue().json() == client.issue().json()


def test_an_expired_an_unknown_and_a_missing_token_are_told_apart(broker):
    client = broker()
    quote = ("/uapi/domestic-stock/v1/quotations/inquire-price", "FHKST01010100")
    asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": "005930"}
    assert client.get(*quote, **asked).json()["rt_cd"] == "0"
    client.simulator.control("fault", expire_tokens=True)
    expired = client.get(*quote, **asked)
    assert (expired.status_code, expired.json()["msg_cd"]) == (500, "EGW00123")
    old, client.token = client.token, ""
    assert client.get(*quote, **asked).json()["rt_cd"] == "0"
    assert client.token != old
    client.token = "made-up"
    assert client.get(*quote, **asked).json()["msg_cd"] == "EGW00121"
    headers = client.headers("FHKST01010100")
    del headers["authorization"]
    bare = client.session.get(client.simulator.rest_url + quote[0], headers=headers, timeout=5)
    assert bare.json()["msg_cd"] == "EGW00122"


def test_a_revoked_token_is_no_token_any_more(broker):
    client = broker()
    client.headers("")
    body = {"appkey": client.me.app_key, "appsecret": client.me.app_secret, "token": client.token}
    url = client.simulator.rest_url + "/oauth2/revokeP"
    answer = client.session.post(url, json=body, timeout=5).json()
    assert answer == {"code": 200, "message": "접근토큰 폐기에 성공하였습니다"}
    assert client.ledger("inquire-balance", "TTTC8434R").json()["msg_cd"] == "EGW00121"


def test_wrong_keys_are_refused_and_the_keys_have_the_brokers_size(broker):
    client = broker()
    assert (len(client.me.app_key), len(client.me.app_secret)) == (36, 180)
    body = {"grant_type": "client_credentials", "appkey": "PSnobody", "appsecret": "x"}
    answer = client.session.post(client.simulator.rest_url + "/oauth2/tokenP", json=body, timeout=5)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "EGW00103")
    client.headers("")
    headers = client.headers("FHKST01010100") | {"appkey": "PSnobody"}
    url = client.simulator.rest_url + "/uapi/domestic-stock/v1/quotations/inquire-price"
    assert client.session.get(url, headers=headers, timeout=5).json()["msg_cd"] == "EGW00103"


def test_no_secret_reaches_the_logs(broker, eventually):
    client = broker()
    feed = client.feed("005930", notices=True)
    client.order("BUY", "005930", 1)
    feed.notices(2)
    time.sleep(0.3)
    written = "".join(
        file.read_text("utf-8") for file in client.simulator.log.iterdir() if file.is_file()
    )
    secrets = [client.me.app_key, client.me.app_secret, client.token, feed.approval_key]
    secrets += [client.me.account, client.me.account[:8], *feed.seal]
    for secret in secrets:
        assert secret
        assert secret not in written
