"""The broker's own list of a day's orders (inquire-daily-ccld): what reconciling believes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from kis.endpoints import Endpoint
from kis.keys import Env
from kis.parse import parse_broker_order
from kis.rest import KisRest
from trading.orders import BrokerOrder


def orders_of_day(
    rest: KisRest, endpoint: Endpoint, on: date, since: datetime | None = None
) -> list[BrokerOrder]:
    """All orders of the account on a KST day, oldest first, all pages, cancels included.

    ``since`` (aware): only the orders from then on are needed, older ones may be left out. The
    list is then asked for newest first (INQR_DVSN 00), and a page that ends before ``since`` is the
    last: each page costs a second of the ledger's pace, and 모의투자 has 15 rows on one.

    Whole or not at all: an error on any page is raised (Throttled, Unavailable, AuthError,
    Refused, BadInput). An order that two pages both carry is one order, as last seen.
    """
    day_text = on.strftime("%Y%m%d")
    params = {
        **rest.account(),
        "INQR_STRT_DT": day_text,
        "INQR_END_DT": day_text,
        "SLL_BUY_DVSN_CD": "00",
        "PDNO": "",
        "ORD_GNO_BRNO": "",
        "ODNO": "",
        "CCLD_DVSN": "00",
        "INQR_DVSN": "01" if since is None else "00",
        "INQR_DVSN_1": "",
        "INQR_DVSN_3": "00",
        "EXCG_ID_DVSN_CD": "KRX" if rest.env is Env.MOCK else "ALL",
    }
    found: dict[tuple[Any, ...], BrokerOrder] = {}
    for answer in rest.pages(endpoint, params):
        page = []
        for row in answer.rows("output1"):
            order = parse_broker_order(row)
            # One number can stand at KRX and at NXT (order routing): the venue is in the key.
            found[order.branch, order.order_no, row.get("excg_id_dvsn_cd")] = order
            page.append(order.ordered_at)
        if since is not None and _ends_before(since, page):
            break
    return sorted(found.values(), key=lambda order: order.ordered_at)


def _ends_before(since: datetime, page: list[datetime]) -> bool:
    """Whether nothing on the pages after this one is needed. A page that is not newest first in
    truth says nothing of them."""
    newest_first = len(page) > 1 and page[0] > page[-1]
    return newest_first and page == sorted(page, reverse=True) and page[-1] < since
