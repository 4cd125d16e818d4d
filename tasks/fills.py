"""체결 확인: what became of our orders, at most one call a second, only while something is open."""

from __future__ import annotations

from runtime import orders
from runtime.celeryapp import app
from runtime.polls import in_turn


@app.task(name="tasks.fills.settle", ignore_result=True)
def settle() -> str:
    """How many rows changed, or why it was not this turn."""
    return in_turn("settle", 1.0, 15.0, lambda: str(orders.settle()), in_hours=False)
