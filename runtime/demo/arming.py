"""Adds and arms the demo's conditions, as `stockd condition add --arm` does."""

from __future__ import annotations

from typing import Any

from db.conditions import ConditionBook
from runtime import orders, wiring
from runtime.loop import kst_now
from trading.conditions import validate


def arm(plan: dict[str, Any]) -> None:
    """``plan``: symbol, side, strike_price, quantity, memo. BadInput as the command says it."""
    row: dict[str, str | None] = {name: str(value) for name, value in plan.items()}
    book = ConditionBook(wiring.engine("desk"), orders.site(), "demo")
    context = book.context(plan["symbol"], orders.account(), kst_now(), mock=False)
    book.arm(book.add(validate(row, context)))
