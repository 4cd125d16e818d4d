"""A stock whose records lack fields: told once, not traded, and traded again when it is whole."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from kis.frames import TRADE_PREFIX, TradeReader
from kis.parse import parse_moment
from kis.tape import Tape
from trading.clock import KST
from trading.conflation import Conflator, StockState

AT = datetime(2023, 3, 24, 9, 0, tzinfo=KST)
PAYLOADS = Path(__file__).parents[1] / "payloads"
SAMPLES = {row["id"]: row for row in json.loads((PAYLOADS / "ws_frames.json").read_text("utf-8"))}
CELLS = SAMPLES["H0STCNT0-20230324"]["frame"].encode()[15:].split(b"^")


def one(symbol: bytes, second: int) -> bytes:
    cells = list(CELLS)
    cells[0], cells[1] = symbol, b"09%02d%02d" % (second // 60, second % 60)
    return b"^".join(cells)


def tape_of(*symbols: str) -> Tape:
    conflator = Conflator(parse_moment)
    conflator.received = AT.timestamp()
    for symbol in symbols:
        conflator.watch(StockState(symbol, 1, 1000))
    return Tape(conflator)


def test_a_short_record_in_a_frame_of_three_stops_its_own_stock_alone() -> None:
    tape, reader = tape_of("005930", "000660", "035720"), TradeReader()
    short = one(b"000660", 6).rsplit(b"^", 1)[0]
    frame = b"^".join([one(b"005930", 5), short, one(b"035720", 7)])
    tape.fold(reader, [TRADE_PREFIX + b"003|" + frame])
    assert reader.records_read == 2
    assert [s.symbol for s in tape.conflator.states.values() if s.drift] == ["000660"]


def test_a_number_that_looks_like_a_code_stops_nobody() -> None:
    tape, reader = tape_of("005930", "113664"), TradeReader()
    cells = one(b"005930", 5).split(b"^")[:20]
    cells[15] = b"113664"  # SELN_CNTG_CSNU, a count
    tape.fold(reader, [TRADE_PREFIX + b"001|" + b"^".join(cells)])
    assert tape.shorts == ["005930"]


def test_a_change_of_the_format_is_told_once_a_stock_and_not_with_each_record() -> None:
    """Thousands of records a second, all short: a line of log each would fill the disk."""
    tape, reader = tape_of("005930"), TradeReader()
    short = TRADE_PREFIX + b"001|" + one(b"005930", 5).rsplit(b"^", 1)[0]
    tape.fold(reader, [short] * 50)
    assert tape.shorts == ["005930"]
    assert reader.short == 50


def test_a_restart_does_not_stop_a_stock_for_good() -> None:
    """`market` says drift, the minute it began in is not in the row."""
    tape, reader = tape_of(), TradeReader()
    state = StockState("005930", 1, 1000)
    state.drift = True
    tape.conflator.watch(state)
    tape.fold(reader, [TRADE_PREFIX + b"001|" + one(b"005930", 5)])
    assert state.drift, "one whole record is no proof"
    tape.fold(reader, [TRADE_PREFIX + b"001|" + one(b"005930", 61)])
    assert not state.drift, "a minute went by without a short record"
