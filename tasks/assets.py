"""개인자산: one cycle of the trading account a turn."""

from runtime.celeryapp import app
from runtime.polls import poll_assets


# longer than a cycle with every retry at its end; the next turn waits for it, so none pile up
@app.task(name="tasks.assets.poll", soft_time_limit=45, time_limit=50)
def poll() -> str:
    """written, refused (by the sanity gate), resting, not our turn, or the class of an error."""
    return poll_assets()
