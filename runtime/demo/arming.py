"""Adds and arms the demo's conditions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from runtime.loop import kst_now
from runtime.wiring import engine

ADD = sa.text(
    "INSERT INTO stockd_condition (owner, symbol, side, trigger_op, strike_price, quantity, memo,"
    " enabled, arm_no, created_by, updated_by, created_at, updated_at) VALUES ('cli', :symbol,"
    " :side, IF(:side = 'BUY', 'LE', 'GE'), :strike_price, :quantity, :memo, 1, 1, 'cli', 'cli',"
    " :at, :at)"
)


def arm(plan: dict[str, Any]) -> None:
    """``plan``: symbol, side, strike_price, quantity, memo."""
    with engine("desk").begin() as connection:
        connection.execute(ADD, plan | {"at": kst_now().replace(tzinfo=None)})
