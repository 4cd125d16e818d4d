"""Guards: what must hold before an order goes out. Pure functions over Facts, listed as data.

Each has a code (in ``strike.reason_code``), a limit (settings ``[trade]``), a drill
(``trading/drills.py``) and its last trip in table ``guard_trip`` (P16). A guard answers None,
Deny (never again for this strike), or Wait (may cure itself before the strike's deadline).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.conditions import TriggerOp
from trading.fills import Side
from trading.firing import is_true
from trading.hours import TradingDay
from trading.orders import NewOrder
from trading.phases import Phase, kinds_at, phase_on


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings ``[trade]``. Money KRW; ``None`` switches a guard off, which a person must write."""

    order_amount: int | None = 10_000_000  # per order
    stock_amount: int | None = 30_000_000  # per stock and day
    day_amount: int | None = 100_000_000  # per day
    day_orders: int | None = 100  # per day
    day_loss: int | None = 1_000_000  # loss of the day; trips the halt too
    price_away_percent: int | None = 5  # limit price from the market price, on the losing side
    assets_age_s: int | None = 60  # three missed polls are an alarm, six are a no
    clock_offset_ms: int | None = 5_000  # exchange time against time of reception
    error_rate_percent: int | None = 50  # unknown outcomes and gateway refusals; trips the halt too
    error_rate_window: int = 6  # of the last so many calls of today, all of them made
    duplicate_open: bool = True
    krx_hours: bool = True  # False: a venue that is always open (the simulator)


@dataclass(frozen=True, slots=True)
class StrikeRow:
    """A CLAIMED strike of the ledger."""

    id: int
    condition_id: int
    arm_no: int
    condition_rev: int
    symbol: str
    order: NewOrder
    trigger_op: TriggerOp
    strike_price: int
    tick_price: int
    tick_received_at: datetime
    fired_at: datetime
    deadline: datetime
    max_age_ms: int

    @property
    def validity(self) -> timedelta:
        return timedelta(milliseconds=self.max_age_ms)


@dataclass(frozen=True, slots=True)
class MarketFacts:
    """The stock's row of ``market`` now, and the day's limits where they have been read."""

    price: int
    received_at: datetime | None
    traded_at: datetime | None
    halted: bool
    drift: bool
    hour_class: str
    gap_open: bool  # its section is not delivering
    upper_limit: int | None = None
    lower_limit: int | None = None


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """The account as last polled. None: never polled, or the broker does not say."""

    received_at: datetime | None
    cash: int | None
    day_profit: int | None  # realised today, KRW
    sellable: int  # shares of the stock, with those bought since the last poll


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What the ledger has sent today (KST), strikes that may be orders included. Amounts KRW.

    Buys and sells count apart: what was bought under a limit of the day can be sold under it.
    """

    orders: int
    amount: int  # of this strike's side
    stock_amount: int  # likewise
    open_buys: int  # buys since the last poll, open or filled: money it does not know of
    open_sells: int  # shares of this stock in sells since the last poll, less those cancelled since
    condition_orders: int
    condition_amount: int
    same_open: bool  # an open order of the same stock, side, kind and price
    unsettled: bool  # a SENDING or UNKNOWN strike of the same stock
    calls: int  # of the last ``error_rate_window``
    bad_calls: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a guard may look at, read in one go on MariaDB's clock."""

    now: datetime
    strike: StrikeRow
    market: MarketFacts | None
    assets: AssetFacts
    day: DayFacts
    halt: str | None  # its reason
    armed: bool  # enabled, same arm_no and rev as when it fired
    oco_taken: bool  # another condition of its group has struck
    today: TradingDay | None  # the day of ``now`` by the calendar; None: the exchange is closed
    day_amount_cap: int | None = None
    day_strike_cap: int | None = None
    no_buy: str = ""  # designations of the stock for which its owner does not buy it
    oco_open: bool = False  # an exit of its group stands at the broker and must be cancelled first

    @property
    def amount(self) -> int:
        """KRW of this order; a market order counts at the price of now."""
        each = self.strike.order.price or (self.market.price if self.market else 0)
        return self.strike.order.quantity * (each or self.strike.tick_price)


