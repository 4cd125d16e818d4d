"""Sanity gate of the asset poll: may this answer overwrite what we know of the account?

Brokers' answers have been seen empty, doubled and zero while the account was full (holdings read
21 -> 42 after a repeated page, quantities 0, an empty list instead of the account). Prices move by
themselves; holdings do not: what changed must be explained by today's executions, or be told the
same way several times, or it is not believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trading.assets import Balance, Position
from trading.fills import Side
from trading.orders import BrokerOrder

COST_TOLERANCE = 0.2  # rows and their sum come from one answer; a lost or doubled page is far off
TELLINGS = 3  # the same surprising but coherent answer so often in a row is the truth


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an answer is not believed. ``coherent``: it agrees with itself, time may prove it."""

    reason: str
    coherent: bool


@dataclass(slots=True)
class AssetGate:
    """Judges answer after answer of one account; remembers only what it is in doubt about."""

    _told: int = 0
    _surprise: dict[str, int] = field(default_factory=dict)

    def judge(
        self,
        before: Mapping[str, Position] | None,
        balance: Balance | None,
        positions: Sequence[Position],
        executions: Sequence[BrokerOrder],
    ) -> str | None:
        """None: write it. Otherwise the reason (Korean) for keeping the rows as they are.

        ``before`` is what the tables hold, None before the first poll.
        """
        doubt = doubt_of(before, balance, positions, executions)
        if doubt is None:
            self._told = 0
            return None
        quantities = {one.symbol: one.quantity for one in positions}
        self._told = self._told + 1 if quantities == self._surprise and self._told else 1
        self._surprise = quantities
        if doubt.coherent and self._told >= TELLINGS:
            self._told = 0
            return None
        return doubt.reason


def doubt_of(
    before: Mapping[str, Position] | None,
    balance: Balance | None,
    positions: Sequence[Position],
    executions: Sequence[BrokerOrder],
) -> Doubt | None:
    """What is wrong with an answer, None when nothing is."""
    if balance is None:
        return Doubt("잔고 없는 응답 (조회할 내용이 없습니다)", coherent=False)
    if len({one.symbol for one in positions}) != len(positions):
        return Doubt("같은 종목이 두 번", coherent=False)
    for one in positions:
        if one.quantity < 0 or one.sellable < 0 or one.sellable > one.quantity:
            return Doubt(f"{one.symbol} 수량 {one.quantity}, 가능 {one.sellable}", coherent=False)
    held = sum(one.cost for one in positions)
    if abs(held - balance.cost) > COST_TOLERANCE * max(held, balance.cost):
        return Doubt(f"매입금액 합계 {balance.cost}원과 종목의 합 {held}원이 다름", coherent=False)
    if before is None:
        return None
    return _unexplained(before, positions, executions)


def _unexplained(
    before: Mapping[str, Position],
    positions: Sequence[Position],
    executions: Sequence[BrokerOrder],
) -> Doubt | None:
    traded = {(one.symbol, one.side) for one in executions if one.filled > 0}
    now = {one.symbol: one.quantity for one in positions}
    was = {one.symbol: one.quantity for one in before.values() if one.quantity > 0}
    gone = [s for s in was if not now.get(s) and (s, Side.SELL) not in traded]
    if gone and len(gone) == len(was):
        return Doubt(f"보유 {len(gone)}종목이 매도 없이 모두 사라짐", coherent=True)
    if gone:
        return Doubt(f"{', '.join(sorted(gone)[:3])} 매도 없이 사라짐", coherent=True)
    doubled = [s for s in was if now.get(s, 0) >= 2 * was[s] and (s, Side.BUY) not in traded]
    if doubled:
        return Doubt(f"{', '.join(sorted(doubled)[:3])} 매수 없이 두 배", coherent=True)
    return None
