"""KisQuotes: prices over REST for what the websocket does not carry, and the calendar check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kis.endpoints import HOLIDAY, MULTPRICE, PRICE
from kis.keys import Env
from kis.parse_quotes import Price, parse_holiday, parse_multprice, parse_price, parse_stock_day
from kis.rest import KisRest
from trading.designations import StockDay
from trading.errors import BadInput

MULTPRICE_MAX = 30  # symbols a call


@dataclass(frozen=True, slots=True)
class Quotes:
    """What one sweep call brought: by symbol; ``missing`` were asked for and did not come back."""

    prices: dict[str, Price] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)  # what could not be read, with field and value


class KisQuotes:
    """Quote calls of one app key (lane sweep). Raise Throttled, Unavailable, AuthError, Refused."""

    def __init__(self, rest: KisRest) -> None:
        self._rest = rest

    @property
    def has_multprice(self) -> bool:
        """모의투자 has no 30-stock call: ask ``price`` for each, at paper's pace."""
        return self._rest.env is Env.REAL

    def multprice(self, symbols: Sequence[str]) -> Quotes:
        """Up to 30 stocks in one call (FHKST11300006); a bad row costs itself alone."""
        if not 1 <= len(symbols) <= MULTPRICE_MAX:
            raise BadInput("symbols", len(symbols), f"1 to {MULTPRICE_MAX} a call")
        asked: dict[str, str] = {}
        for number, symbol in enumerate(symbols, start=1):
            asked[f"FID_COND_MRKT_DIV_CODE_{number}"] = "J"
            asked[f"FID_INPUT_ISCD_{number}"] = symbol
        wanted = set(symbols)
        quotes = Quotes()
        for row in self._rest.read(MULTPRICE, asked).rows("output"):
            if not str(row.get("inter_shrn_iscd") or "").strip():
                continue  # an unknown code comes back blank, or not at all
            try:
                price = parse_multprice(row)
            except BadInput as error:
                quotes.bad.append(f"{row.get('inter_shrn_iscd')}: {error}")
                continue
            if price.symbol in wanted:
                quotes.prices[price.symbol] = price
        quotes.missing.extend(symbol for symbol in symbols if symbol not in quotes.prices)
        return quotes

    def price(self, symbol: str) -> Price:
        """One stock (FHKST01010100). BadInput if the answer is not of this stock."""
        return parse_price(symbol, self._inquire(symbol))

    def stock_day(self, symbol: str) -> StockDay:
        """Limits and designations of one stock's day (FHKST01010100). Errors as ``price``."""
        return parse_stock_day(symbol, self._inquire(symbol))

    def _inquire(self, symbol: str) -> dict[str, Any]:
        asked = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol}
        return self._rest.read(PRICE, asked).one("output")

    def holidays(self, start: date) -> dict[date, bool]:
        """``{day: market open}`` of about 23 days from ``start`` (CTCA0903R), one call.

        The broker asks for one call a day: the caller keeps the answer. Not in 모의투자.
        """
        asked = {"BASS_DT": start.strftime("%Y%m%d"), "CTX_AREA_NK": "", "CTX_AREA_FK": ""}
        return dict(parse_holiday(row) for row in self._rest.read(HOLIDAY, asked).rows("output"))
