"""지정: what the exchange has put a stock under, and which of it the owner does not buy.

Codes are KIS's ``iscd_stat_cls_code`` of inquire-price (fact sheet, rest/inquire-price.json), the
rest its Y/N fields. What a stock may do under each is the exchange's matter; the machine only asks
whether its owner wants to buy it. Selling is never stopped by a designation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Designation(StrEnum):
    """지정. The value is what people see and what stands in the settings and in the table."""

    ADMINISTRATIVE = "관리종목"
    RISK = "투자위험"
    WARNING = "투자경고"
    CAUTION = "투자주의"
    HALTED = "거래정지"
    OVERHEATED = "단기과열"  # single-price auctions every 30 minutes
    DELISTING = "정리매매"
    ATTENTION = "투자유의"


# iscd_stat_cls_code; 55 신용가능 and 57 증거금 100% are no designations
STATUS: dict[str, Designation | None] = {
    "51": Designation.ADMINISTRATIVE,
    "52": Designation.RISK,
    "53": Designation.WARNING,
    "54": Designation.CAUTION,
    "55": None,
    "57": None,
    "58": Designation.HALTED,
    "59": Designation.OVERHEATED,
}

# not bought unless the owner says otherwise (settings, trade.no_buy)
NO_BUY = (
    Designation.ADMINISTRATIVE,
    Designation.RISK,
    Designation.WARNING,
    Designation.HALTED,
    Designation.OVERHEATED,
    Designation.DELISTING,
)


@dataclass(frozen=True, slots=True)
class StockDay:
    """What a stock is on one day. KRW, a limit of 0: there is none. ``designations`` is None when
    KIS's code is not known."""

    symbol: str
    base_price: int
    upper_limit: int
    lower_limit: int
    designations: frozenset[Designation] | None


def joined(designations: Iterable[Designation]) -> str:
    """As it stands in the table: ``투자경고, 단기과열``."""
    return ", ".join(one.value for one in Designation if one in set(designations))


def not_bought(designations: str, no_buy: Collection[str]) -> str:
    """Of what stands in the table, what the owner does not buy; "" when there is nothing."""
    return ", ".join(one for one in designations.split(", ") if one and one in no_buy)
