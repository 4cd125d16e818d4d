"""3계층: the days of data.go.kr that are missing."""

from runtime.celeryapp import app
from runtime.polls import fetch_publicdata


@app.task(name="tasks.publicdata.nightly", soft_time_limit=3000, time_limit=3060)
def nightly() -> str:
    """How many days were stored, or the class of an error."""
    return fetch_publicdata()
