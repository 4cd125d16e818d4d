"""Every record counts into its minute: the conflator against a naive recomputation."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from trading.clock import KST
from trading.conflation import RECENT, Conflator, MinuteBar, StockState
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
    with pytest.raises(BadInput):
        take(c, "005930", START, 100, 1, 1)
    assert (c.taken, c.dirty) == (0, {})
    take(c, "999999", START, 100, 1, 1)
    assert c.strangers == 1


def minutes_of(c: Conflator, *trades: tuple[int, int, int, int]) -> dict[int, tuple[int, bool]]:
    """Trades as (minute, second, volume, ACML_VOL) into (volume, gap) of each minute's bar."""
    base = datetime(2026, 9, 14, 10, 0, tzinfo=KST)
    for minute, second, volume, total in trades:
        take(c, "005930", base + timedelta(minutes=minute, seconds=second), 100, volume, total)
    bars = c.bars_to_check(base + timedelta(days=1))
    return {bar.at.minute: (bar.volume, bar.gap) for bar in bars}


def test_volume_that_grew_without_a_record_is_a_hole_in_its_minute() -> None:
    c = conflator("005930")
    bars = minutes_of(
        c, (0, 1, 5, 105), (0, 2, 5, 110), (1, 1, 5, 115), (1, 2, 5, 130), (2, 0, 1, 131)
    )
    assert bars == {0: (10, False), 1: (10, True), 2: (1, False)}
    assert c.volume_off == 1
    assert c.off["005930"][1] == 10


def test_a_hole_at_the_turn_of_the_minute_may_be_in_either() -> None:
    c = conflator("005930")
    bars = minutes_of(c, (0, 1, 5, 105), (1, 1, 5, 120), (2, 0, 1, 121), (3, 0, 1, 122))
    assert bars == {0: (5, True), 1: (5, True), 2: (1, False), 3: (1, False)}
    assert c.volume_off == 1


def test_a_surplus_is_counted_and_no_hole() -> None:
    c = conflator("005930")
    bars = minutes_of(c, (0, 1, 5, 105), (0, 2, 5, 105), (1, 1, 5, 110), (2, 0, 1, 111))
    assert bars == {0: (10, False), 1: (5, False), 2: (1, False)}
    assert (c.volume_off, c.off["005930"][1]) == (1, -5)


def test_a_late_record_explains_the_volume_it_brings() -> None:
    c = conflator("005930")
    bars = minutes_of(
        c, (0, 1, 5, 105), (1, 1, 5, 110), (0, 59, 5, 115), (1, 2, 5, 120), (2, 0, 1, 121)
    )
    assert bars == {0: (10, False), 1: (10, False), 2: (1, False)}
    assert c.volume_off == 0


def test_an_outage_is_no_news_to_the_volume_check() -> None:
    c = conflator("005930")
    base = datetime(2026, 9, 14, 10, 0, tzinfo=KST)
    minutes_of(c, (0, 1, 5, 105))
    c.lost(["005930"], base + timedelta(minutes=1))
    c.back(["005930"], base + timedelta(minutes=2))
    bars = minutes_of(c, (4, 1, 5, 905), (5, 0, 5, 910), (6, 0, 5, 915))
    assert bars == {0: (5, False), 4: (5, False), 5: (5, False), 6: (5, False)}
    assert c.volume_off == 0


def test_a_bar_read_back_after_a_restart_is_left_alone_while_it_runs() -> None:
    """The repair once raced with it: all stocks, every five seconds, until the minute was over."""
    c = conflator("005930")
    at = datetime(2026, 9, 14, 10, 0, tzinfo=KST)
    state = c.states[b"005930"]
    state.bar = c.closed["005930", at] = MinuteBar(at, 100, 5)
    assert c.bars_to_check(at) == []
    take(c, "005930", at + timedelta(seconds=40), 120, 5, 10)
    assert c.bars_to_check(at) == []
    take(c, "005930", at + timedelta(seconds=61), 130, 5, 15)
    (bar,) = c.bars_to_check(at)
    assert (bar.at, bar.high, bar.ticks) == (at, 120, 2)


def test_a_stock_let_go_within_a_minute_leaves_a_bar_that_says_so() -> None:
    """Off the watch list at 10:00:30: the trades after it are in nobody's bar."""
    c = conflator("005930", "000660")
    at = datetime(2026, 9, 14, 10, 0, 10, tzinfo=KST)
    for symbol in ("005930", "000660"):
        take(c, symbol, at, 100, 5, 5)
    c.unwatch("005930")
    take(c, "005930", at + timedelta(seconds=40), 120, 5, 10)
    bars = {bar.symbol: bar.gap for bar in c.bars_to_check(at + timedelta(minutes=2))}
    assert bars == {"005930": True, "000660": False}


def test_the_first_print_of_a_day_is_no_part_of_yesterdays_minute() -> None:
    """One stock alone, traded once a day at 09:00, and more today: nothing else tells the date."""
    c = conflator("005930")
    day = datetime(2026, 9, 14, 9, 0, 5, tzinfo=KST)
    take(c, "005930", day, 100, 10, 10)
    c.look_at_dates()  # midnight
    take(c, "005930", day + timedelta(days=1), 200, 50, 50)
    bars = {bar.at.day: bar.ticks for bar in c.bars_to_check(day + timedelta(days=2))}
    assert bars == {14: 1, 15: 1}


@pytest.mark.parametrize(("total", "hole"), [(905, True), (5, False)])
def test_a_stock_taken_in_at_ten_says_that_its_morning_is_missing(total: int, hole: bool) -> None:
    """Its first bar carries the hole into hour and day, unless nothing was traded before."""
    c = conflator("005930")
    c.states[b"005930"].late = True
    bars = minutes_of(c, (0, 1, 5, total), (0, 2, 5, total + 5), (1, 0, 1, total + 6))
    assert bars == {0: (10, hole), 1: (1, False)}


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
    # what matters most is registered first, also where it comes last into its section
    assert second.sections[second_home(second.sections, "NEWONE")][0] == "NEWONE"


def second_home(sections: dict[int, list[str]], symbol: str) -> int:
    return next(number for number, stocks in sections.items() if symbol in stocks)
