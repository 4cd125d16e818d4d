"""The demo's judge must be able to say no: a doubled order, a fill not written, a wrong bar."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.demo.bars import fold
from runtime.demo.judge import orders, percentile
from runtime.demo.script import away


def strike(symbol: str = "005930", filled: int = 3, **more: Any) -> Any:
    return SimpleNamespace(
        **{
            "symbol": symbol, "side": "BUY", "quantity": 3, "price": 70_000,
            "state": "FILLED", "order_no": "12", "filled": filled, **more,
        }
    )  # fmt: skip


def order(odno: str = "0000000012", filled: int = 3, **more: Any) -> dict[str, Any]:
    return {
        "odno": odno, "original": "", "symbol": "005930", "side": "02", "quantity": 3,
        "price": 70_000, "filled": filled, "fills": [1, 2], **more,
    }  # fmt: skip


def test_a_strike_and_its_order_agree() -> None:
    assert orders({"orders": [order()]}, [strike()]) == (1, 0, 2, 2)


def test_a_second_order_of_the_same_strike_is_a_duplicate() -> None:
    assert orders({"orders": [order(), order("0000000013")]}, [strike()])[1] == 1


def test_an_order_without_any_strike_is_a_duplicate_too() -> None:
    assert orders({"orders": [order(symbol="000660")]}, [strike()])[1] == 1


def test_a_strike_that_was_never_sent_covers_no_order() -> None:
    assert orders({"orders": [order()]}, [strike(state="EXPIRED", order_no=None)])[1] == 1


def test_shares_missing_in_the_ledger_are_not_counted_as_held() -> None:
    assert orders({"orders": [order()]}, [strike(filled=2)])[2:] == (2, 0)


def test_a_minute_is_folded_from_the_raw_fields() -> None:
    def record(hhmmss: str, price: int, volume: int) -> tuple[float, list[str]]:
        fields = ["0"] * 47
        fields[0], fields[1], fields[2], fields[12] = "005930", hhmmss, str(price), str(volume)
        fields[33] = "20261123"
        return 0.0, fields

    made = fold([record("090001", 100, 5), record("090030", 120, 1), record("090059", 90, 2)])
    minute = made["005930", datetime(2026, 11, 23, 9, 0)]  # noqa: DTZ001  as in the table
    assert (minute.open, minute.high, minute.low, minute.close) == (100, 120, 90, 90)
    assert (minute.volume, minute.ticks) == (8, 3)


@pytest.mark.parametrize(
    ("price", "steps", "there"),
    [(70_000, -2, 69_800), (50_000, -1, 49_950), (49_950, 1, 50_000), (1_999, 2, 2_005)],
)
def test_prices_move_on_the_exchange_s_steps(price: int, steps: int, there: int) -> None:
    assert away(price, steps) == there


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([], 0.5) is None
    assert percentile([5.0, 1.0, 9.0], 0.5) == 5.0
    assert percentile([5.0, 1.0, 9.0], 0.99) == 9.0
