"""종목의 그날: limits and designations of the stocks that have conditions."""

from runtime.celeryapp import app
from runtime.polls import read_stock_days


@app.task(name="tasks.stock_days.read", soft_time_limit=45, time_limit=50)
def read() -> str:
    """How many were read, or resting, not our turn, the class of an error."""
    return read_stock_days()
