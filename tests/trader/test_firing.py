"""The trader fires on the tick, not on the look; and never on a price it must not trust."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest

from trading.clock import KST
from trading.conditions import Condition, TriggerOp
from trading.fills import Side
from trading.firing import Look, Trail, fires

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=KST)
BUY = Condition("005930", Side.BUY, TriggerOp.LE, 70_000, quantity=1)


def look(seq: int, price: int, recent: str = "", **more: object) -> Look:
    return replace(
        Look("005930", seq, price, recent or str(price), NOW, NOW, False, False, "0",
             NOW.replace(tzinfo=None), price, price, NOW),
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_touch_between_two_looks_is_not_missed() -> None:
    before = look(5, 70_500)
    after = look(8, 70_400, "70500 70100 69900 70400", now=NOW + timedelta(seconds=1))
    crossing, _ = fires(BUY, after, before)
    assert crossing is not None
    assert (crossing.seq, crossing.price) == (7, 69_900)
    assert crossing.received_at == before.now  # its age is never understated


def test_a_touch_that_fell_out_of_the_ring_shows_in_the_bars_low() -> None:
    before = look(5, 70_500, bar_low=70_500)
    after = look(50, 70_400, "70450 70400", bar_low=69_800)
    crossing, _ = fires(BUY, after, before)
    assert crossing is not None
    assert crossing.price == 69_800


def test_what_happened_before_the_arming_does_not_count() -> None:
    crossing, _ = fires(BUY, look(8, 70_400, "69900 70400"), None)
    assert crossing is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"now": NOW + timedelta(seconds=3.001)}, {"halted": True}, {"drift": True},
        {"hour_class": "C"}, {"received_at": None}, {"seq": 0},
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_trusted_fires_nothing(wrong: dict[str, object]) -> None:
    assert fires(BUY, look(8, 69_900), None)[0] is not None
    assert fires(BUY, replace(look(8, 69_900), **wrong), None)[0] is None  # type: ignore[arg-type]


def test_outside_its_window_it_waits_and_fires_when_the_window_opens() -> None:
    later = replace(BUY, window_from=time(10, 0, 1))
    first = look(8, 69_900)
    assert fires(later, first, None)[0] is None
    same_tick = replace(first, now=NOW + timedelta(seconds=1.5))
    assert fires(later, same_tick, first)[0] is not None


def test_a_trailing_stop_wakes_follows_and_fires_on_the_way_down() -> None:
    stop = Condition(
        "005930", Side.SELL, TriggerOp.LE, 70_000, quantity=1, trail_percent=Decimal("2")
    )
    trail: Trail | None = None
    before: Look | None = None
    for seq, price in enumerate((69_000, 70_000, 72_000, 74_000, 73_000), start=1):
        now = look(seq, price)
        crossing, trail = fires(stop, now, before, trail)
        assert crossing is None, price
        before = now
    assert trail is not None
    assert trail.stop(stop) == 72_600  # 74,000 less 2 % is 72,520, up to the price step
    assert fires(stop, look(6, 72_500), before, trail)[0] is not None


def test_looking_seldom_finds_what_looking_always_finds() -> None:
    seed = random.randrange(10**6)
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(300):
        prices = [70_000 + 100 * dice.randint(-3, 8) for _ in range(12)]
        first = next((i for i, price in enumerate(prices, 1) if price <= 69_900), None)
        at, before, found = 1, None, None
        while at <= len(prices) and found is None:
            recent = " ".join(map(str, prices[:at]))
            now = look(at, prices[at - 1], recent)
            found, _ = fires(replace(BUY, strike_price=69_900), now, before)
            before, at = now, min(at + dice.randint(1, 4), max(len(prices), at + 1))
        assert (found.seq if found else None) == first
