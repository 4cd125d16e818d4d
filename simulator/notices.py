"""Fill notices (체결통보, H0STCNI0 real and H0STCNI9 paper): their text and their way out."""

import asyncio
from collections.abc import Callable
from random import Random

from simulator.keys import HTS_ID
from simulator.market import Market
from simulator.order import Order

_OWNER = "홍길동"
_BRANCH = "00950"
_EXCHANGE = {"KRX": "1", "NXT": "2", "SOR": "3"}
# what happened → RCTF_CLS, RFUS_YN, CNTG_YN, ACPT_YN
_FLAGS = {
    "accepted": ("0", "0", "1", "1"),
    "rejected": ("0", "1", "1", "1"),
    "modify": ("1", "0", "1", "2"),
    "cancel": ("2", "0", "1", "2"),
    "fill": ("0", "0", "2", "2"),
    "dropped": ("0", "0", "1", "3"),
}


def notice_record(what: str, order: Order, figures: dict[str, int], hms: str, layout: str) -> str:
    """One record; layout A and B have 23 fields, C has 26. Fields 0-16 are the same in all."""
    correction, refused, filled, accepted = _FLAGS[what]
    fill = what == "fill"
    quantity = figures["quantity"] if fill else order.quantity
    price = figures["price"] if fill else order.price
    kind = "00" if fill else order.kind
    condition = "1" if order.kind in {"11", "13", "15"} else "2" if order.kind[0] == "1" else "0"
    name = order.stock.listing.name
    head = [
        HTS_ID, order.account.number, order.odno, order.original,
        "01" if order.side == "SELL" else "02", correction, kind, condition, order.code,
        f"{quantity:010d}", f"{price:09d}", hms, refused, filled, accepted, _BRANCH,
        f"{order.quantity:09d}", _OWNER,
    ]  # fmt: skip
    asked = f"{order.price:09d}" if fill else ""
    exchange = _EXCHANGE[order.venue]
    tail = {
        "A": [name, "10", "", name, asked],
        "B": [f"{exchange}Y", "10", "", name, asked],
        "C": ["", exchange, "Y", "", "10", "", name, asked],
    }[layout]
    return "^".join(head + tail)


class NoticeDesk:
    """Sends notices out, or loses, doubles, delays and shuffles them as the scenario says."""

    def __init__(self, market: Market, seed: int) -> None:
        self.market = market
        self.deliver: Callable[[str], None] = lambda record: None
        self._random = Random(seed ^ 0x33)
        self.sent = self.dropped = self.doubled = 0

    def tell(self, what: str, order: Order, figures: dict[str, int]) -> None:
        """Something happened to an order."""
        knobs = self.market.scenario
        record = notice_record(what, order, figures, self.market.clock.hms, knobs.notice_layout)
        if self._random.random() < knobs.drop_notices:
            self.dropped += 1
            return
        copies = 1
        if self._random.random() < knobs.double_notices:
            self.doubled += 1
            copies = 2
        for _ in range(copies):
            delay = knobs.delay_notices + self._random.random() * knobs.reorder_notices
            if what != "fill" and not knobs.notice_first:
                delay += knobs.notice_delay_s
            self._send_after(delay, record)

    def _send_after(self, delay: float, record: str) -> None:
        self.sent += 1
        if delay <= 0:
            self.deliver(record)
            return
        asyncio.get_running_loop().call_later(delay, self.deliver, record)
