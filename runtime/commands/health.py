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
from typing import Any

import click

from runtime.marks import age_s, mark_file
from trading.errors import ConfigError, Unavailable

MARKET_S = 60.0  # no row of any of 40 stocks for so long is silence
TRADER_S = 15.0  # it looks at its table several times a second
WATCHDOG_S = 20.0  # it looks every two seconds; the morning's doctor takes a few
FLOWER_PORT = 5555
# the slowest thing each queue carries regularly (beat_schedule.py), thrice and a little
MARKS_S = {"confirm": 20.0, "assets": 75.0, "sweep": 75.0, "beat": 20.0, "orders": 75.0}
NUDGE_S = 20.0


def _settings() -> dict[str, Any]:
    """Raw settings. The complete file of a stack is read as it is: asking every few seconds must
    cost less than what is asked for, and checking the settings anew is half of it."""
    file = os.environ.get("STOCKD_CONFIG", "")
    if file.endswith(".json"):
        try:
            found: dict[str, Any] = json.loads(Path(file).read_text("utf-8"))
            return found
        except (OSError, ValueError) as error:
            raise ConfigError("STOCKD_CONFIG", f"{file}: {error}") from None
    from runtime.settings import load_settings  # noqa: PLC0415
    from runtime.stack.place import plain  # noqa: PLC0415

    whole: dict[str, Any] = plain(load_settings())
    return whole


def _daemon_age_s(name: str) -> float | None:
    import pymysql  # noqa: PLC0415  Celery processes need no database to be asked

    known = _settings()["mariadb"]
    password = known["passwords"].get(name)
    if password is None:
        raise ConfigError(f"mariadb.passwords.{name}", "is missing")
    query = "SELECT TIMESTAMPDIFF(MICROSECOND, progress_at, NOW(6)) FROM daemon WHERE name = %s"
    try:
        with (
            pymysql.connect(
                host=known["host"],
                port=known["port"],
                unix_socket=known["socket"] or None,
                user=known["user_prefix"] + name,
                password=password,
                database=known["database"],
                connect_timeout=3,
                read_timeout=3,
                init_command="SET SESSION time_zone = '+09:00'",
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query, (name,))
            row = cursor.fetchone()
    except pymysql.err.MySQLError as error:
        raise Unavailable(f"MariaDB: {error.args[0] if error.args else error}") from None
    return None if row is None else float(row[0]) / 1e6


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


def _watchdog() -> str:
    """By its own figures where it gives any: it watches on while MariaDB is away."""
    port = int(os.environ.get("STOCKD_METRICS__PORT") or _settings()["metrics"]["port"])
    if not port:
        return _judged(_daemon_age_s("watchdog"), WATCHDOG_S, "whole look")
    ages = [
        float(line.rsplit(" ", 1)[1])
        for line in _figures("watchdog", port)
        if line.startswith("stockd_look_age_seconds ")
    ]
    return _judged(ages[0] if ages else None, WATCHDOG_S, "look")


def _celery(name: str) -> str:
    directory = Path(_settings()["local"]["directory"])
    age = age_s(mark_file(directory / "state", name))
    if name == "orders" and (age is None or age > NUDGE_S):
        # nothing is on this queue while no condition fires: send what every order goes through,
        # a wake-up that opens the broker's connection and orders nothing; judged next time
        from runtime.wake_ups import warm_up_publisher  # noqa: PLC0415

        warm_up_publisher()
    return _judged(age, MARKS_S[name], "wake-up sent" if name == "beat" else "task ended")


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
    then = json.loads(kept.read_text("utf-8")) if kept.exists() else {"total": 0.0, "at": 0.0}
    if total and total != then["total"]:
        kept.write_text(json.dumps({"total": total, "at": time.time()}), "utf-8")
        return f"{total:.0f} events"
    return _judged(time.time() - then["at"] if then["at"] else None, 60.0, "event")


def _flower_events() -> float:
    lines = _figures("Flower", int(os.environ.get("FLOWER_PORT", FLOWER_PORT)))
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("flower_events_total")
    )


def _figures(who: str, port: int) -> list[str]:
    """Lines of its page for Prometheus."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=8) as reply:
            lines: list[str] = reply.read().decode().splitlines()
            return lines
    except (OSError, urllib.error.URLError) as error:
        raise Unavailable(f"{who}: {error}") from None


CHECKS: dict[str, Callable[[], str]] = {
    "market": _market,
    "trader": _trader,
    "watchdog": _watchdog,
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
