"""2계층: one turn over the stocks that the websocket does not have."""

from runtime.celeryapp import app
from runtime.polls import sweep_market


@app.task(name="tasks.sweep.turn", soft_time_limit=45, time_limit=50)
def turn() -> str:
    """What was written, or resting, not our turn, nothing to sweep, the class of an error."""
    return sweep_market()
