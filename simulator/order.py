"""An order at the broker and the rules it is checked by before it is taken."""

from dataclasses import dataclass, field
from typing import Any

from simulator.account import Account
from simulator.price_steps import on_step
from simulator.stock import Stock

LIMIT_LIKE = {"00", "02", "11", "12"}  # carry a price
MARKET_LIKE = {"01", "03", "04", "13", "14", "15", "16"}  # ORD_UNPR "0"
IMMEDIATE = {"11", "13", "15"}  # IOC: what does not fill at once is cancelled
ALL_OR_NONE = {"12", "14", "16"}  # FOK

# what each venue takes in the regular session (ORD_DVSN); 21-24 are known but not matched here
VENUES = {
    "KRX": {"00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16"},
    "NXT": {"00", "03", "04", "11", "12", "13", "14", "15", "16"},
    "SOR": {"00", "01", "03", "04", "11", "12", "13", "14", "15", "16"},
}
_OTHER_SESSIONS = {"05", "06", "07", "27", "28", "29", *(str(n) for n in range(41, 48))}

# msg_cd and text. Codes marked * are our own choice where no public capture names one: clients
# must go by rt_cd and the text.
REFUSALS = {
    "field": ("OPSQ2002", "ERROR INVALID INPUT_FILED_SIZE"),
    "code": ("MCA05918", "종목코드 오류입니다."),
    "hours": ("APBK0918", "장운영시간이 아닙니다."),
    "kind": ("APBK0918", "장운영시간이 아닙니다.(해당 주문구분 매매 불가 시간)"),
    "price_step": ("APBK0506", "호가단위를 확인하십시오."),  # *
    "limits": ("APBK0507", "주문단가가 상하한가를 벗어났습니다."),  # *
    "priced": ("APBK0508", "시장가 주문은 주문단가를 입력할 수 없습니다."),  # *
    "cash": ("APBK0656", "주문가능금액을 초과했습니다."),
    "shares": ("APBK0400", "주문 가능한 수량을 초과했습니다."),
    "halt": ("APBK0620", "거래정지 종목입니다."),  # *
    "vi": ("APBK1943", "VI 발동 종목으로 시장가 주문이 불가합니다."),
    "remainder": ("APBK0345", "정정/취소할 수량이 없습니다."),  # *
    "original": ("APBK0344", "원주문번호가 존재하지 않습니다."),  # *
}


class Refused(Exception):
    """The broker says no; `reason` is a key of REFUSALS."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.msg_cd, self.msg1 = REFUSALS[reason]
        super().__init__(self.msg1)


@dataclass(slots=True)
class Order:
    """An order with a number. Money in won, quantities in shares, `hms` exchange time."""

    odno: str
    account: Account
    stock: Stock
    side: str  # BUY | SELL
    kind: str  # ORD_DVSN
    quantity: int
    price: int
    ymd: str
    hms: str
    mono: float
    venue: str = "KRX"
    action: str = "NEW"  # NEW | MODIFY | CANCEL
    original: str = ""
    filled: int = 0
    amount: int = 0
    cancelled: int = 0
    rejected: int = 0
    working: bool = False  # pieces of a fill are under way
    fills: list[dict[str, Any]] = field(default_factory=list)

    @property
    def remainder(self) -> int:
        """Shares still open. A cancel is an order of its own and never open."""
        if self.action == "CANCEL":
            return 0
        return self.quantity - self.filled - self.cancelled - self.rejected

    @property
    def code(self) -> str:
        return self.stock.listing.code

    def priced(self) -> bool:
        """True when the order carries a price of its own."""
        return self.kind in LIMIT_LIKE

    def reach(self) -> int:
        """Worst price it may fill at: its own, else the day's limit."""
        if self.priced():
            return self.price
        return self.stock.upper if self.side == "BUY" else self.stock.lower

    def marketable(self) -> bool:
        """True when the other side of the market is within reach now."""
        if self.side == "BUY":
            return self.stock.ask <= self.reach() or not self.priced()
        return self.stock.bid >= self.reach() or not self.priced()

    def touched(self) -> bool:
        """True when the last trade was at or through its price."""
        if self.side == "BUY":
            return self.stock.price <= self.reach()
        return self.stock.price >= self.reach()

    def reserve(self, fee_ppm: int) -> None:
        """Keep what the remainder may need; a price-less buy keeps cash for the upper limit."""
        left = self.remainder
        if self.side == "SELL":
            self.account.keep(self.code, self.odno, shares=left)
            return
        cash = left * self.reach()
        self.account.keep(self.code, self.odno, cash=cash + cash * fee_ppm // 1_000_000)


def check_kind(kind: str, venue: str, price: int, stock: Stock, *, in_vi: bool) -> None:
    """Order type, price step and day limit. Raises Refused."""
    if venue not in VENUES:
        raise Refused("field")
    if kind not in VENUES[venue]:
        raise Refused("kind" if kind in _OTHER_SESSIONS else "field")
    if kind in MARKET_LIKE:
        if price:
            raise Refused("priced")
        if in_vi:
            raise Refused("vi")
        return
    if not on_step(price):
        raise Refused("price_step")
    if not stock.lower <= price <= stock.upper:
        raise Refused("limits")


def check_means(order: Order, fee_ppm: int) -> None:
    """Cash of a buy, shares of a sell. Raises Refused."""
    if order.side == "SELL":
        if order.quantity > order.account.orderable_shares(order.code):
            raise Refused("shares")
        return
    cash = order.quantity * order.reach()
    if cash + cash * fee_ppm // 1_000_000 > order.account.orderable_cash():
        raise Refused("cash")
