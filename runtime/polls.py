"""What the timetable wakes: each takes its turn, rests when the market does, and ends in one word.

Outside trouble is an outcome and not a crash: the next turn is the retry.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import structlog

from db.heartbeat import Heartbeat
from runtime import wiring
from runtime.asset_store import DbAssetStore
from runtime.assets import AssetPoll
from runtime.calendar import Calendar, market_is_awake
from runtime.loop import kst_now
from runtime.settings import load_settings
from trading.errors import StockdError

log = structlog.get_logger(__name__)

ASSETS_EVERY_S = 10.0
LONGEST_CYCLE_S = 55.0  # above the task's hard limit


@cache
def calendar() -> Calendar:
    """The trading days of this machine."""
    return Calendar(wiring.state_dir())


@cache
def asset_poll() -> AssetPoll:
    """The poll of the trading account; one a process, it remembers what it is in doubt about."""
    account = wiring.kis_key().label
    engine = wiring.engine("assets")
    store = DbAssetStore(engine, account, Heartbeat(engine, "assets", kst_now()))
    real = wiring.kis_env() is wiring.Env.REAL
    return AssetPoll(account, wiring.kis_account(), store, kst_now, has_realised_profit=real)


def poll_assets() -> str:
    """One asset cycle, every 10 s in market hours."""

    def cycle() -> str:
        return "refused" if asset_poll().cycle() is None else "written"

    return in_turn("assets", ASSETS_EVERY_S, LONGEST_CYCLE_S, cycle)


def in_turn(
    name: str,
    period_s: float,
    longest_s: float,
    work: Callable[[], str],
    *,
    in_hours: bool = True,
) -> str:
    """``work`` when it is this caller's turn and the market is awake; its word, or why not."""
    try:
        if in_hours and not market_is_awake(load_settings(), calendar(), kst_now()):
            return "resting"
        with wiring.slots().turn(name, period_s, longest_s) as mine:
            return work() if mine else "not our turn"
    except StockdError as error:
        log.warning("poll_failed", poll=name, kind=type(error).__name__, error=str(error))
        return type(error).__name__
