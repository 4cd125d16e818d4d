"""Drills: for each guard, facts that must make it trip and nothing else (P16)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from trading.conditions import TriggerOp
from trading.fills import Side
from trading.guards import AssetFacts, DayFacts, Facts, Limits, MarketFacts, StrikeRow, judge
from trading.hours import TradingDay
from trading.orders import NewOrder, OrderKind


def sound(now: datetime, limits: Limits) -> Facts:
    """Facts in which every guard is content, on a trading day at 10:00."""
    at = now.replace(hour=10, minute=0, second=0, microsecond=0)
    at -= timedelta(days=max(0, at.weekday() - 4))
    order = NewOrder("005930", Side.BUY, OrderKind.LIMIT, 1, 70_000)
    strike = StrikeRow(
        1, 1, 1, 1, "005930", order, TriggerOp.LE, 70_000, 70_000, at, at,
        at + timedelta(seconds=60), 3_000,
    )  # fmt: skip
    return Facts(
        now=at,
        strike=strike,
        market=MarketFacts(70_000, at, at, False, False, "0", False, 91_000, 49_000),
        assets=AssetFacts(at, 100_000_000, 0, 0),
        day=DayFacts(0, 0, 0, 0, 0, 0, 0, False, False, 0, 0),
        halt=None,
        armed=True,
        oco_taken=False,
        today=TradingDay(at.date()),
    )


def _order(f: Facts, **changes: Any) -> Facts:
    return replace(f, strike=replace(f.strike, order=replace(f.strike.order, **changes)))


def _market(f: Facts, **changes: Any) -> Facts:
    return replace(f, market=f.market and replace(f.market, **changes))


def _day(f: Facts, **changes: Any) -> Facts:
    return replace(f, day=replace(f.day, **changes))


def _shares_worth(f: Facts, amount: int) -> int:
    return amount // f.strike.order.price + 1


Spoil = Callable[[Facts, Limits], Facts]

# code: what has to go wrong
DRILLS: dict[str, Spoil] = {
    "HALT": lambda f, _: replace(f, halt="훈련"),
    "DISARMED": lambda f, _: replace(f, armed=False),
    "OCO": lambda f, _: replace(f, oco_taken=True),
    "UNSETTLED": lambda f, _: _day(f, unsettled=True),
    "FEED_GAP": lambda f, _: _market(f, gap_open=True),
    "HOLIDAY": lambda f, _: replace(f, today=None),
    "PHASE": lambda f, _: _market(f, halted=True),
    "DESIGNATION": lambda f, _: replace(f, no_buy="관리종목"),
    "STALE_PRICE": lambda f, _: _market(
        replace(f, strike=replace(f.strike, tick_received_at=f.now - timedelta(seconds=4))),
        received_at=f.now - timedelta(seconds=4),
        traded_at=f.now - timedelta(seconds=4),
    ),
    "CLOCK": lambda f, limits: _market(
        f, traded_at=f.now - timedelta(milliseconds=(limits.clock_offset_ms or 0) + 2_000)
    ),
    "STALE_ASSETS": lambda f, limits: replace(
        f,
        assets=replace(
            f.assets, received_at=f.now - timedelta(seconds=(limits.assets_age_s or 0) + 1)
        ),
    ),
    "ORDER_AMOUNT": lambda f, limits: _order(
        f, quantity=_shares_worth(f, limits.order_amount or 0)
    ),
    "STOCK_AMOUNT": lambda f, limits: _day(f, stock_amount=limits.stock_amount or 0),
    "DAY_AMOUNT": lambda f, limits: _day(f, amount=limits.day_amount or 0),
    "CONDITION_AMOUNT": lambda f, _: replace(f, day_amount_cap=1),
    "DAY_ORDERS": lambda f, limits: _day(f, orders=limits.day_orders or 0),
    "CONDITION_ORDERS": lambda f, _: _day(replace(f, day_strike_cap=1), condition_orders=1),
    "DAY_LOSS": lambda f, limits: replace(
        f, assets=replace(f.assets, day_profit=-(limits.day_loss or 0))
    ),
    "ERROR_RATE": lambda f, limits: _day(
        f, calls=limits.error_rate_window, bad_calls=limits.error_rate_window
    ),
    "PRICE_AWAY": lambda f, _: _market(f, price=60_000),
    "DUPLICATE": lambda f, _: _day(f, same_open=True),
    "CASH": lambda f, _: replace(f, assets=replace(f.assets, cash=0)),
    "SELLABLE": lambda f, _: _order(f, side=Side.SELL),
}  # fmt: skip


def drill(code: str, now: datetime, limits: Limits) -> str:
    """Trip one guard; its Korean reason. ValueError when it did not trip, or tripped untouched."""
    facts = sound(now, limits)
    before = judge(facts, limits)
    if before is not None:
        raise ValueError(f"{before.code} 가드가 멀쩡한 주문을 막았습니다: {before.reason}")
    verdict = judge(DRILLS[code](facts, limits), limits)
    if verdict is None or verdict.code != code:
        raise ValueError(f"{code} 가드가 작동하지 않았습니다 ({verdict})")
    return verdict.reason
