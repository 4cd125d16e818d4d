"""What must be equal in the evening. Pure: lists in, differences out; zero is the only good number.

What cannot be compared (not published yet, not recorded) is said, and is not a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from db.report_reads import Account, LedgerOrder
from trading.fills import Side
from trading.lifecycle import FINAL, State
from trading.orders import BrokerOrder
from trading.words import SIDES


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement. ``what`` names the order or the stock; the rest is what each side says."""

    kind: str  # STATE, ORDER, FILLS, HOLDING, CASH, TURNOVER, CLOSE
    what: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Differences, and in Korean what could not be compared and why."""

    differences: tuple[Difference, ...] = ()
    left_out: tuple[str, ...] = ()

    def __add__(self, other: Compared) -> Compared:
        return Compared(self.differences + other.differences, self.left_out + other.left_out)


def ledger_with_broker(ours: Sequence[LedgerOrder], theirs: Sequence[BrokerOrder]) -> Compared:
    """Every strike is over, every order of ours stands in the broker's list with the same fills."""
    by_number = {one.order_no: one for one in new_orders(theirs)}
    found = []
    for one in ours:
        what = f"타격 {one.strike_id} {one.symbol}" + (one.order_no and f" 주문 {one.order_no}")
        if State(one.state) not in FINAL:
            found.append(Difference("STATE", what, one.state, "끝난 상태여야 합니다"))
        if (one.fills, one.fills_amount) != (one.filled, one.filled_amount):
            found.append(
                Difference(
                    "FILLS", what, _said(one.filled, one.filled_amount),
                    "체결 표 " + _said(one.fills, one.fills_amount),
                )
            )  # fmt: skip
        if not one.order_no:
            continue
        order = by_number.get(one.order_no)
        if order is None:
            found.append(Difference("ORDER", what, "접수됨", "증권사 목록에 없음"))
        elif (order.filled, order.filled_amount) != (one.filled, one.filled_amount):
            found.append(
                Difference(
                    "FILLS", what, _said(one.filled, one.filled_amount),
                    "증권사 " + _said(order.filled, order.filled_amount),
                )
            )  # fmt: skip
    return Compared(tuple(found))


def broker_with_account(
    orders: Sequence[BrokerOrder], before: Account | None, after: Account | None
) -> Compared:
    """The account before the day, and the day's executions, make the account after it."""
    if after is None:
        return Compared(left_out=("보유·예수금·매매대금: 그날의 계좌 조회가 없습니다",))
    last = max((one.ordered_at for one in orders if one.filled), default=None)
    if last is not None and after.at < last:
        words = (
            f"보유·예수금·매매대금: 계좌 조회({after.at:%H:%M:%S})가 마지막 주문보다 오래되었습니다"
        )
        return Compared(left_out=(words,))
    found, left_out = list(_turnover(orders, after)), []
    if before is None:
        left_out.append("보유·예수금: 전날의 계좌 기록이 없습니다")
    else:
        cash = _cash(orders, before, after)
        found += cash.differences
        left_out += cash.left_out
        due = Counter(before.shares)
        for one in orders:
            due[one.symbol] += one.filled if one.side is Side.BUY else -one.filled
        for symbol in sorted({*due, *after.shares}):
            have = after.shares.get(symbol, 0)
            if due[symbol] != have:
                found.append(
                    Difference(
                        "HOLDING", symbol, f"보유 {have:,}주", f"체결대로면 {due[symbol]:,}주"
                    )
                )
    return Compared(tuple(found), tuple(left_out))


def _cash(orders: Iterable[BrokerOrder], before: Account, after: Account) -> Compared:
    """The deposit of D+2 moves by each fill and its costs, and by what the owner pays in or out."""
    if before.cash is None or after.cash is None or after.fees is None:
        return Compared(left_out=("예수금: 그날의 비용이나 예수금 기록이 없습니다",))
    spent = sum(one.filled_amount if one.side is Side.BUY else -one.filled_amount for one in orders)
    due = before.cash - spent - after.fees
    if due == after.cash:
        return Compared()
    theirs = f"체결과 비용대로면 {due:,}원 (입출금·배당이 있었다면 {after.cash - due:+,}원이 그것)"
    return Compared((Difference("CASH", "예수금 D+2", f"{after.cash:,}원", theirs),))


def _turnover(orders: Iterable[BrokerOrder], after: Account) -> Iterable[Difference]:
    for side, said in ((Side.BUY, after.bought), (Side.SELL, after.sold)):
        amount = sum(one.filled_amount for one in orders if one.side is side)
        if said is not None and said != amount:
            what, theirs = f"당일 {SIDES[side]}", f"체결 합 {amount:,}원"
            yield Difference("TURNOVER", what, f"{said:,}원", theirs)


def bars_with_closes(
    bars: dict[str, tuple[int, bool]], closes: dict[str, int], symbols: Iterable[str]
) -> Compared:
    """The close of our bars is the close that data.go.kr publishes."""
    wanted = sorted(set(symbols))
    if wanted and not closes:
        return Compared(left_out=("종가: data.go.kr 이 아직 이 날을 내지 않았습니다",))
    found, left_out = [], []
    for symbol in wanted:
        ours, close = bars.get(symbol), closes.get(symbol)
        if ours is None or close is None:
            left_out.append(f"종가 {symbol}: {'봉' if ours is None else 'data.go.kr 종가'}이 없음")
        elif ours[0] != close and ours[1]:
            found.append(Difference("CLOSE", symbol, f"봉 {ours[0]:,}원", f"공시 {close:,}원"))
        elif ours[0] != close:
            left_out.append(f"종가 {symbol}: 수신이 끊긴 날입니다 ({ours[0]:,} / {close:,}원)")
    return Compared(tuple(found), tuple(left_out))


def new_orders(theirs: Iterable[BrokerOrder]) -> list[BrokerOrder]:
    """Orders that are no change or cancel of another."""
    return [one for one in theirs if not one.original_order_no]


def _said(shares: int, amount: int) -> str:
    return f"{shares:,}주 {amount:,}원"
