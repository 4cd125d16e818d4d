"""Condition (매매 조건): what a person sets, judged by one set of rules.

``validate`` turns what a person typed into a Condition or says which field is wrong; the plugin's
PHP judges by the same corpus (tests/payloads/conditions.json). When a condition fires stands in
``trading/firing.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from trading.clock import KST
from trading.errors import BadInput
from trading.fills import Side
from trading.orders import OrderKind, Venue
from trading.phases import VENUE_KINDS
from trading.price_step import is_on_step, price_step

MAX_PRICE = 100_000_000
MAX_QUANTITY = 1_000_000
MAX_AMOUNT = 100_000_000_000
SYMBOL = re.compile(r"[A-Z0-9]{6,9}")
DIGITS = re.compile(r"[0-9]{1,15}")
PERCENT = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?")
MEMO_MAX = 200
DEFAULT_AGE_MS = 3_000


class TriggerOp(StrEnum):
    """발동 방향. Default: LE for a buy, GE for a sell."""

    LE = "LE"  # 이하
    GE = "GE"  # 이상


class BadCondition(BadInput):
    """``code`` is the stable name of the rule that was broken; ``reason`` is Korean, for people."""

    def __init__(self, field: str, value: object, code: str, reason: str) -> None:
        super().__init__(field, value, reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Condition:
    """One row of ``{prefix}stockd_condition``. Prices and amounts KRW, quantity shares."""

    symbol: str
    side: Side
    trigger_op: TriggerOp
    strike_price: int
    order_kind: OrderKind = OrderKind.LIMIT
    limit_price: int | None = None  # None: a limit order goes out at the strike price
    venue: Venue = Venue.KRX
    quantity: int | None = None  # exactly one of quantity and amount
    amount: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    window_from: time | None = None
    window_until: time | None = None
    max_age_ms: int = DEFAULT_AGE_MS
    day_amount_cap: int | None = None
    day_strike_cap: int | None = None
    trail_percent: Decimal | None = None
    arms_after: int | None = None
    oco_group: int | None = None
    memo: str = ""
    id: int = 0
    rev: int = 0
    arm_no: int = 0
    enabled: bool = False
    owner: str = ""

    def order_price(self, at_price: int) -> int:
        """ORD_UNPR: 0 for kinds without a price, else the limit or (default) the strike price.

        A trailing stop has no fixed price: its limit, else the price that fired it.
        """
        if not self.order_kind.needs_price:
            return 0
        if self.limit_price is not None:
            return self.limit_price
        return at_price if self.trail_percent is not None else self.strike_price

    def order_quantity(self, at_price: int, traded: int = 0) -> int:
        """Shares: as set, or what ``amount`` buys at the order price. A kind without a price counts
        at ``at_price`` or, where the stock traded above it, at ``traded``."""
        if self.quantity is not None:
            return self.quantity
        each = self.order_price(at_price) or max(at_price, traded)
        return (self.amount or 0) // each


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when a condition is judged; None means "not known, do not judge by it"."""

    now: datetime
    listed: bool | None = None
    halted: bool | None = None
    no_buy: str | None = None  # designations for which the owner does not buy it; "": none
    upper_limit: int | None = None  # 상한가 of the day
    lower_limit: int | None = None  # 하한가 of the day
    cash: int | None = None  # 주문가능현금, KRW
    sellable: int | None = None  # 주문가능수량 of this stock, shares
    mock: bool = False  # 모의투자: KRX only


Row = Mapping[str, str | None]


def _text(row: Row, field: str) -> str:
    return (row.get(field) or "").strip(" \t")


def _number(row: Row, field: str, low: int, high: int) -> int | None:
    text = _text(row, field)
    if not text:
        return None
    if not DIGITS.fullmatch(text):
        raise BadCondition(field, text, "not_a_number", "숫자만 적습니다 (쉼표·부호·소수점 없이)")
    number = int(text)
    if not low <= number <= high:
        raise BadCondition(field, text, "out_of_range", f"{low:,} 이상 {high:,} 이하여야 합니다")
    return number


def _needed(row: Row, field: str, low: int, high: int) -> int:
    number = _number(row, field, low, high)
    if number is None:
        raise BadCondition(field, "", "required", "꼭 적어야 합니다")
    return number


def _choice(row: Row, field: str, allowed: list[str], default: str) -> str:
    text = _text(row, field) or default
    if not text:
        raise BadCondition(field, "", "required", "꼭 골라야 합니다")
    if text not in allowed:
        raise BadCondition(field, text, "bad_choice", f"{', '.join(allowed)} 중 하나여야 합니다")
    return text


