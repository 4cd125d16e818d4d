"""Codes of orders, as data: ORD_DVSN by kind and venue, and the refusals that prove "not sent".

Source of ORD_DVSN: fact sheet rest/_codes_order.json (official repo and portal table).
"""

from __future__ import annotations

from trading.errors import BadInput
from trading.orders import OrderKind, Venue

ORD_DVSN: dict[OrderKind, str] = {
    OrderKind.LIMIT: "00",  # 지정가
    OrderKind.MARKET: "01",  # 시장가
    OrderKind.BEST: "03",  # 최유리지정가
    OrderKind.FIRST: "04",  # 최우선지정가
    OrderKind.LIMIT_IOC: "11",  # IOC지정가
    OrderKind.LIMIT_FOK: "12",  # FOK지정가
    OrderKind.MARKET_IOC: "13",  # IOC시장가
    OrderKind.MARKET_FOK: "14",  # FOK시장가
    OrderKind.BEST_IOC: "15",  # IOC최유리
    OrderKind.BEST_FOK: "16",  # FOK최유리
}
KIND_OF = {code: kind for kind, code in ORD_DVSN.items()}
VENUE_KINDS: dict[Venue, frozenset[OrderKind]] = {
    Venue.KRX: frozenset(OrderKind),
    Venue.NXT: frozenset(OrderKind) - {OrderKind.MARKET},
    Venue.SOR: frozenset(OrderKind),
}

# Refusals after which no order can exist, with the place that says so. A gateway code that is not
# here leaves the outcome unknown, first of all EGW00301/EGW00302 ("check the previous trade") and
# EGW00215 (the ledger's limiter: nobody has written down what it does with an order).
NEVER_REACHED: dict[str, str] = {
    "EGW00201": "notice 2026-04-20: calls refused by the rate limit are to be called again",
    "EGW00101": "portal code table: bad request, refused by the gateway",
    "EGW00102": "portal code table: appkey missing",
    "EGW00103": "portal code table: invalid appkey",
    "EGW00104": "portal code table: appsecret missing",
    "EGW00105": "portal code table: invalid appsecret",
    "EGW00121": "portal code table: invalid token, refused before routing",
    "EGW00122": "portal code table: token missing",
    "EGW00123": "portal code table: token expired",
    "EGW00131": "portal code table: hashkey",
    "EGW00132": "portal code table: content-type",
    "EGW00205": "portal code table: credentials type",
    "EGW00206": "portal code table: no permission",
    "EGW00207": "portal code table: IP not allowed",
    "EGW00208": "portal code table: custtype",
    "EGW00213": "portal code table: not a 모의투자 TR",
    "EGW02006": "live calls 2026-08-01 and 2026-09-11: not a 모의투자 TR",
}


def code_for(kind: OrderKind, venue: Venue) -> str:
    """ORD_DVSN of a kind. BadInput when the venue does not know it."""
    if kind not in VENUE_KINDS[venue]:
        raise BadInput("kind", kind.value, f"{venue.value}에 없는 주문 종류입니다")
    return ORD_DVSN[kind]
