"""What the wire says is what we read: genuine frames, many records, widths that change."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.crypto import decrypt
from kis.frames import (
    TRADE_PREFIX,
    TradeReader,
    is_data,
    notice_records,
    split_frame,
)
from kis.parse import parse_figures, parse_moment, parse_notice, parse_tick
from trading.clock import KST
from trading.errors import BadInput
from trading.fills import NoticeKind, Side

PAYLOADS = Path(__file__).parents[1] / "payloads"
SAMPLES = {row["id"]: row for row in json.loads((PAYLOADS / "ws_frames.json").read_text("utf-8"))}
REAL_2023 = SAMPLES["H0STCNT0-20230324"]["frame"].encode()
PORTAL = b"0|H0STCNT0|001|" + SAMPLES["H0STCNT0-portal-20230612"]["payload"].encode()
TABLE_2026 = (
    b"0|H0STCNT0|001|005930^115214^250500^5^-19500^-7.22^257548.62^266000^266500^248500^250500"
    b"^250000^2^11701513^3013709268750^113664^103131^-10533^60.51^7129195^4313943^1^0.37^73.08"
    b"^090025^5^-15500^090025^5^-16000^114825^2^2000^20260724^20^N^8930^67892^101158^466092^0.20"
    b"^8331745^140.44^0^^266000"
)
RECORD = TABLE_2026[15:]


def ticks_of(message: bytes, reader: TradeReader | None = None):
    return [parse_tick(record) for record in (reader or TradeReader()).records(message)]


def frame(*records: bytes) -> bytes:
    return TRADE_PREFIX + b"%03d|" % len(records) + b"^".join(records)


def test_genuine_trade_frames_say_what_their_table_says():
    (tick,) = ticks_of(TABLE_2026)
    assert tick.symbol == "005930"
    assert tick.at == datetime(2026, 7, 24, 11, 52, 14, tzinfo=KST)
    assert (tick.price, tick.change) == (250500, -19500)
    assert (tick.open, tick.high, tick.low) == (266000, 266500, 248500)
    assert (tick.ask, tick.bid) == (250500, 250000)
    assert (tick.volume, tick.day_volume, tick.day_turnover) == (2, 11701513, 3013709268750)
    assert (tick.halted, tick.hour_class, tick.vi_price) == (False, "0", 266000)
    assert tick.market_class == ""
    (tick,) = ticks_of(REAL_2023)
    assert (tick.symbol, tick.price, tick.change, tick.volume) == ("005930", 62700, 400, 125)
    assert tick.at == datetime(2023, 3, 24, 11, 26, 16, tzinfo=KST)
    assert (tick.day_volume, tick.day_turnover) == (9694968, 607878273600)
    (tick,) = ticks_of(PORTAL)
    assert (tick.price, tick.change, tick.day_volume) == (71900, -100, 3052507)


@pytest.mark.parametrize("extra", [b"", b"^2", b"^2^new", b"^2^new^fields"])
def test_46_47_and_more_fields_give_the_same_tick(extra: bytes):
    reader = TradeReader()
    (tick,) = ticks_of(frame(RECORD + extra), reader)
    (known,) = ticks_of(TABLE_2026)
    assert tick == known._replace(market_class="2" if extra else "")
    assert reader.extra_widths == ({46 + extra.count(b"^")} if extra.count(b"^") > 1 else set())


def test_the_width_may_change_under_way():
    reader = TradeReader()
    for extra in (b"", b"", b"^2", b"^2", b"", b"^2^x", b"^2^x"):
        assert ticks_of(frame(RECORD + extra), reader)[0].price == 250500
    assert (reader.records_read, reader.bad, reader.extra_widths) == (7, 0, {48})


@pytest.mark.parametrize("extra", [b"", b"^2"])
def test_nineteen_records_are_nineteen_ticks(extra: bytes):
    records = [RECORD.replace(b"11701513", b"%d" % (11701513 + i)) + extra for i in range(19)]
    ticks = ticks_of(frame(*records))
    assert [tick.day_volume for tick in ticks] == [11701513 + i for i in range(19)]


def test_a_short_record_costs_itself_not_its_neighbours():
    short = RECORD.rsplit(b"^", 1)[0]
    for place in range(3):
        records = [RECORD.replace(b"^2^11701513", b"^%d^11701513" % i) for i in range(3)]
        records[place] = short
        reader = TradeReader()
        ticks = ticks_of(frame(*records), reader)
        assert [tick.volume for tick in ticks] == [i for i in range(3) if i != place]
        assert (reader.bad, reader.short, reader.records_read) == (1, 1, 2)
    reader = TradeReader()
    assert ticks_of(frame(short), reader) == []
    assert (reader.bad, reader.short) == (1, 1)


def test_a_record_too_long_and_one_too_short_are_not_read_as_two_good_ones():
    reader = TradeReader()
    ticks = ticks_of(frame(RECORD + b"^2", RECORD.rsplit(b"^", 1)[0]), reader)
    assert [tick.price for tick in ticks] == [250500]
    assert reader.bad == 1


def test_broken_utf8_costs_the_record():
    reader = TradeReader()
    broken = RECORD.replace(b"^250500^5", b"^25\xff\xfe500^5")
    ticks = ticks_of(frame(RECORD, broken, RECORD), reader)
    assert len(ticks) == 2
    assert reader.bad == 1
    assert "STCK_PRPR" in reader.last_bad


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        (0, b"005_930", "MKSC_SHRN_ISCD"), (0, b"", "MKSC_SHRN_ISCD"), (1, b"256199", "CNTG_HOUR"),
        (2, b"", "STCK_PRPR"), (2, b"0", "STCK_PRPR"), (2, b"-1", "STCK_PRPR"),
        (2, b"1_000", "STCK_PRPR"), (2, b" 100", "STCK_PRPR"), (2, b"1e5", "STCK_PRPR"),
        (12, b"", "CNTG_VOL"), (12, b"1.5", "CNTG_VOL"), (13, b"x", "ACML_VOL"),
        (14, b"--1", "ACML_TR_PBMN"), (33, b"20261340", "BSOP_DATE"), (35, b"Q", "TRHT_YN"),
        (43, b"Z", "HOUR_CLS_CODE"), (45, b"+1", "VI_STND_PRC"), (46, b"9", "MARKET_CLS_CODE"),
    ],
)  # fmt: skip
def test_a_bad_value_names_its_field(place: int, value: bytes, named: str):
    fields = (RECORD + b"^2").split(b"^")
    fields[place] = value
    with pytest.raises(BadInput) as caught:
        parse_tick(fields)
    assert named in caught.value.field
    reader = TradeReader()
    assert ticks_of(frame(b"^".join(fields)), reader) == []
    assert reader.bad == 1


@pytest.mark.parametrize("place", [4, 7, 8, 9, 10, 11, 44, 45])
def test_an_empty_field_is_zero_where_a_stock_may_have_none(place: int):
    fields = RECORD.split(b"^")
    fields[place] = b""
    (tick,) = ticks_of(frame(b"^".join(fields)))
    assert tick.price == 250500


@pytest.mark.parametrize(
    "head", [b"", b"0", b"0|H0STCNT0", b"0|H0STCNT0|01|x", b"0|H0STCNT0|000|x", b"2|H0STCNT0|001|x"]
)
def test_a_head_that_is_none_is_named(head: bytes):
    with pytest.raises(BadInput):
        split_frame(head)
    assert is_data(b"0|x")
    assert is_data(b"1|x")
    assert not is_data(b'{"header":{}}')


record_strategy = st.builds(
    lambda symbol, second, price, volume, total: b"^".join(
        [
            symbol.encode(),
            b"%02d%02d%02d" % (second // 3600, second // 60 % 60, second % 60),
            b"%d" % price,
            *RECORD.split(b"^")[3:12],
            b"%d" % volume,
            b"%d" % total,
            *RECORD.split(b"^")[14:],
        ]
    ),
    st.from_regex(r"\A[0-9A-Z]{6}\Z"),
    st.integers(0, 86399),
    st.integers(1, 10**7),
    st.integers(0, 10**9),
    st.integers(0, 10**12),
)


@settings(max_examples=150, deadline=None, print_blob=True)
@given(st.lists(st.lists(record_strategy, min_size=1, max_size=19), max_size=4), st.booleans())
def test_records_figures_and_ticks_agree_with_an_independent_read(frames, with_class):
    """The figures of a row, the whole tick and a plain split of the text say the same."""
    extra = b"^2" if with_class else b""
    reader, ticks, plain, figures = TradeReader(), [], [], []
    for records in frames:
        message = frame(*(record + extra for record in records))
        read = reader.records(message)
        ticks += ticks_of(message)
        figures += [parse_figures(record) for record in read]
        assert [parse_moment(record) for record in read] == [
            tick.at for tick in ticks[len(ticks) - len(read) :]
        ]
        for record in records:
            cells = record.decode().split("^")
            plain.append((cells[0], cells[1], int(cells[2]), int(cells[12]), int(cells[13])))
    assert [(t.symbol, f"{t.at:%H%M%S}", t.price, t.volume, t.day_volume) for t in ticks] == plain
    for found, t in zip(figures, ticks, strict=True):
        assert found is not None
        assert found[0] == (
            f"{t.price},{t.change},{t.high},{t.low},{t.ask},{t.bid},{t.volume},{t.day_volume},"
            f"{t.day_turnover},{t.at:%Y%m%d%H%M%S}"
        )
        assert found[1][6:] == ((b"2",) if with_class else ())
    assert (reader.records_read, reader.bad, reader.frames) == (len(plain), 0, len(frames))


@settings(max_examples=300, deadline=None, print_blob=True)
@given(st.binary(max_size=600))
def test_no_bytes_whatever_break_the_reader(noise: bytes):
    reader = TradeReader()
    reader.records(TRADE_PREFIX + noise)
    for record in reader.records(frame(RECORD[: len(noise)] + noise)):
        parse_figures(record)
    assert len(ticks_of(TABLE_2026, reader)) == 1


# -- fill notices ----------------------------------------------------------------------------

AT = datetime(2026, 9, 15, 14, 41, 13, tzinfo=KST)
LAYOUT_C = (
    "HTSUSER1^5000000001^0000001562^0000001500^01^0^00^0^027360^0000000004^000002200^092701^0^2^2"
    "^00950^000000010^홍길동^000000000^4^Y^   ^10^^아주IB투자^000002200"
)


def notice(text: str, at: datetime = AT):
    (record,) = notice_records(text.encode())
    return parse_notice(record, at)


def test_genuine_notices_say_what_their_table_says():
    accepted = notice(SAMPLES["CNI9-accept-limit-buy-B"]["decrypted_payload"])
    assert (accepted.kind, accepted.side) == (NoticeKind.ACCEPTED, Side.BUY)
    assert (accepted.order_no, accepted.symbol, accepted.price) == ("1562", "027360", 2200)
    assert accepted.venue == "1"  # glued to the popup flag in layout B
    market = notice(SAMPLES["CNI9-accept-market-buy-A"]["decrypted_payload"])
    assert (market.kind, market.quantity, market.price) == (NoticeKind.ACCEPTED, 10, 0)
    assert market.venue == ""
    fill = notice(SAMPLES["CNI9-partial-fill-A"]["decrypted_payload"])
    assert (fill.kind, fill.quantity, fill.order_quantity) == (NoticeKind.FILL, 3, 10)
    assert (fill.price, fill.order_no, fill.account) == (8130, "45793", "5000000001")
    assert fill.at == datetime(2026, 9, 15, 14, 41, 30, tzinfo=KST)
    portal = notice(SAMPLES["CNI0-accept-portal"]["decrypted_payload"])
    assert (portal.kind, portal.order_no, portal.symbol) == (NoticeKind.ACCEPTED, "2891", "136480")
    portal = notice(SAMPLES["CNI0-fill-portal"]["decrypted_payload"])
    assert (portal.kind, portal.quantity, portal.price) == (NoticeKind.FILL, 1, 3190)


def test_layout_c_with_26_fields():
    sold = notice(LAYOUT_C)
    assert (sold.side, sold.kind, sold.quantity, sold.venue) == (Side.SELL, NoticeKind.FILL, 4, "4")
    assert sold.original_order_no == "1500"


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize(
    "one", [LAYOUT_C, SAMPLES["CNI9-accept-market-buy-A"]["decrypted_payload"], LAYOUT_C + "^new"]
)
def test_several_notices_under_one_count_are_split_by_content(one: str, times: int):
    records = notice_records("^".join([one] * times).encode())
    assert records == [one.split("^")] * times


def test_layouts_may_even_be_mixed():
    texts = [LAYOUT_C, SAMPLES["CNI9-partial-fill-A"]["decrypted_payload"], LAYOUT_C]
    assert notice_records("^".join(texts).encode()) == [text.split("^") for text in texts]


def test_the_encrypted_frame_opens_with_the_keys_of_its_ack():
    vector = json.loads((PAYLOADS / "aes_vector.json").read_text("utf-8"))
    head = split_frame(vector["frame"].encode())
    assert (head.encrypted, head.tr_id, head.count) == (True, "H0STCNI9", 1)
    plain = decrypt(head.body, vector["key"], vector["iv"])
    assert plain.decode() == vector["plaintext_utf8"]
    with pytest.raises(BadInput) as caught:
        decrypt(head.body, vector["key"][::-1], vector["iv"])
    assert vector["key"][::-1] not in str(caught.value)
    for broken in (b"", b"abc", b"!!!!", head.body[:-8]):
        with pytest.raises(BadInput):
            decrypt(broken, vector["key"], vector["iv"])


def test_broken_utf8_in_the_account_name_costs_nothing():
    raw = LAYOUT_C.encode().replace("홍길동".encode(), b"\xc8\xab\xb1\xe6")
    (record,) = notice_records(raw)
    assert parse_notice(record, AT).quantity == 4


def test_a_notice_from_before_midnight_belongs_to_the_day_before():
    just_after = datetime(2026, 9, 16, 0, 0, 2, tzinfo=KST)
    text = LAYOUT_C.replace("^092701^", "^235959^")
    assert notice(text, just_after).at == datetime(2026, 9, 15, 23, 59, 59, tzinfo=KST)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (("0", "0", "1", "1"), NoticeKind.ACCEPTED), (("1", "0", "1", "1"), NoticeKind.ACCEPTED),
        (("1", "0", "1", "2"), NoticeKind.CONFIRMED), (("2", "0", "1", "2"), NoticeKind.CANCELLED),
        (("2", "0", "1", "1"), NoticeKind.ACCEPTED), (("0", "0", "1", "3"), NoticeKind.CANCELLED),
        (("0", "1", "1", "1"), NoticeKind.REFUSED), (("0", "0", "2", "2"), NoticeKind.FILL),
    ],
)  # fmt: skip
def test_each_kind_of_notice(codes: tuple[str, ...], kind: NoticeKind):
    cells = LAYOUT_C.split("^")
    cells[5], cells[12], cells[13], cells[14] = codes
    assert parse_notice(cells, AT).kind is kind


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [(4, "03", "SELN"), (5, "7", "RCTF"), (12, "2", "RFUS"), (13, "3", "CNTG_YN"),
     (14, "9", "ACPT"), (9, "x", "CNTG_QTY"), (9, "-1", "CNTG_QTY"), (16, "", "ODER_QTY"),
     (11, "250000", "STCK_CNTG_HOUR"), (8, "삼성전자", "STCK_SHRN_ISCD"), (2, "A1", "ODER_NO")],
)  # fmt: skip
def test_an_unknown_code_in_a_notice_is_an_error_not_a_guess(place: int, value: str, named: str):
    cells = LAYOUT_C.split("^")
    cells[13] = "1"
    cells[place] = value
    with pytest.raises(BadInput) as caught:
        parse_notice(cells, AT)
    assert named in caught.value.field