def _moment(row: Row, field: str) -> datetime | None:
    text = _text(row, field).replace("T", " ")
    if not text:
        return None
    for shape in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M") if text.isascii() else ():
        try:
            return datetime.strptime(text, shape).replace(tzinfo=KST)
        except ValueError:
            continue
    raise BadCondition(field, text, "bad_time", "2026-11-23 09:00 처럼 적습니다")


def _clock(row: Row, field: str) -> time | None:
    text = _text(row, field)
    if not text:
        return None
    for shape in ("%H:%M:%S", "%H:%M") if text.isascii() else ():  # strptime takes ２ for 2
        try:
            return datetime.strptime(text, shape).time()  # noqa: DTZ007  a time of day, KST
        except ValueError:
            continue
    raise BadCondition(field, text, "bad_time", "09:30 처럼 적습니다")


def _price(row: Row, field: str, context: Context) -> int | None:
    price = _number(row, field, 1, MAX_PRICE)
    if price is None:
        return None
    if not is_on_step(price):
        step = price_step(price)
        raise BadCondition(field, price, "price_step", f"호가단위 {step:,}원에 맞지 않습니다")
    if context.upper_limit is not None and price > context.upper_limit:
        raise BadCondition(
            field, price, "above_upper_limit", f"상한가 {context.upper_limit:,}원보다 높습니다"
        )
    if context.lower_limit is not None and price < context.lower_limit:
        raise BadCondition(
            field, price, "below_lower_limit", f"하한가 {context.lower_limit:,}원보다 낮습니다"
        )
    return price


def _percent(row: Row) -> Decimal | None:
    text = _text(row, "trail_percent")
    if not text:
        return None
    if not PERCENT.fullmatch(text):
        raise BadCondition("trail_percent", text, "not_a_number", "2.5 처럼 적습니다")
    percent = Decimal(text)
    if not Decimal("0.1") <= percent <= 30:
        raise BadCondition("trail_percent", text, "out_of_range", "0.1 이상 30 이하여야 합니다")
    return percent


def _symbol(row: Row, context: Context) -> str:
    symbol = _text(row, "symbol")
    if not symbol:
        raise BadCondition("symbol", "", "required", "종목코드를 적습니다")
    if not SYMBOL.fullmatch(symbol):
        raise BadCondition("symbol", symbol, "bad_symbol", "종목코드는 대문자·숫자 6~9자입니다")
    if context.listed is False:
        raise BadCondition("symbol", symbol, "unlisted", "상장 종목이 아닙니다")
    if context.halted:
        raise BadCondition("symbol", symbol, "halted", "거래정지 종목입니다")
    return symbol


def _kind_and_venue(row: Row, context: Context) -> tuple[OrderKind, Venue]:
    kind = OrderKind(_choice(row, "order_kind", [k.value for k in OrderKind], "LIMIT"))
    venue = Venue(_choice(row, "venue", [v.value for v in Venue], "KRX"))
    if context.mock and venue is not Venue.KRX:
        raise BadCondition("venue", venue.value, "mock_venue", "모의투자는 KRX만 됩니다")
    if kind not in VENUE_KINDS[venue]:
        raise BadCondition(
            "order_kind", kind.value, "venue_kind", f"{venue.value}에 없는 주문 종류입니다"
        )
    return kind, venue


def _size(row: Row) -> tuple[int | None, int | None]:
    quantity = _number(row, "quantity", 1, MAX_QUANTITY)
    amount = _number(row, "amount", 1, MAX_AMOUNT)
    if quantity is None and amount is None:
        raise BadCondition("quantity", "", "no_size", "수량과 금액 중 하나를 적습니다")
    if quantity is not None and amount is not None:
        raise BadCondition("amount", amount, "both_sizes", "수량과 금액 중 하나만 적습니다")
    return quantity, amount


def _times(row: Row, context: Context) -> tuple[datetime | None, datetime | None]:
    start, end = _moment(row, "valid_from"), _moment(row, "valid_until")
    if end is not None and end <= context.now:
        raise BadCondition("valid_until", str(end), "past", "이미 지난 시각입니다")
    if start is not None and end is not None and end <= start:
        raise BadCondition("valid_until", str(end), "times_reversed", "끝이 시작보다 빠릅니다")
    return start, end


