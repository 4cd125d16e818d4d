"""The broker's own list of a day's orders (inquire-daily-ccld): what reconciling believes."""

from __future__ import annotations

from datetime import date
from typing import Any

from kis.endpoints import Endpoint
from kis.keys import Env
from kis.parse import parse_broker_order
from kis.rest import KisRest
from trading.orders import BrokerOrder


def orders_of_day(rest: KisRest, endpoint: Endpoint, on: date) -> list[BrokerOrder]:
    """All orders of the account on a KST day, oldest first, all pages, cancels included.

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
        "INQR_DVSN": "01",
        "INQR_DVSN_1": "",
        "INQR_DVSN_3": "00",
        "EXCG_ID_DVSN_CD": "KRX" if rest.env is Env.MOCK else "ALL",
    }
    found: dict[tuple[Any, ...], BrokerOrder] = {}
    for answer in rest.pages(endpoint, params):
        for row in answer.rows("output1"):
            order = parse_broker_order(row)
            # One number can stand at KRX and at NXT (order routing): the venue is in the key.
            found[order.branch, order.order_no, row.get("excg_id_dvsn_cd")] = order
    return list(found.values())
