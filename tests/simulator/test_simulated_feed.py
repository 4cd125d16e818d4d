"""The websocket: registrations, keep-alive, trade frames and what can go wrong with them."""

import json
import time

import pytest
import websocket

from simulator.price_steps import on_step

SAMSUNG = "005930"


def records(frame: str) -> list[list[str]]:
    count, body = int(frame.split("|")[2]), frame.split("|")[3].split("^")
    width = len(body) // count
    assert len(body) == width * count
    return [body[n * width : (n + 1) * width] for n in range(count)]


def test_each_ack_brings_a_key_of_its_own_and_codes_say_what_is_wrong(broker):
    client = broker(rate=0.0)
    feed = client.feed()
    acks = [feed.register("H0STCNT0", code) for code in (SAMSUNG, "000660")]
    outputs = [ack["body"]["output"] for ack in acks]
    assert [(len(one["iv"]), len(one["key"])) for one in outputs] == [(16, 32), (16, 32)]
    assert outputs[0] != outputs[1]
    assert acks[0]["header"] == {"tr_id": "H0STCNT0", "tr_key": SAMSUNG, "encrypt": "N"}

    def code(*asked, **header):
        feed.ask(*asked, **header)
        return feed.ack()["body"]["msg_cd"]

    assert code("H0STCNT0", SAMSUNG) == "OPSP0002"
    assert code("H0STCNT0", "005380", "2") == "OPSP0003"
    assert code("H0STCNT0", SAMSUNG, "2") == "OPSP0001"
    assert code("H0STXXX0", SAMSUNG) == "OPSP8991"
    assert code("H0STCNT0", "999999") == "OPSP8992"
    assert code("H0STCNT0", "") == "OPSP9990"
    assert code("H0STCNT0", SAMSUNG, "7") == "OPSP8997"
    assert code("H0STCNT0", SAMSUNG, custtype="X") == "OPSP8998"
    assert code("H0STCNT0", SAMSUNG, approval_key="") == "OPSP9996"
    feed.ask("H0STCNT0", SAMSUNG, approval_key="no-such-key")
    assert feed.ack()["body"]["msg1"] == "invalid approval : no-such-key"
    for text, wanted in (
        ("{", "OPSP9999"),
        ("{}", "OPSP9998"),
        ('{"header":{}}', "OPSP9992"),
        ('{"header":{},"body":{}}', "OPSP9991"),
    ):
        feed.socket.send(text)
        assert feed.ack()["body"]["msg_cd"] == wanted


def test_forty_prices_and_the_notice_fill_a_session(broker):
    client = broker(rate=0.0)
    codes = list(client.simulator.look("stocks"))
    feed = client.feed(*codes[:40], notices=True)
    refused = feed.register("H0STCNT0", codes[40])
    assert (refused["body"]["rt_cd"], refused["body"]["msg_cd"]) == ("1", "OPSP0008")
    feed.register("H0STCNT0", codes[0], "2")
    assert feed.register("H0STCNT0", codes[40])["body"]["msg_cd"] == "OPSP0000"
    assert client.simulator.stats()["registrations"] == {"simkey-1": 41}


def test_a_second_session_of_the_same_key_is_turned_away_and_closed(broker, client_of):
    client = broker(rate=0.0)
    client.feed(SAMSUNG)
    second = client.feed()
    message = second.register("H0STCNT0", "000660")
    assert message["header"]["tr_id"] == "(null)"
    assert (message["body"]["rt_cd"], message["body"]["msg_cd"]) == ("9", "OPSP8996")
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        second.next()
    other = client_of(client.simulator, 2).feed("000660")
    assert other.register("H0STCNT0", SAMSUNG)["body"]["rt_cd"] == "0"
    stats = client.simulator.stats()
    assert (stats["already_in_use"], stats["connects"]["simkey-1"]) == (1, 2)


