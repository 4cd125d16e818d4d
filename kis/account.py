"""KisAccount: balance and holdings, orderable cash, realised profit, executions (lane assets)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from kis.day_orders import orders_of_day
from kis.endpoints import BALANCE, BALANCE_RLZ_PL, DAILY_CCLD_ASSETS, PSBL_ORDER
from kis.order_codes import code_for
from kis.parse import (
    OrderableCash,
    parse_balance,
    parse_orderable_cash,
    parse_positions,
    parse_realised_profit,
)
from kis.rest import Answer, KisRest
from trading.assets import Balance, Position
from trading.clock import KST
from trading.errors import BadInput
from trading.orders import BrokerOrder, OrderKind, Venue

_BALANCE_ASKS = {
    "AFHR_FLPR_YN": "N",  # KRX price
    "OFL_YN": "",
    "INQR_DVSN": "02",  # one row a stock
    "UNPR_DVSN": "01",
    "FUND_STTL_ICLD_YN": "N",
    "FNCG_AMT_AUTO_RDPT_YN": "N",
    "PRCS_DVSN": "00",
}


@dataclass(frozen=True, slots=True)
class Holdings:
    """One whole answer of inquire-balance, all pages.

    ``positions`` is empty only when the broker said so. ``balance`` is None only where it said
    KIOK0560 (조회할 내용이 없습니다) and sent no balance: unknown, not zero. ``read_at`` (aware) is
    when the first page was there: no figure is older, and a second page that waits a second for
    the ledger's pace does not make the answer look younger.
    """

    positions: list[Position]
    balance: Balance | None
    read_at: datetime


class KisAccount:
    """Ledger reads of one account. All raise Throttled, Unavailable, AuthError, Refused, BadInput:
    an answer that failed anywhere is an error, never an empty account."""

    def __init__(
        self, rest: KisRest, now: Callable[[], datetime] = lambda: datetime.now(KST)
    ) -> None:
        self._rest = rest
        self._now = now

    def holdings(self) -> Holdings:
        """Balance and positions (TTTC8434R). A stock on two pages is one position, never a sum."""
        positions: dict[str, Position] = {}
        balance: Balance | None = None
        read_at: datetime | None = None
        for answer in self._rest.pages(BALANCE, {**self._rest.account(), **_BALANCE_ASKS}):
            read_at = read_at or self._now()
            positions.update(_positions_of(answer))
            if not answer.empty or answer.body.get("output2"):
                balance = parse_balance(answer.one("output2"))
        return Holdings(list(positions.values()), balance, read_at or self._now())

    def orderable_cash(self, symbol: str = "", price: int = 0) -> OrderableCash:
        """Buying power without 미수 (TTTC8908R); a price makes a limit order's quantity."""
        kind = OrderKind.LIMIT if price else OrderKind.MARKET
        params = {
            **self._rest.account(),
            "PDNO": symbol,
            "ORD_UNPR": str(price) if price else "0",
            "ORD_DVSN": code_for(kind, Venue.KRX),  # 01 counts the stock's own margin rate
            "CMA_EVLU_AMT_ICLD_YN": "N",
            "OVRS_ICLD_YN": "N",
        }
        return parse_orderable_cash(self._rest.read(PSBL_ORDER, params).one("output"))

    def realised_profit(self) -> int:
        """Today's realised profit, KRW (TTTC8494R). Refused EGW02006 in 모의투자: no such call."""
        asks = {**self._rest.account(), **_BALANCE_ASKS, "COST_ICLD_YN": ""}
        profit: int | None = None
        for answer in self._rest.pages(BALANCE_RLZ_PL, asks):
            if answer.empty and not answer.body.get("output2"):
                return 0
            profit = parse_realised_profit(answer.one("output2"))
        if profit is None:
            raise BadInput("output2", None, "no page carried it")
        return profit

    def executions(self, on: date) -> list[BrokerOrder]:
        """The day's orders with what was filled (TTTC0081R), as part of an asset cycle."""
        return orders_of_day(self._rest, DAILY_CCLD_ASSETS, on)


def _positions_of(answer: Answer) -> dict[str, Position]:
    """Positions of one page by symbol. Two different rows of one stock on one page: BadInput."""
    found: dict[str, Position] = {}
    for position in parse_positions(answer.rows("output1")):
        if found.setdefault(position.symbol, position) != position:
            raise BadInput("pdno", position.symbol, "two different rows of one stock on a page")
    return found
