"""KisBroker: orders over KIS. Exactly one HTTP call an order; three outcomes (P6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import requests

from kis.day_orders import orders_of_day
from kis.endpoints import BUY, CANCEL, DAILY_CCLD, SELL, Endpoint
from kis.envelope import TOKEN_REFUSED, code_of, lower, read_object
from kis.keys import Env
from kis.order_codes import NEVER_REACHED, code_for
from kis.rest import KisRest
from trading.clock import KST
from trading.errors import BadInput, StockdError, Unavailable
from trading.fills import Side
from trading.orders import (
    Accepted,
    BrokerOrder,
    NewOrder,
    OrderKind,
    Outcome,
    Rejected,
    Unknown,
    Venue,
)

ORDER_NO_WIDTH = 10  # ODNO on the wire, zero-padded


class KisBroker:
    """``trading.orders.Broker`` of one account.

    ``place`` and ``cancel`` raise only before the first byte is written, so that an error means
    "nothing was sent": BadInput (a kind the venue lacks), Throttled or Unavailable (no permit, no
    token). From then on whatever happens is an Outcome.
    """

    def __init__(self, rest: KisRest) -> None:
        self._rest = rest

    def prepare(self) -> None:
        """Token and open connection, before the claim. Throttled, Unavailable, AuthError."""
        self._rest.prepare()

    def rehearse(self) -> None:
        """What ``prepare`` does short of the connection. Errors as ``prepare``."""
        self._rest.catch_up()

    def place(self, order: NewOrder) -> Outcome:
        """order-cash, TTTC0012U (buy) / TTTC0011U (sell)."""
        if order.quantity <= 0:
            raise BadInput("quantity", order.quantity, "an order has a quantity")
        if (order.price > 0) != order.kind.needs_price or order.price < 0:
            raise BadInput("price", order.price, f"does not go with {order.kind.value}")
        body = {
            **self._rest.account(),
            "PDNO": order.symbol,
            "ORD_DVSN": code_for(order.kind, order.venue),
            "ORD_QTY": str(order.quantity),
            "ORD_UNPR": str(order.price),
            **self._venue(order.venue),
        }
        return self._send(BUY if order.side is Side.BUY else SELL, body)

    def cancel(self, order_no: str, branch: str, kind: OrderKind, venue: Venue) -> Outcome:
        """order-rvsecncl TTTC0013U of the whole remainder; Accepted carries the NEW order number.

        "Nothing left to cancel" is Rejected: the order was filled meanwhile, so ask for its state.
        """
        body = {
            **self._rest.account(),
            "KRX_FWDG_ORD_ORGNO": branch,
            "ORGN_ODNO": order_no.zfill(ORDER_NO_WIDTH),
            "ORD_DVSN": code_for(kind, venue),
            "RVSE_CNCL_DVSN_CD": "02",
            "ORD_QTY": "0",
            "ORD_UNPR": "0",
            "QTY_ALL_ORD_YN": "Y",
            **self._venue(venue),
        }
        return self._send(CANCEL, body)

    def orders_of_day(self, day: datetime, since: datetime | None = None) -> list[BrokerOrder]:
        """All orders of the account that KST day, oldest first, or those from ``since`` on
        (``kis.day_orders``)."""
        return orders_of_day(self._rest, DAILY_CCLD, day.astimezone(KST).date(), since)

    def _venue(self, venue: Venue) -> dict[str, str]:
        if self._rest.env is Env.MOCK and venue is not Venue.KRX:
            raise BadInput("venue", venue.value, "모의투자는 KRX만 됩니다")
        return {"EXCG_ID_DVSN_CD": venue.value}

    def _masked(self, outcome: Outcome) -> Outcome:
        """The outcome, whose reason is the broker's text, without our secrets."""
        if isinstance(outcome, Accepted):
            return outcome
        return replace(outcome, reason=self._rest.safe(outcome.reason))

    def _send(self, endpoint: Endpoint, body: dict[str, str]) -> Outcome:
        admitted = self._rest.admit(endpoint)
        try:
            outcome = self._masked(outcome_of(self._rest.send(endpoint, body, admitted)))
            if isinstance(outcome, Rejected) and outcome.token_refused:
                self._rest.forget_token(admitted)  # the next call must not go out with it
            return outcome
        except StockdError as error:
            return Unknown(str(error))
        except Exception as error:  # noqa: BLE001  after the first byte everything is an outcome
            return Unknown(f"{endpoint.name}: {type(error).__name__}")


def outcome_of(reply: requests.Response) -> Outcome:
    """The broker's word in an order's answer, or Unknown.

    Accepted: HTTP 200, rt_cd 0 and an ODNO. Rejected: HTTP 200 with rt_cd other than 0 and a
    business code, or any status with a gateway code of ``NEVER_REACHED``. All else is Unknown.
    """
    status = reply.status_code
    try:
        body = lower(read_object(reply))
    except Unavailable as error:
        return Unknown(error.reason)
    rt_cd, code, text = code_of(body)
    if code in NEVER_REACHED and rt_cd != "0":
        return Rejected(code, text, token_refused=code in TOKEN_REFUSED)
    if status != 200 or not rt_cd or code.startswith("EGW"):
        return Unknown(f"HTTP {status} {code} {text}".strip())
    if rt_cd != "0":
        return Rejected(code, text) if code else Unknown(f"rt_cd={rt_cd!r} without msg_cd")
    output = body.get("output")
    if isinstance(output, list) and len(output) == 1:
        output = output[0]
    number = str(output.get("odno") or "").strip() if isinstance(output, dict) else ""
    if not (number.isascii() and number.isdigit()) or not number.strip("0"):
        return Unknown(f"rt_cd 0 without an order number: ODNO={number!r}")
    return Accepted(
        number.lstrip("0"),
        str(output.get("krx_fwdg_ord_orgno") or "").strip(),
        str(output.get("ord_tmd") or "").strip(),
    )