def test_a_drop_leaves_a_ghost_and_a_tidy_close_leaves_none(broker, eventually):
    client = broker(rate=0.0, ghost_s=0.6)
    client.feed(SAMSUNG).close()
    eventually(lambda: client.simulator.stats()["registrations"] == {})
    rude = client.feed(SAMSUNG)
    rude.socket.sock.close()
    eventually(lambda: client.simulator.stats()["registrations"] == {})
    assert client.feed().register("H0STCNT0", SAMSUNG)["body"]["msg_cd"] == "OPSP8996"
    time.sleep(0.7)
    assert client.feed().register("H0STCNT0", SAMSUNG)["body"]["msg_cd"] == "OPSP0000"


def test_a_wrong_hts_id_is_hung_up_on_without_a_word(broker):
    feed = broker().feed()
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        feed.register("H0STCNI0", "somebody")


@pytest.mark.parametrize("path", ["", "/", "/tryitout", "/tryitout/H0STCNT0"])
def test_all_the_doors_of_the_feed_are_open(broker, path):
    assert broker().feed(SAMSUNG, path=path).frames(1)


def test_pingpong_may_be_echoed_or_ponged_and_silence_is_cut_off(broker):
    client = broker(rate=0.0, pingpong_s=0.1, pingpong_cut_s=0.5)
    feed = client.feed(SAMSUNG)
    until = time.monotonic() + 1.2
    echoed = 0
    while time.monotonic() < until:
        text = feed.next()
        if "PINGPONG" in text:
            header = json.loads(text)["header"]
            assert len(header["datetime"]) == 14
            echoed += 1
            if echoed % 2:
                feed.socket.send(text)
            else:
                feed.socket.pong(text)
    assert echoed >= 5
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        feed.frames(1)


def test_a_trade_record_keeps_the_invariants_of_the_genuine_ones(broker):
    client = broker(rate=2000.0)
    stocks = client.simulator.look("stocks")
    codes = list(stocks)[:30]
    before: dict[str, int] = {}
    for frame in client.feed(*codes).frames(400):
        for one in records(frame):
            price, change, base = int(one[2]), int(one[4]), stocks[one[0]]["base"]
            assert price - change == base
            assert on_step(price)
            assert stocks[one[0]]["lower"] <= price <= stocks[one[0]]["upper"]
            assert float(one[5]) == pytest.approx(change * 100 / base, abs=0.006)
            volume, amount = int(one[13]), int(one[14])
            assert float(one[6]) == pytest.approx(amount / volume, abs=0.006)
            assert int(one[9]) <= price <= int(one[8])
            assert price in (int(one[10]), int(one[11]))
            assert int(one[10]) > int(one[11])
            assert int(one[17]) == int(one[16]) - int(one[15])
            assert int(one[19]) + int(one[20]) < volume
            assert (int(one[26]), int(one[29]), int(one[32])) == tuple(
                price - int(one[n]) for n in (7, 8, 9)
            )
            if one[0] in before:
                assert volume == before[one[0]] + int(one[12])
            before[one[0]] = volume
            assert (one[21] in "15", one[35], one[44], one[46]) == (True, "N", "", "2")


@pytest.mark.parametrize("width", [46, 47, 48])
def test_the_width_of_a_record_can_be_any_of_three(broker, width):
    frames = broker("open", width=width, rate=3000.0).feed(SAMSUNG, "000660").frames(150)
    counts = [len(records(frame)) for frame in frames]
    assert {len(one) for frame in frames for one in records(frame)} == {width}
    assert max(counts) > 5
    assert max(counts) <= 19


def test_the_next_trade_is_at_the_price_asked_for(broker):
    client = broker(rate=20.0)
    feed = client.feed(SAMSUNG)
    stock = client.simulator.look("stocks")[SAMSUNG]
    client.simulator.control("price", symbol=SAMSUNG, price=stock["upper"])
    prices = [one[2:4] for frame in feed.frames(6) for one in records(frame)]
    assert [str(stock["upper"]), "1"] in prices
    for price in (stock["price"] + 7, stock["upper"] + 1000):
        with pytest.raises(ValueError, match=f"price={price}"):
            client.simulator.control("price", symbol=SAMSUNG, price=price)
    with pytest.raises(ValueError, match="no such knob"):
        client.simulator.control("fault", ratee=1)


