"""Surprises of the broker's answers: 21 shares that become 42, holdings that vanish, zeros."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from trading.asset_gate import TELLINGS, AssetGate
from trading.assets import Balance, Position
from trading.clock import KST
from trading.fills import Side
from trading.orders import BrokerOrder

SAMSUNG = Position(
    "005930", "삼성전자", 21, 21, Decimal(70000), 1_470_000, 71_000, 1_491_000, 21_000
)
KAKAO = Position("035720", "카카오", 10, 10, Decimal(50000), 500_000, 49_000, 490_000, -10_000)
BALANCE = Balance(
    10_000_000,
    10_000_000,
    10_000_000,
    1_981_000,
    11_981_000,
    11_981_000,
    1_970_000,
    11_000,
    0,
    0,
    0,
)
BEFORE = {one.symbol: one for one in (SAMSUNG, KAKAO)}
EMPTY = replace(BALANCE, securities_value=0, cost=0, profit=0)


def sold(symbol: str, side: Side = Side.SELL) -> BrokerOrder:
    at = datetime(2026, 11, 23, 10, tzinfo=KST)
    return BrokerOrder(
        "1", "", "06010", symbol, side, "00", 21, 71_000, at, 21, 1_491_000, 0, 0, 0, False
    )


def test_an_ordinary_answer_is_written() -> None:
    moved = replace(SAMSUNG, price=72_000, value=1_512_000)
    assert AssetGate().judge(BEFORE, BALANCE, [moved, KAKAO], []) is None
    assert AssetGate().judge(None, BALANCE, [SAMSUNG, KAKAO], []) is None
    assert AssetGate().judge(None, EMPTY, [], []) is None


@pytest.mark.parametrize(
    ("balance", "positions", "word"),
    [
        (None, [], "잔고 없는"),
        (BALANCE, [], "다름"),
        (BALANCE, [SAMSUNG], "다름"),
        (BALANCE, [SAMSUNG, SAMSUNG], "두 번"),
        (BALANCE, [replace(SAMSUNG, quantity=42, sellable=42, cost=2_940_000), KAKAO], "다름"),
        (BALANCE, [replace(SAMSUNG, quantity=0), KAKAO], "가능 21"),
        (BALANCE, [replace(SAMSUNG, quantity=-1, sellable=0), KAKAO], "수량 -1"),
    ],
)
def test_an_answer_that_contradicts_itself_is_never_believed(
    balance: Balance | None, positions: list[Position], word: str
) -> None:
    gate = AssetGate()
    for _ in range(TELLINGS + 2):
        assert word in (gate.judge(BEFORE, balance, positions, []) or "")


def test_holdings_that_vanish_need_a_sale_or_time() -> None:
    assert AssetGate().judge(BEFORE, EMPTY, [], [sold("005930"), sold("035720")]) is None
    gate = AssetGate()
    for _ in range(TELLINGS - 1):
        assert "모두 사라짐" in (gate.judge(BEFORE, EMPTY, [], []) or "")
    assert gate.judge(BEFORE, EMPTY, [], []) is None, "moved to another broker: believed in time"


def test_one_good_answer_in_between_starts_the_doubt_anew() -> None:
    gate = AssetGate()
    for _ in range(TELLINGS):
        assert gate.judge(BEFORE, EMPTY, [], []) is not None
        assert gate.judge(BEFORE, BALANCE, [SAMSUNG, KAKAO], []) is None


def test_a_quantity_that_doubles_needs_a_purchase() -> None:
    double = replace(SAMSUNG, quantity=42, sellable=42, cost=2_940_000)
    richer = replace(BALANCE, cost=3_440_000)
    assert "두 배" in (AssetGate().judge(BEFORE, richer, [double, KAKAO], []) or "")
    bought = [sold("005930", Side.BUY)]
    assert AssetGate().judge(BEFORE, richer, [double, KAKAO], bought) is None
