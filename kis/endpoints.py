"""The REST calls stockd makes, as data. A call's lane is part of its definition.

Source: fact sheet rest/_index.json and one file an endpoint. ``ledger`` marks the class that the
broker meters apart (EGW00215, about one a second an account).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kis.keys import Env


class Lane(StrEnum):
    """A share of the call budget: order 1, confirm 1, assets 4, spare 2, sweep the surplus."""

    ORDER = "order"
    CONFIRM = "confirm"
    ASSETS = "assets"
    SPARE = "spare"
    SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One REST call. ``tr_mock`` "" means that 모의투자 has no such call (EGW02006)."""

    name: str
    method: str
    path: str
    tr_real: str
    tr_mock: str
    lane: Lane
    ledger: bool = False
    page_real: int = 0  # rows a page, 0 when there are no pages
    page_mock: int = 0
    cursor: tuple[str, str] = ("CTX_AREA_FK100", "CTX_AREA_NK100")
    timeout: tuple[float, float] = (3.05, 4.0)  # connect, read; seconds. Below the permits' hold
    permit_timeout: float = 10.0  # longest wait for the call budget; seconds

    def tr_id(self, env: Env) -> str:
        """tr_id header of the environment, "" where the call does not exist."""
        return self.tr_real if env is Env.REAL else self.tr_mock


_TRADING = "/uapi/domestic-stock/v1/trading/"
_QUOTES = "/uapi/domestic-stock/v1/quotations/"
_TR_DATE_CURSOR = ("CTX_AREA_FK", "CTX_AREA_NK")

TOKEN = Endpoint("tokenP", "POST", "/oauth2/tokenP", "", "", Lane.SPARE)
APPROVAL = Endpoint("Approval", "POST", "/oauth2/Approval", "", "", Lane.SPARE)

# An order waits for its permit shortly or not at all: a late order is worse than none (P7).
BUY = Endpoint(
    "order-cash buy", "POST", _TRADING + "order-cash", "TTTC0012U", "VTTC0012U", Lane.ORDER,
    permit_timeout=1.5,
)  # fmt: skip
SELL = Endpoint(
    "order-cash sell", "POST", _TRADING + "order-cash", "TTTC0011U", "VTTC0011U", Lane.ORDER,
    permit_timeout=1.5,
)  # fmt: skip
CANCEL = Endpoint(
    "order-rvsecncl", "POST", _TRADING + "order-rvsecncl", "TTTC0013U", "VTTC0013U", Lane.ORDER,
    permit_timeout=1.5,
)  # fmt: skip
DAILY_CCLD = Endpoint(
    "inquire-daily-ccld", "GET", _TRADING + "inquire-daily-ccld", "TTTC0081R", "VTTC0081R",
    Lane.CONFIRM, ledger=True, page_real=100, page_mock=15,
)  # fmt: skip
BALANCE = Endpoint(
    "inquire-balance", "GET", _TRADING + "inquire-balance", "TTTC8434R", "VTTC8434R",
    Lane.ASSETS, ledger=True, page_real=50, page_mock=20,
)  # fmt: skip
BALANCE_RLZ_PL = Endpoint(
    "inquire-balance-rlz-pl", "GET", _TRADING + "inquire-balance-rlz-pl", "TTTC8494R", "",
    Lane.ASSETS, ledger=True, page_real=50,
)  # fmt: skip
PSBL_ORDER = Endpoint(
    "inquire-psbl-order", "GET", _TRADING + "inquire-psbl-order", "TTTC8908R", "VTTC8908R",
    Lane.ASSETS, ledger=True,
)  # fmt: skip
DAILY_CCLD_ASSETS = Endpoint(  # the same query as part of an asset cycle
    "inquire-daily-ccld", "GET", _TRADING + "inquire-daily-ccld", "TTTC0081R", "VTTC0081R",
    Lane.ASSETS, ledger=True, page_real=100, page_mock=15,
)  # fmt: skip
PRICE = Endpoint(
    "inquire-price", "GET", _QUOTES + "inquire-price", "FHKST01010100", "FHKST01010100", Lane.SWEEP
)
MULTPRICE = Endpoint(
    "intstock-multprice", "GET", _QUOTES + "intstock-multprice", "FHKST11300006", "", Lane.SWEEP
)
HOLIDAY = Endpoint(
    "chk-holiday", "GET", _QUOTES + "chk-holiday", "CTCA0903R", "", Lane.SPARE,
    ledger=True, page_real=23, cursor=_TR_DATE_CURSOR,
)  # fmt: skip

ALL = (
    TOKEN, APPROVAL, BUY, SELL, CANCEL, DAILY_CCLD, BALANCE, BALANCE_RLZ_PL, PSBL_ORDER,
    DAILY_CCLD_ASSETS, PRICE, MULTPRICE, HOLIDAY,
)  # fmt: skip