def test_a_halt_shows_once_and_then_the_stock_is_silent(broker):
    client = broker(rate=300.0)
    feed = client.feed(SAMSUNG)
    feed.frames(3)
    client.simulator.control("fault", halt=SAMSUNG)
    while records(feed.frames(1)[0])[-1][35] != "Y":
        pass
    feed.socket.settimeout(0.4)
    with pytest.raises(websocket.WebSocketTimeoutException):
        feed.frames(1)
    client.simulator.control("fault", resume=SAMSUNG)
    assert records(feed.frames(1)[0])[0][35] == "N"


def test_vi_is_a_silence_that_ends_with_a_print_and_the_feed_can_stop(broker):
    client = broker(rate=300.0)
    feed = client.feed(SAMSUNG)
    client.simulator.control("fault", vi=SAMSUNG, vi_s=0.7)
    started = time.monotonic()
    gap = 0.0
    while gap < 0.4:
        before = time.monotonic()
        feed.frames(1)
        gap = time.monotonic() - before
        assert time.monotonic() - started < 3
    client.simulator.control("fault", stop_ticks=True)
    time.sleep(0.1)
    count = client.simulator.stats()["ticks_sent"]
    time.sleep(0.2)
    assert client.simulator.stats()["ticks_sent"] == count


def test_fragments_and_broken_bytes_reach_the_client_as_asked(broker):
    client = broker(rate=300.0, fragment=1.0)
    feed = client.feed(SAMSUNG)
    assert all(len(one) == 47 for frame in feed.frames(10) for one in records(frame))
    client.simulator.control("fault", fragment=0, invalid_utf8=1.0)
    raw = b""
    while not raw.endswith(b"\xff"):
        raw = feed.socket.recv_data()[1]
    assert raw.startswith(b"0|H0STCNT0|")
    assert client.simulator.stats()["records_spoilt"] >= 1


def test_the_server_can_end_a_session_tidily_or_in_the_middle(broker, eventually):
    client = broker(ghost_s=30.0)
    feed = client.feed(SAMSUNG)
    client.simulator.control("fault", close_ws=1)
    opcode, data = 1, b""
    while opcode == 1:
        opcode, data = feed.socket.recv_data(control_frame=True)
    assert (opcode, int.from_bytes(data[:2], "big")) == (8, 1000)
    eventually(lambda: client.simulator.stats()["registrations"] == {})
    feed = client.feed(SAMSUNG)
    client.simulator.control("fault", drop_ws=1)
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        feed.frames(10**6)
    assert client.feed().register("H0STCNT0", SAMSUNG)["body"]["msg_cd"] == "OPSP8996"


def test_the_frame_log_is_what_arrived_in_order(broker):
    client = broker(rate=500.0)
    feed = client.feed(SAMSUNG, "000660")
    client.simulator.control("fault", stop_ticks=True)
    time.sleep(0.1)
    client.simulator.control("fault", stop_ticks=False)
    got = feed.frames(50)
    time.sleep(0.4)
    logged = [one["frame"] for one in client.simulator.lines("frames")]
    logged = [frame for frame in logged if frame.startswith("0|")]
    at = logged.index(got[0])
    assert logged[at : at + 50] == got
    stats = client.simulator.stats()
    assert stats["ticks_sent"] == sum(one["records"] for one in stats["symbols"].values())


def test_the_same_seed_walks_the_same_way(broker):
    def walk(seed):
        feed = broker(rate=500.0, seed=seed, records_max=1).feed(SAMSUNG)
        return [tuple(records(frame)[0][n] for n in (2, 12, 13)) for frame in feed.frames(20)]

    first, again, other = walk(5), walk(5), walk(6)
    assert first == again
    assert first != other
