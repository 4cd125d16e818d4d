"""Running minutes, folded fast, folded plainly, and recomputed from the raw records."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis.deframe import PING, Control
from kis.frames import TRADE_PREFIX, TradeReader
from kis.parse import parse_figures, parse_moment, parse_tick
from kis.tape import Tape
from trading.clock import KST
from trading.conflation import RECENT, Conflator, StockState

PAYLOADS = Path(__file__).parents[1] / "payloads"
SAMPLES = {row["id"]: row for row in json.loads((PAYLOADS / "ws_frames.json").read_text("utf-8"))}
CELLS = SAMPLES["H0STCNT0-20230324"]["frame"].encode()[15:].split(b"^")

trade = st.tuples(
    st.sampled_from([b"005930", b"000660", b"0001A0"]),
    st.integers(0, 300),  # seconds since 09:00:00, made to run forward
    st.integers(1, 2_000_000),
    st.integers(0, 100_000),
)


def record(symbol: bytes, second: int, price: int, volume: int) -> bytes:
    cells = list(CELLS)
    cells[0], cells[1] = symbol, b"09%02d%02d" % (second // 60, second % 60)
    cells[2], cells[12] = b"%d" % price, b"%d" % volume
    return b"^".join(cells)


DAY = datetime(2023, 3, 24, 9, 0, tzinfo=KST)
STOCKS = ("005930", "000660", "0001A0")


def states(**seqs: int) -> Conflator:
    made = Conflator(parse_moment)
    for symbol in STOCKS:
        made.watch(StockState(symbol, 1, seqs.get(symbol, 1000)))
    return made


def framed(records: list[bytes], sizes: list[int]) -> list[bytes]:
    """The records in frames of these sizes, in turn."""
    messages, rest, turn = [], records, 0
    while rest:
        size = sizes[turn % len(sizes)]
        turn += 1
        taken, rest = rest[:size], rest[size:]
        messages.append(TRADE_PREFIX + b"%03d|" % len(taken) + b"^".join(taken))
    return messages


def bars_of(conflator: Conflator) -> dict[tuple[str, datetime], tuple[int, ...]]:
    return {
        (bar.symbol, bar.at): (
            bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover, bar.ticks,
        )
        for bar in conflator.bars_to_check(DAY + timedelta(days=1))
    }  # fmt: skip


@settings(max_examples=200, deadline=None, print_blob=True)
@given(st.lists(trade, max_size=80), st.lists(st.integers(1, 5), min_size=1), st.booleans())
def test_the_tape_the_plain_way_and_the_raw_ticks_make_the_same_bars(trades, sizes, with_class):
    """``fold`` in one loop, ``Conflator.take`` a record, and a recomputation from all ticks."""
    trades.sort(key=lambda row: row[1])
    records = [record(*row) + (b"^2" if with_class else b"") for row in trades]
    messages, ping = framed(records, sizes), Control(PING, b"x")
    reader, fast, plain = TradeReader(), states(), states()
    tape = Tape(fast)
    assert tape.fold(reader, [*messages[:3], ping, b"{}"]) == [ping, b"{}"]
    for message in messages[3:]:
        tape.fold(reader, [message])
    for cells in (one.split(b"^") for one in records):
        plain.take(cells[0], cells[1], int(cells[2]), int(cells[12]), int(cells[13]), cells)
    naive: dict = {}
    for symbol, second, price, volume in trades:
        minute = DAY + timedelta(minutes=second // 60)
        naive.setdefault((symbol.decode(), minute), []).append((price, volume))
    assert bars_of(fast) == {
        key: (
            rows[0][0], max(p for p, _ in rows), min(p for p, _ in rows), rows[-1][0],
            sum(v for _, v in rows), sum(p * v for p, v in rows), len(rows),
        )
        for key, rows in naive.items()
    }  # fmt: skip
    assert bars_of(plain) == bars_of(fast)
    assert (fast.taken, reader.records_read, reader.bad) == (len(trades), len(trades), 0)
    assert (fast.volume_off, fast.off) == (plain.volume_off, plain.off)
    for code, state in fast.states.items():
        other = plain.states[code]
        assert (state.seq, state.recent, state.total) == (other.seq, other.recent, other.total)
        prices = [price for symbol, _, price, _ in trades if symbol == code]
        assert state.seq == 1000 + len(prices)
        assert list(state.recent) == prices[-RECENT:]
        assert (code in fast.dirty) == bool(prices)
        if prices:
            assert parse_tick(state.record).price == state.price == prices[-1]


def test_a_late_record_belongs_to_the_minute_before_or_is_counted():
    reader, conflator = TradeReader(), states()
    tape = Tape(conflator)
    for second, price in ((5, 100), (65, 110), (59, 90), (190, 120), (61, 300)):
        tape.fold(reader, [TRADE_PREFIX + b"001|" + record(b"005930", second, price, 1)])
    bars = bars_of(conflator)
    assert bars["005930", DAY] == (100, 100, 90, 90, 2, 190, 2)
    assert bars["005930", DAY + timedelta(minutes=1)] == (110, 300, 110, 300, 2, 410, 2)
    conflator.forget(DAY + timedelta(minutes=1))
    tape.fold(reader, [TRADE_PREFIX + b"001|" + record(b"005930", 7, 5, 1)])
    assert (conflator.too_late, conflator.states[b"005930"].seq) == (1, 1006)


def test_a_bad_record_changes_nothing():
    reader, conflator = TradeReader(), states()
    tape = Tape(conflator)
    good = record(b"005930", 5, 100, 1)
    tape.fold(reader, [TRADE_PREFIX + b"001|" + good])
    for at, value in ((2, b""), (2, b"0"), (2, b"-5"), (12, b"x"), (13, b""), (1, b"099900")):
        bad = good.split(b"^")
        bad[at] = value
        tape.fold(reader, [TRADE_PREFIX + b"001|" + b"^".join(bad)])
    assert bars_of(conflator) == {("005930", DAY): (100, 100, 100, 100, 1, 100, 1)}
    assert (conflator.taken, reader.bad, reader.records_read) == (1, 6, 1)
    tape.fold(reader, [TRADE_PREFIX + b"001|" + record(b"999999", 5, 100, 1)])
    assert conflator.strangers == 1


def test_a_record_that_lacks_fields_names_its_stock():
    reader, conflator = TradeReader(), states()
    tape = Tape(conflator)
    conflator.received = DAY.timestamp()
    tape.fold(reader, [TRADE_PREFIX + b"001|" + record(b"000660", 5, 100, 1)])
    tape.fold(reader, [b"0|H0STCNT0|001|000660^090000^70000^2^0"])
    assert tape.shorts == ["000660"]
    assert [s.symbol for s in conflator.states.values() if s.drift] == ["000660"]


@pytest.mark.parametrize(
    ("at", "value"),
    [(2, b"1'"), (4, b"--1"), (8, b""), (13, b"1" * 19), (14, b"0x1"), (1, b"090099"), (9, b"1,2")],
)
def test_no_odd_figure_gets_into_a_statement(at: int, value: bytes):
    cells = CELLS.copy()
    assert parse_figures(cells) is not None
    cells[at] = value
    assert parse_figures(cells) is None
    assert parse_figures([*cells[:14], b"^".join(cells[14:])]) is None
    assert parse_figures(cells[:40]) is None
