"""장 시작 전: a token for the whole day and the broker's word on holidays."""

from runtime.celeryapp import app
from runtime.polls import prepare_morning


@app.task(name="tasks.morning.prepare", soft_time_limit=170, time_limit=180)
def prepare() -> str:
    """What was done, or the class of an error."""
    return prepare_morning()
