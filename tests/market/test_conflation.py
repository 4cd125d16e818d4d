"""Every record counts into its minute: the conflator against a naive recomputation."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from trading.clock import KST
from trading.conflation import RECENT, Conflator, StockState
from trading.errors import BadInput
from trading.watch_plan import plan_watch

START = datetime(2026, 9, 14, 8, 59, 30, tzinfo=KST)


def conflator(*symbols: str) -> Conflator:
    made = Conflator(lambda record: record[0])
    for symbol in symbols:
        made.watch(StockState(symbol, 1, 1000))
    return made


def take(  # noqa: PLR0917
    c: Conflator, symbol: str, at: datetime, price: int, volume: int, total: int
) -> None:
    c.take(symbol.encode(), at.strftime("%H%M%S").encode(), price, volume, total, (at, price))


@pytest.mark.parametrize("round_", range(20))
def test_bars_equal_those_computed_from_all_ticks(round_: int) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    dice = random.Random(seed)
    symbols = [f"{n:06d}" for n in range(5)]
    c = conflator(*symbols)
    at, totals = START, dict.fromkeys(symbols, 0)
    naive: dict[tuple[str, datetime], list[tuple[int, int]]] = defaultdict(list)
    for _ in range(3000):
        at += timedelta(seconds=dice.choice((0, 0, 0, 1, 2, 31)))
        symbol = dice.choice(symbols)
        late = timedelta(seconds=dice.choice((0, 0, 0, 0, 0, 0, 2, 61, 121)))
        price, volume = dice.randrange(100, 200), dice.randrange(0, 50)
        totals[symbol] += volume
        shown = at - late
        take(c, symbol, shown, price, volume, totals[symbol])
        naive[symbol, shown.replace(second=0)].append((price, volume))
    ours = {(b.symbol, b.at): b for b in c.bars_to_check(at + timedelta(days=1))}
    checked = 0
    for key, ticks in naive.items():
        if key not in ours:
            continue
        bar = ours[key]
        prices = [price for price, _ in ticks]
        assert (bar.open, bar.high, bar.low, bar.close) == (
            prices[0], max(prices), min(prices), prices[-1]
        )  # fmt: skip
        assert bar.volume == sum(volume for _, volume in ticks)
        assert bar.turnover == sum(price * volume for price, volume in ticks)
        assert bar.ticks == len(ticks)
        checked += bar.ticks
    # a record can find its bar gone only where its minute had no other before a later one
    assert checked + c.too_late >= c.taken == 3000
    for state in c.states.values():
        assert state.seq == 1000 + sum(len(t) for key, t in naive.items() if key[0] == state.symbol)


def test_the_same_minute_of_another_day_is_another_bar() -> None:
    c = conflator("005930")
    day = datetime(2026, 9, 14, 9, 1, 5, tzinfo=KST)
    take(c, "005930", day, 100, 1, 10)
    take(c, "005930", day + timedelta(days=1), 200, 1, 3)  # ACML_VOL begins anew
    state = c.states[b"005930"]
    assert state.bar is not None
    assert state.prev is not None
    assert (state.prev.close, state.bar.open) == (100, 200)
    assert state.bar.at - state.prev.at == timedelta(days=1)


def test_the_same_minute_of_another_day_though_more_was_traded() -> None:
    c = conflator("005930", "000660")
    day = datetime(2026, 9, 14, 9, 1, 5, tzinfo=KST)
    take(c, "005930", day, 100, 1, 10)
    take(c, "000660", day + timedelta(days=1), 500, 1, 1)  # another stock tells the new date
    take(c, "005930", day + timedelta(days=1), 200, 50, 60)
    state = c.states[b"005930"]
    assert state.bar is not None
    assert (state.bar.open, state.bar.ticks) == (200, 1)


def test_midnight_belongs_to_its_own_days() -> None:
    c = conflator("005930")
    last = datetime(2026, 9, 14, 23, 59, 59, tzinfo=KST)
    take(c, "005930", last, 100, 1, 10)
    take(c, "005930", last + timedelta(seconds=1), 101, 1, 11)
    bars = c.bars_to_check(last + timedelta(days=1))
    assert [bar.at.isoformat() for bar in sorted(bars, key=lambda bar: bar.at)] == [
        "2026-09-14T23:59:00+09:00",
        "2026-09-15T00:00:00+09:00",
    ]


def test_the_auctions_land_in_the_minute_of_their_print() -> None:
    c = conflator("005930")
    for at, price in ((9, 100), (15, 110)):
        minute = 0 if at == 9 else 30
        take(c, "005930", datetime(2026, 9, 14, at, minute, tzinfo=KST), price, 9, price)
    bars = {bar.at.strftime("%H:%M"): bar for bar in c.bars_to_check(START + timedelta(days=1))}
    assert set(bars) == {"09:00", "15:30"}
    assert bars["15:30"].open == bars["15:30"].close == 110


def test_recent_holds_the_last_prices_with_their_numbers() -> None:
    c = conflator("005930")
    for number in range(30):
        take(c, "005930", START, 100 + number, 1, number)
    state = c.states[b"005930"]
    assert list(state.recent) == [100 + number for number in range(30 - RECENT, 30)]
    assert state.seq == 1030


def test_an_unreadable_time_costs_the_record_and_nothing_else() -> None:
    def broken(record: object) -> datetime:
        raise BadInput("STCK_CNTG_HOUR", "999999", "HHMMSS expected")

    c = Conflator(broken)
    c.watch(StockState("005930", 1, 0))
    take(c, "005930", START, 100, 1, 1)
    assert (c.unread, c.taken, c.dirty) == (1, 0, {})
    take(c, "999999", START, 100, 1, 1)
    assert c.strangers == 1


def test_minutes_touched_by_an_outage_say_so_and_no_other() -> None:
    c = conflator("005930")
    base = datetime(2026, 9, 14, 10, 0, tzinfo=KST)
    state = c.states[b"005930"]
    for minute in range(6):
        if minute == 2:
            c.lost(["005930"], base + timedelta(minutes=2, seconds=30))
        if minute == 4:
            c.back(["005930"], base + timedelta(minutes=3, seconds=10))
        if minute == 3:
            continue
        take(c, "005930", base + timedelta(minutes=minute), 100, 1, minute)
    bars = {bar.at.minute: bar.gap for bar in c.bars_to_check(base + timedelta(days=1))}
    assert bars[0] is False
    assert bars[1] is False
    assert bars[2] is True
    assert bars[4] is False
    assert bars[5] is False
    assert state.down[-1][1] is not None


def test_a_change_of_the_watch_list_moves_few_and_names_who_does_not_fit() -> None:
    wanted = [f"{n:06d}" for n in range(200)]
    first = plan_watch(wanted, {}, [1, 2, 3, 4, 5])
    assert {len(stocks) for stocks in first.sections.values()} == {40}
    held = {symbol: number for number, stocks in first.sections.items() for symbol in stocks}
    second = plan_watch(["NEWONE", *wanted], held, [1, 2, 3, 4, 5])
    assert list(second.refused) == ["000199"]
    assert "200종목" in second.refused["000199"]
    moved = [
        s for number, stocks in second.sections.items() for s in stocks if held.get(s) != number
    ]
    assert moved == ["NEWONE"]
