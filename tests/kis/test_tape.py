"""Running minutes, folded fast, against bars computed plainly from the same records."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kis.deframe import PING, Control
from kis.frames import TRADE_PREFIX, TradeReader
from kis.tape import Tape

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


@settings(max_examples=200, deadline=None, print_blob=True)
@given(st.lists(trade, max_size=80), st.lists(st.integers(1, 5), min_size=1), st.booleans())
def test_the_tape_is_the_bar_of_the_raw_ticks(trades, sizes, with_class):
    trades.sort(key=lambda row: row[1])
    messages, rest, turn = [], [record(*row) + (b"^2" if with_class else b"") for row in trades], 0
    while rest:
        size = sizes[turn % len(sizes)]
        turn += 1
        taken, rest = rest[:size], rest[size:]
        messages.append(TRADE_PREFIX + b"%03d|" % len(taken) + b"^".join(taken))
    reader, tape, closed = TradeReader(), Tape(), {}
    ping = Control(PING, b"x")
    assert tape.fold(reader, [*messages[:3], ping, b"{}"]) == [ping, b"{}"]
    for message in messages[3:]:
        tape.fold(reader, [message])
        for stock in tape.take_dirty():
            if stock.closed:
                closed[stock.symbol, stock.closed[0]] = stock.closed
    for stock in tape.stocks.values():
        closed[stock.symbol, stock.minute] = stock.bar
        if stock.closed:
            closed[stock.symbol, stock.closed[0]] = stock.closed
        assert stock.late == 0
    plain: dict = {}
    for symbol, second, price, volume in trades:
        plain.setdefault((symbol.decode(), b"09%02d" % (second // 60)), []).append((price, volume))
    expected = {
        key: (
            key[1], rows[0][0], max(p for p, _ in rows), min(p for p, _ in rows), rows[-1][0],
            sum(v for _, v in rows), sum(p * v for p, v in rows), len(rows),
        )
        for key, rows in plain.items()
    }  # fmt: skip
    if len(messages) <= 3:  # folded at once: only the last two minutes of a stock are kept
        expected = {key: bar for key, bar in expected.items() if key in closed}
    assert {key: closed[key] for key in expected if key in closed} == {
        key: bar for key, bar in expected.items() if key in closed
    }
    assert sum(stock.seq for stock in tape.stocks.values()) == len(trades) == reader.records_read
    for stock in tape.stocks.values():
        last = next(row for row in reversed(trades) if row[0].decode() == stock.symbol)
        tick = stock.tick()
        assert (tick.price, tick.volume) == (last[2], last[3])


def test_a_late_record_belongs_to_the_minute_before_or_is_counted():
    reader, tape = TradeReader(), Tape()

    def fold(second: int, price: int) -> None:
        tape.fold(reader, [TRADE_PREFIX + b"001|" + record(b"005930", second, price, 1)])

    for second, price in ((5, 100), (65, 110), (59, 90), (190, 120), (61, 300), (7, 5)):
        fold(second, price)
    (stock,) = tape.stocks.values()
    assert stock.closed == (b"0901", 110, 300, 110, 300, 2, 410, 2)
    assert stock.bar[:5] == (b"0903", 120, 120, 120, 120)
    assert (stock.late, stock.seq) == (1, 6)
    tape.new_day()
    fold(5, 100)
    assert next(iter(tape.stocks.values())).seq == 1


def test_a_bad_record_changes_nothing():
    reader, tape = TradeReader(), Tape()
    good = record(b"005930", 5, 100, 1)
    tape.fold(reader, [TRADE_PREFIX + b"001|" + good])
    for cells in ((2, b""), (2, b"0"), (2, b"-5"), (12, b"x"), (0, b"?")):
        bad = good.split(b"^")
        bad[cells[0]] = cells[1]
        tape.fold(reader, [TRADE_PREFIX + b"001|" + b"^".join(bad)])
    (stock,) = tape.stocks.values()
    assert stock.bar == (b"0900", 100, 100, 100, 100, 1, 100, 1)
    assert (stock.seq, reader.bad, reader.records_read) == (1, 5, 1)
