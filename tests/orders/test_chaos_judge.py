"""The judge of a chaos run sees an order sent twice, a fill lost, a strike left open."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.chaos_judge import judge

STATS = {"min_order_gap_s": {"a": 1.01}, "refused_by_rate": 0, "max_connects_in_10_min": {"a": 1}}


def order(number: str, filled: int = 3) -> dict[str, Any]:
    return {"odno": number, "original": "", "filled": filled, "fills": [{"quantity": filled}]}


@pytest.fixture
def day(book: Any) -> Any:
    book.run(
        "INSERT INTO strike (condition_id, arm_no, condition_rev, account, symbol, side,"
        " order_kind, venue, quantity, price, trigger_op, strike_price, tick_price, tick_seq,"
        " tick_received_at, fired_at, deadline, assets, state, order_no,"
        " order_day, filled, updated_at) VALUES"
        " (1, 1, 1, 'a', '005930', 'BUY', 'MARKET', 'KRX', 3, 0, 'LE', 1, 1, 1, NOW(6), NOW(6),"
        " NOW(6), '{}', 'FILLED', '7', CURDATE(), 3, NOW(6))"
    )
    book.run(
        "INSERT INTO fill (account, order_day, order_no, symbol, side, quantity, price, at,"
        " source, recorded_at) VALUES ('a', CURDATE(), '7', '005930', 'BUY', 3, 1, NOW(6),"
        " 'NOTICE', NOW(6))"
    )
    return book


def test_a_clean_run_is_ok(day: Any) -> None:
    found = judge(day.root, {"orders": [order("0000000007")]}, STATS)
    assert (found["ok"], found["violations"]) == (True, [])


@pytest.mark.parametrize(
    ("orders", "stats", "key", "value"),
    [
        ([order("7"), order("8")], {}, "duplicate_orders", 1),
        ([order("7", filled=5)], {}, "lost_fills", 2),
        ([order("8")], {}, "duplicate_orders", 1),
        ([order("7")], {"min_order_gap_s": {"a": 0.9}}, "min_order_gap_s", 0.9),
        ([order("7")], {"refused_by_rate": 1}, "refused_by_rate", 1),
        ([], {}, "orders_at_broker", 0),
    ],
)
def test_what_went_wrong_is_counted(
    day: Any, orders: list[Any], stats: dict[str, Any], key: str, value: Any
) -> None:
    found = judge(day.root, {"orders": orders}, STATS | stats)
    assert not found["ok"]
    assert found[key] == value


def test_a_strike_that_is_not_over_is_named(day: Any) -> None:
    day.run("UPDATE strike SET state = 'UNKNOWN'")
    found = judge(day.root, {"orders": [order("7")]}, STATS)
    assert not found["ok"]
    assert "UNKNOWN" in found["violations"][0]