@dataclass(frozen=True, slots=True)
class Deny:
    """Final for this strike. ``halts``: the guard also pulls the stop switch."""

    code: str
    reason: str
    halts: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; if the deadline passes meanwhile the strike expires with this code."""

    code: str
    reason: str


Verdict = Deny | Wait | None
Guard = Callable[[Facts, Limits], Verdict]


def _halt(f: Facts, _: Limits) -> Verdict:
    return Deny("HALT", f"정지 중: {f.halt}") if f.halt is not None else None


def _disarmed(f: Facts, _: Limits) -> Verdict:
    return None if f.armed else Deny("DISARMED", "보내기 전에 조건이 꺼졌거나 바뀌었습니다")


def _oco(f: Facts, _: Limits) -> Verdict:
    if f.oco_taken:
        return Deny("OCO", "같은 묶음의 다른 조건이 먼저 발동했습니다")
    return Wait("OCO", "같은 묶음의 미체결 주문을 먼저 취소합니다") if f.oco_open else None


def _unsettled(f: Facts, _: Limits) -> Verdict:
    if f.day.unsettled:
        return Wait("UNSETTLED", "이 종목에 결과를 모르는 주문이 있습니다")
    return None


def _feed_gap(f: Facts, _: Limits) -> Verdict:
    m = f.market
    if m is None or m.price <= 0:
        return Deny("FEED_GAP", "시세가 없습니다")
    if m.drift:
        return Deny("FEED_GAP", "시세 전문의 모양이 바뀌어 이 종목은 매매하지 않습니다")
    if m.gap_open:
        return Wait("FEED_GAP", "시세 수신이 끊겨 있습니다")
    return None


def _holiday(f: Facts, _: Limits) -> Verdict:
    # an always open venue has a TradingDay every day
    if f.today is None:
        name = "월화수목금토일"[f.now.weekday()]
        return Deny("HOLIDAY", f"{f.now:%m월 %d일}({name})은 휴장일입니다")
    return None


def _phase(f: Facts, limits: Limits) -> Verdict:
    m, order = f.market, f.strike.order
    if m is not None and m.halted:
        return Deny("PHASE", "거래정지 종목입니다")
    if m is not None and m.hour_class in ("A", "B", "C", "D"):
        return Wait("PHASE", "단일가(VI) 중이라 체결 가격이 아닙니다")
    if not limits.krx_hours or f.today is None:
        return None
    phase = phase_on(f.today, order.venue, f.now.time())
    if phase is Phase.CLOSED:
        return Deny("PHASE", f"{order.venue.value} 장이 열려 있지 않습니다")
    if order.kind not in kinds_at(order.venue, phase):
        return Deny("PHASE", f"{phase.value}에는 {order.kind.value} 주문을 받지 않습니다")
    return None


def _designation(f: Facts, _: Limits) -> Verdict:
    if f.no_buy and f.strike.order.side is Side.BUY:
        return Deny("DESIGNATION", f"{f.no_buy} 종목은 사지 않습니다")
    return None


def proof(f: Facts) -> datetime | None:
    """Reception time of a tick that makes the strike true and is young enough (P7), or None.

    The tick that fired it, else the stock's row of now if the condition still holds there.
    """
    if f.now - f.strike.tick_received_at <= f.strike.validity:
        return f.strike.tick_received_at
    m = f.market
    if m is None or m.received_at is None or f.now - m.received_at > f.strike.validity:
        return None
    if not is_true(f.strike.trigger_op, f.strike.strike_price, m.price):
        return None
    return m.received_at


def _stale_price(f: Facts, _: Limits) -> Verdict:
    if proof(f) is None:
        seconds = f.strike.max_age_ms / 1000
        return Wait("STALE_PRICE", f"{seconds:g}초 안의 체결가로 조건을 확인할 수 없습니다")
    return None


def _clock(f: Facts, limits: Limits) -> Verdict:
    m = f.market
    if limits.clock_offset_ms is None or m is None or m.traded_at is None or m.received_at is None:
        return None
    offset = abs(m.received_at - m.traded_at)
    # the exchange's time has whole seconds
    if offset > timedelta(milliseconds=limits.clock_offset_ms) + timedelta(seconds=1):
        return Deny("CLOCK", f"거래소 시각과 수신 시각이 {offset.total_seconds():.1f}초 다릅니다")
    return None


def _stale_assets(f: Facts, limits: Limits) -> Verdict:
    if limits.assets_age_s is None:
        return None
    at = f.assets.received_at
    if at is None or f.now - at > timedelta(seconds=limits.assets_age_s):
        return Wait("STALE_ASSETS", f"계좌 조회가 {limits.assets_age_s}초보다 오래되었습니다")
    return None


def _amounts(f: Facts, limits: Limits) -> Verdict:
    for code, cap, used, name in (
        ("ORDER_AMOUNT", limits.order_amount, 0, "주문 하나"),
        ("STOCK_AMOUNT", limits.stock_amount, f.day.stock_amount, "하루 한 종목"),
        ("DAY_AMOUNT", limits.day_amount, f.day.amount, "하루"),
        ("CONDITION_AMOUNT", f.day_amount_cap, f.day.condition_amount, "이 조건의 하루"),
    ):
        if cap is not None and used + f.amount > cap:
            return Deny(code, f"{name} 금액 한도 {cap:,}원을 넘습니다 ({used + f.amount:,}원)")
    return None


def _counts(f: Facts, limits: Limits) -> Verdict:
    if limits.day_orders is not None and f.day.orders >= limits.day_orders:
        return Deny("DAY_ORDERS", f"하루 주문 수 한도 {limits.day_orders}건을 다 썼습니다")
    if f.day_strike_cap is not None and f.day.condition_orders >= f.day_strike_cap:
        return Deny("CONDITION_ORDERS", f"이 조건의 하루 한도 {f.day_strike_cap}번을 다 썼습니다")
    return None


def _day_loss(f: Facts, limits: Limits) -> Verdict:
    profit = f.assets.day_profit
    if limits.day_loss is not None and profit is not None and profit <= -limits.day_loss:
        return Deny("DAY_LOSS", f"오늘 손실 {-profit:,}원: 한도 {limits.day_loss:,}원", halts=True)
    return None


def _error_rate(f: Facts, limits: Limits) -> Verdict:
    if limits.error_rate_percent is None or f.day.calls < limits.error_rate_window:
        return None
    if f.day.bad_calls * 100 >= limits.error_rate_percent * f.day.calls:
        words = f"최근 주문 호출 {f.day.calls}건 중 {f.day.bad_calls}건이 실패했습니다"
        return Deny("ERROR_RATE", words, halts=True)
    return None


def _price_away(f: Facts, limits: Limits) -> Verdict:
    price, m = f.strike.order.price, f.market
    if m is None or price == 0:
        return None
    if (m.upper_limit and price > m.upper_limit) or (m.lower_limit and price < m.lower_limit):
        return Deny("PRICE_AWAY", "상한가와 하한가 밖의 가격입니다")
    if limits.price_away_percent is None:
        return None
    away = price - m.price if f.strike.order.side is Side.BUY else m.price - price
    if away * 100 > limits.price_away_percent * m.price:
        return Deny("PRICE_AWAY", f"주문 {price:,}원이 현재가 {m.price:,}원에서 너무 멉니다")
    return None


def _duplicate(f: Facts, limits: Limits) -> Verdict:
    if limits.duplicate_open and f.day.same_open:
        return Deny("DUPLICATE", "같은 종목·방향·가격의 미체결 주문이 있습니다")
    return None


def _means(f: Facts, _: Limits) -> Verdict:
    order = f.strike.order
    if order.quantity <= 0:
        return Deny("CASH", "한 주도 살 수 없는 금액입니다")
    if order.side is Side.SELL:
        if f.oco_open:  # that order holds the shares; asked again when it is cancelled
            return None
        left = f.assets.sellable - f.day.open_sells
        if order.quantity > left:
            return Deny("SELLABLE", f"주문가능수량 {max(0, left):,}주가 모자랍니다")
        return None
    if f.assets.cash is None:
        return None
    # a market order is reserved at the upper limit by the broker
    needed = f.amount if order.kind.needs_price else f.amount * 13 // 10
    left = f.assets.cash - f.day.open_buys
    if needed > left:
        return Deny("CASH", f"주문가능금액 {max(0, left):,}원이 모자랍니다 ({needed:,}원 필요)")
    return None


# in this order; the first that speaks decides
GUARDS: tuple[tuple[str, Guard], ...] = (
    ("halt", _halt),
    ("disarmed", _disarmed),
    ("oco", _oco),
    ("unsettled", _unsettled),
    ("feed_gap", _feed_gap),
    ("holiday", _holiday),
    ("phase", _phase),
    ("designation", _designation),
    ("stale_price", _stale_price),
    ("clock", _clock),
    ("stale_assets", _stale_assets),
    ("amounts", _amounts),
    ("counts", _counts),
    ("day_loss", _day_loss),
    ("error_rate", _error_rate),
    ("price_away", _price_away),
    ("duplicate", _duplicate),
    ("means", _means),
)


def judge(facts: Facts, limits: Limits) -> Verdict:
    """The first guard's no, or None: the order may go out. A Deny is stronger than a Wait."""
    waiting: Wait | None = None
    for _, guard in GUARDS:
        verdict = guard(facts, limits)
        if isinstance(verdict, Deny):
            return verdict
        waiting = waiting or verdict
    return waiting