def _window(row: Row) -> tuple[time | None, time | None]:
    start, end = _clock(row, "window_from"), _clock(row, "window_until")
    if start is not None and end is not None and end <= start:
        raise BadCondition("window_until", str(end), "times_reversed", "끝이 시작보다 빠릅니다")
    return start, end


def validate(row: Row, context: Context) -> Condition:
    """The Condition that ``row`` (strings as typed, missing or "" = not given) describes.

    Raises BadCondition naming the first wrong field, in the order of the form.
    """
    symbol = _symbol(row, context)
    side = Side(_choice(row, "side", ["BUY", "SELL"], ""))
    if side is Side.BUY and context.no_buy:
        raise BadCondition("symbol", symbol, "no_buy", f"{context.no_buy} 종목은 사지 않습니다")
    op = TriggerOp(_choice(row, "trigger_op", ["LE", "GE"], "LE" if side is Side.BUY else "GE"))
    strike_price = _price(row, "strike_price", context)
    if strike_price is None:
        raise BadCondition("strike_price", "", "required", "타격 가격을 적습니다")
    kind, venue = _kind_and_venue(row, context)
    limit_price = _price(row, "limit_price", context)
    if limit_price is not None and not kind.needs_price:
        raise BadCondition(
            "limit_price", limit_price, "price_without_limit", "이 주문 종류는 가격이 없습니다"
        )
    quantity, amount = _size(row)
    valid_from, valid_until = _times(row, context)
    window_from, window_until = _window(row)
    memo = _text(row, "memo")
    age = _number(row, "max_age_ms", 100, 60_000)
    condition = Condition(
        symbol=symbol, side=side, trigger_op=op, strike_price=strike_price, order_kind=kind,
        limit_price=limit_price, venue=venue, quantity=quantity, amount=amount,
        valid_from=valid_from, valid_until=valid_until,
        window_from=window_from, window_until=window_until,
        max_age_ms=DEFAULT_AGE_MS if age is None else age,
        day_amount_cap=_number(row, "day_amount_cap", 1, MAX_AMOUNT),
        day_strike_cap=_number(row, "day_strike_cap", 1, 10_000),
        trail_percent=_percent(row),
        arms_after=_number(row, "arms_after", 1, 10**15 - 1),
        oco_group=_number(row, "oco_group", 1, 10**15 - 1),
        memo=memo,
    )  # fmt: skip
    if len(memo) > MEMO_MAX:
        raise BadCondition("memo", memo[:20] + "…", "too_long", f"{MEMO_MAX}자까지 적습니다")
    if any(ord(letter) < 32 for letter in memo):
        raise BadCondition("memo", memo[:20], "bad_characters", "제어 문자는 쓸 수 없습니다")
    _means(condition, context)
    return condition


def _means(condition: Condition, context: Context) -> None:
    """Cash and shares, as far as they are known now; checked again before the order goes out."""
    field = "amount" if condition.quantity is None else "quantity"
    shares = condition.order_quantity(condition.strike_price)
    if shares == 0:
        raise BadCondition(
            field, condition.amount, "amount_too_small", "한 주도 살 수 없는 금액입니다"
        )
    if shares > MAX_QUANTITY:
        raise BadCondition(field, condition.amount, "out_of_range", "수량이 100만 주를 넘습니다")
    if condition.side is Side.BUY and context.cash is not None:
        each = condition.order_price(condition.strike_price) or condition.strike_price
        if shares * each > context.cash:
            raise BadCondition(field, shares * each, "cash", "주문가능금액이 모자랍니다")
    if (
        condition.side is Side.SELL
        and condition.arms_after is None  # the shares are still to be bought
        and context.sellable is not None
        and shares > context.sellable
    ):
        raise BadCondition(field, shares, "sellable", "주문가능수량이 모자랍니다")


def in_its_time(condition: Condition, now: datetime) -> bool:
    """Whether ``now`` (aware) lies in the condition's validity and its window of the day."""
    at = now.astimezone(KST)
    if condition.valid_from is not None and at < condition.valid_from:
        return False
    if condition.valid_until is not None and at >= condition.valid_until:
        return False
    if condition.window_from is not None and at.time() < condition.window_from:
        return False
    return condition.window_until is None or at.time() < condition.window_until


def validity(condition: Condition) -> timedelta:
    """How old the tick that fired it may be when the order call is made (P7)."""
    return timedelta(milliseconds=condition.max_age_ms)
