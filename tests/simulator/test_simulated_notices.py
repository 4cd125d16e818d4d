"""Fill notices: layouts, encryption, to whom they go, and how they get lost."""

import json
import time
from pathlib import Path

import pytest

from simulator import wire

PAYLOADS = Path(__file__).parent.parent / "payloads"
SAMSUNG = "005930"


def test_sealing_gives_the_known_vector():
    vector = json.loads((PAYLOADS / "aes_vector.json").read_text("utf-8"))
    frame = wire.sealed("H0STCNI9", vector["plaintext_utf8"], vector["key"], vector["iv"])
    assert frame == vector["frame"]


def test_the_old_layout_equals_the_genuine_captures_field_by_field(broker):
    """A market buy of ten of 032350: accepted, then filled, as it was captured."""
    genuine = {
        one["id"]: one["decrypted_payload"].split("^")
        for one in json.loads((PAYLOADS / "ws_frames.json").read_text("utf-8"))
        if "decrypted_payload" in one
    }
    client = broker(notice_layout="A")
    feed = client.feed(notices=True)
    client.order("BUY", "032350", 10)
    accepted, filled = feed.notices(2)
    differ = {0, 2, 11}  # whose, which number, when
    for got, name in ((accepted, "CNI9-accept-market-buy-A"), (filled, "CNI9-partial-fill-A")):
        sample = genuine[name]
        assert [len(field) for field in got[:17]] == [
            len(field) if n else 7 for n, field in enumerate(sample[:17])
        ]
        skip = differ | ({9, 10} if got is filled else set())
        assert [v for n, v in enumerate(got) if n not in skip] == [
            v for n, v in enumerate(sample) if n not in skip
        ]


@pytest.mark.parametrize(
    ("layout", "width", "at_18"), [("A", 23, "삼성전자"), ("B", 23, "1Y"), ("C", 26, "")]
)
def test_the_three_layouts_share_their_first_seventeen_fields(broker, layout, width, at_18):
    client = broker(notice_layout=layout, rate=0.0)
    feed = client.feed(notices=True)
    odno = client.order("BUY", SAMSUNG, 3)["output"]["ODNO"]
    accepted, filled = feed.notices(2)
    assert (len(accepted), len(filled), filled[18]) == (width, width, at_18)
    assert (filled[0], filled[1], filled[2]) == ("stockd1", client.me.account, odno)
    assert (filled[8], int(filled[9]), int(filled[16])) == (SAMSUNG, 3, 3)
    assert (filled[12], filled[13], filled[14]) == ("0", "2", "2")


def test_every_session_of_the_hts_id_hears_of_every_account(broker, client_of):
    client = broker()
    others = [client_of(client.simulator, number) for number in (2, 3)]
    feeds = [one.feed(notices=True) for one in (client, *others)]
    odno = others[0].order("BUY", SAMSUNG, 1)["output"]["ODNO"]
    heard = [feed.notices(2) for feed in feeds]
    assert heard[0] == heard[1] == heard[2]
    assert [one[2] for one in heard[0]] == [odno, odno]
    assert heard[0][0][1] == others[0].me.account
    assert len({feed.seal for feed in feeds}) == 3


def test_paper_trading_uses_the_other_notice(broker):
    client = broker("paper", ceiling=1000)
    feed = client.feed()
    assert feed.register("H0STCNI0", "stockd1")["body"]["msg_cd"] == "OPSP8991"
    assert feed.register("H0STCNI9", "stockd1")["body"]["msg_cd"] == "OPSP0000"


def test_notices_can_be_lost_doubled_and_late_while_the_fill_is_real(broker, eventually):
    client = broker(rate=0.0, drop_notices=1.0)
    feed = client.feed(notices=True)
    client.order("BUY", SAMSUNG, 1)
    eventually(lambda: client.executions(CCLD_DVSN="01"))
    client.simulator.control("fault", drop_notices=0, double_notices=1.0)
    client.order("BUY", "000660", 1)
    notices = feed.notices(4)
    assert {one[8] for one in notices} == {"000660"}
    assert sorted(one[13] for one in notices) == ["1", "1", "2", "2"]
    client.simulator.control("fault", double_notices=0, delay_notices=0.5)
    started = time.monotonic()
    client.order("BUY", "005380", 1)
    feed.notices(1)
    assert time.monotonic() - started >= 0.5
    counted = client.simulator.stats()["notices"]
    assert (counted["dropped"], counted["doubled"]) == (2, 2)
