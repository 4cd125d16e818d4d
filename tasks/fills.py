"""체결 확인: what became of our orders, at most one call a second, only while something is open."""

from __future__ import annotations

from runtime import polls
from runtime.celeryapp import app


@app.task(name="tasks.fills.settle", ignore_result=True)
def settle() -> str:
    """How many rows changed, or why it was not this turn."""
    return polls.confirm_orders()
