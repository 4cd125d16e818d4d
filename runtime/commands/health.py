"""`stockd health NAME`: exit 0 while a process gets something done (compose's health checks).

Daemons are asked for in table `daemon`, Celery processes in their own marks (runtime/progress.py).
At night nothing is traded: then the market daemon's row may be old, and only then the calendar is
asked. What is wrong with the outside world is not a process's health: that is for the alarms.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from trading.errors import ConfigError, Unavailable

MARKET_S = 60.0  # no row of any of 40 stocks for so long is silence
TRADER_S = 15.0  # it looks at its table several times a second
FLOWER_PORT = 5555
# the slowest thing each queue carries regularly (beat_schedule.py), thrice and a little
MARKS_S = {"confirm": 20.0, "assets": 75.0, "sweep": 75.0, "beat": 20.0, "orders": 75.0}


def _daemon_age_s(name: str) -> float | None:
    import sqlalchemy as sa  # noqa: PLC0415  Celery processes need no database to be asked

    from runtime import wiring  # noqa: PLC0415

    query = "SELECT TIMESTAMPDIFF(MICROSECOND, progress_at, NOW(6)) FROM daemon WHERE name = :name"
    try:
        with wiring.engine(name, autocommit=True).connect() as connection:
            found = connection.scalar(sa.text(query), {"name": name})
    except sa.exc.SQLAlchemyError as error:
        raise Unavailable(f"MariaDB: {str(error).splitlines()[0]}") from None
    return None if found is None else float(found) / 1e6


def _rests() -> bool:
    from runtime.calendar import Calendar, market_is_awake  # noqa: PLC0415
    from runtime.loop import kst_now  # noqa: PLC0415
    from runtime.settings import load_settings  # noqa: PLC0415
    from runtime.wiring import state_dir  # noqa: PLC0415

    return not market_is_awake(load_settings(), Calendar(state_dir()), kst_now())


def _market() -> str:
    return _judged(_daemon_age_s("market"), MARKET_S, "row written", or_else=_rests)


def _trader() -> str:
    return _judged(_daemon_age_s("trader"), TRADER_S, "look at the tables")


def _celery(name: str) -> str:
    from runtime.progress import age_s  # noqa: PLC0415

    if name == "orders":
        # nothing is on this queue while no condition fires: send what every order goes through,
        # a wake-up that opens the broker's connection and orders nothing; judged next time
        from runtime.orders import warm_up_publisher  # noqa: PLC0415

        warm_up_publisher()
    done = "wake-up sent" if name == "beat" else "task ended"
    return _judged(age_s(name), MARKS_S[name], done)


def _judged(
    age: float | None, limit: float, what: str, or_else: Callable[[], bool] | None = None
) -> str:
    if age is not None and age <= limit:
        return f"last {what} {age:.1f} s ago"
    if or_else is not None and or_else():
        return "resting: the market is closed"
    raise Unavailable(
        f"no {what} yet" if age is None else f"last {what} {age:.0f} s ago, more than {limit:g} s"
    )


def _flower() -> str:
    """Events must arrive: the page answers long after its link to the queues is gone."""
    total = _flower_events()
    kept = Path(tempfile.gettempdir()) / "flower-events.json"
    then = json.loads(kept.read_text("utf-8")) if kept.exists() else {"total": -1.0, "at": 0.0}
    if total != then["total"]:
        kept.write_text(json.dumps({"total": total, "at": time.time()}), "utf-8")
        return f"{total:.0f} events"
    return _judged(time.time() - then["at"], 60.0, "event")


def _flower_events() -> float:
    port = int(os.environ.get("FLOWER_PORT", FLOWER_PORT))
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=4) as reply:
            lines = reply.read().decode().splitlines()
    except (OSError, urllib.error.URLError) as error:
        raise Unavailable(f"Flower: {error}") from None
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("flower_events_total")
    )


CHECKS: dict[str, Callable[[], str]] = {
    "market": _market,
    "trader": _trader,
    **{name: partial(_celery, name) for name in MARKS_S},
    "flower": _flower,
}


@click.command()
@click.argument("name", type=click.Choice(sorted(CHECKS)))
def health(name: str) -> None:
    """NAME 이 일을 하고 있으면 0 (컨테이너의 건강 검사)."""
    try:
        click.echo(CHECKS[name]())
    except ConfigError as error:
        raise Unavailable(str(error)) from None  # 1: unhealthy, not a mistyped command
