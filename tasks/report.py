"""저녁 대사: the day compared with the broker, written as a page."""

from __future__ import annotations

from runtime.celeryapp import app
from runtime.polls import DAILY_S, in_turn
from runtime.report import evening


@app.task(name="tasks.report.evening", soft_time_limit=110, time_limit=120)
def write() -> str:
    """Differences a day, or the class of an error."""
    return in_turn(
        "report", DAILY_S, DAILY_S, lambda: evening.evening(evening.today()), in_hours=False
    )
