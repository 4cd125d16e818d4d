"""What a life must have kept: the ledger against the broker's own book."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lives import Life


def unfinished(life: Life) -> bool:
    """Whether anything is still to come to its end."""
    return bool(
        life.world.rows(
            "SELECT 1 FROM strike WHERE state IN ('CLAIMED', 'SENDING', 'UNKNOWN') OR (state IN"
            " ('ACCEPTED', 'PART_FILLED', 'FILLED', 'CANCELLED')"
            " AND (broker_filled IS NULL OR broker_filled <> filled)) LIMIT 1"
        )
    )


def judge(life: Life) -> list[str]:
    """Every promise that was broken."""
    strikes = life.world.rows("SELECT * FROM strike")
    fills = {
        (row["order_day"], row["order_no"]): int(row["n"])
        for row in life.world.rows(
            "SELECT order_day, order_no, SUM(quantity) AS n FROM fill GROUP BY order_day, order_no"
        )
    }
    return [*_calls(life), *_orders(life, strikes, fills), *_strikes(life, strikes)]


def _calls(life: Life) -> list[str]:
    strikes = Counter(h.strike for h in life.book.book if h.strike is not None)
    wrong = [f"P4: {n} orders of one arming" for n in strikes.values() if n > 1]
    gaps = [b - a for a, b in pairwise(life.book.arrivals)]
    return wrong + [f"P5: {gap:.3f} s between two calls" for gap in gaps if gap < 0.9999]


def _orders(life: Life, strikes: list[dict[str, Any]], fills: dict[Any, int]) -> list[str]:
    wrong = []
    by_id = {s["id"]: s for s in strikes}
    for held in life.book.book:
        if held.strike is None:
            continue  # the owner's
        strike = by_id[held.strike]
        if strike["state"] == "UNKNOWN" and strike["reason_code"] == "AMBIGUOUS":
            continue  # a person looks; the stock is blocked
        if strike["order_no"] != held.number:
            wrong.append(f"P6: order {held.number} is {strike['state']} in the ledger")
            continue
        counted = fills.get((held.at.date(), held.number), 0)
        if not counted == strike["filled"] == held.filled:
            wrong.append(f"P9: filled {held.filled}, ledger {strike['filled']}, fills {counted}")
    return wrong


def _strikes(life: Life, strikes: list[dict[str, Any]]) -> list[str]:
    numbers = {held.number for held in life.book.book if held.strike is not None}
    wrong = [
        f"P6: strike {s['id']} is {s['state']} with order {s['order_no']}, not one of ours"
        for s in strikes
        if s["order_no"] is not None and s["order_no"] not in numbers
    ]
    return wrong + [
        f"P6: strike {s['id']} is left {s['state']}"
        for s in strikes
        if s["state"] in ("CLAIMED", "SENDING")
        or (s["state"] == "UNKNOWN" and s["reason_code"] != "AMBIGUOUS")
    ]
