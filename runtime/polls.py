"""What the timetable wakes: each takes its turn, rests when the market does, and ends in one word.

Outside trouble is an outcome and not a crash: the next turn is the retry.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day
from functools import cache

import structlog

from beat_schedule import ASSETS_EARLY_S, ASSETS_EVERY_S
from datagokr.client import PublicData
from db.daily import listed_symbols
from db.heartbeat import Heartbeat
from db.sweep import ages, on_websocket
from kis.http import new_session
from kis.keys import Env
from kis.quotes import KisQuotes
from kis.rest import KisRest
from runtime import orders, publicdata, wiring
from runtime.asset_store import DbAssetStore
from runtime.assets import AssetPoll
from runtime.calendar import Calendar, always_open, market_is_awake
from runtime.loop import kst_now
from runtime.on_the_clock import turn_lasts, until_the_moment
from runtime.settings import load_settings
from runtime.stock_days import FROM, StockDays
from runtime.sweep import Key, Sweep
from trading.clock import KST
from trading.errors import ConfigError, StockdError

log = structlog.get_logger(__name__)

SWEEP_EVERY_S, STOCK_DAYS_EVERY_S = 10.0, 15.0
LATEST_START_S = 2.0  # so much past its moment a poll still begins
BOOKED_PAST_S = 0.5  # a poll that is late all the same keeps its place so long
POLL_NEXT_S = 1.25  # the ledger's pace and a call
LONGEST_CYCLE_S = 55.0  # above the tasks' hard limits
DAILY_S = 1800.0  # tasks of once a day: a second wake-up within half an hour is a double
EVENING = time_of_day(20, 30)  # after the last phase of the day; a morning token lasts until then


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
    real = wiring.kis_env() is Env.REAL
    return AssetPoll(account, wiring.kis_account(), store, has_realised_profit=real)


def poll_assets() -> str:
    """One asset cycle, every 10 s in market hours, its holdings asked on the clock's tens.

    The ledger's pace is booked until then: a confirmation begun a moment before would make the
    poll late by a second.
    """

    def cycle() -> str:
        ahead_s = until_the_moment(ASSETS_EVERY_S)
        wiring.lanes().book("assets", ahead_s + BOOKED_PAST_S)
        time.sleep(ahead_s)
        return "refused" if asset_poll().cycle() is None else "written"

    taken_s = turn_lasts(ASSETS_EVERY_S, ASSETS_EARLY_S)
    # a cycle with retries runs into the early wake-up: wait for it rather than lose this one
    wait_s = ASSETS_EARLY_S + LATEST_START_S
    return in_turn("assets", ASSETS_EVERY_S, LONGEST_CYCLE_S, cycle, taken_s=taken_s, wait_s=wait_s)


def confirm_orders() -> str:
    """One round of settling, at most one a second: how many rows changed, or why there was none.

    Shortly before a poll only the notices are read: a list asked for now would hold the ledger's
    pace over the poll's moment, also where the poll was woken too late to book it.
    """

    def turn() -> str:
        poll_next = 0.0 < until_the_moment(ASSETS_EVERY_S) < POLL_NEXT_S
        return str(orders.apply_notices() if poll_next else orders.settle())

    return in_turn("settle", 1.0, 15.0, turn, in_hours=False)


@cache
def sweeper() -> Sweep:
    """The sweep over every section's app key, each with the callers its sweep lane can feed."""
    keys = []
    for one in load_settings().kis.sections:
        lanes = wiring.lanes(one.label)
        callers = max(1, lanes.plan.limits["sweep"])
        rest = KisRest(
            wiring.kis_key(one.label),
            wiring.kis_env(),
            load_settings().kis.rest_url,
            wiring.kis_auth(one.label),
            lanes,
            http=new_session(callers),
        )
        keys.append(Key(KisQuotes(rest), callers))
    engine = wiring.engine("sweep")
    return Sweep(keys, engine, Heartbeat(engine, "sweep", kst_now()), kst_now)


def sweep_market() -> str:
    """One sweep turn, every 10 s in market hours."""

    def turn() -> str:
        engine, settings = wiring.engine("sweep"), load_settings().sweep
        wanted = listed_symbols(engine) if settings.whole_market else list(settings.symbols)
        streamed = on_websocket(engine)
        symbols = [one for one in wanted if one not in streamed]
        if not symbols:
            return "nothing to sweep"
        done = sweeper().turn(symbols, ages(engine))
        return f"{done.written} of {len(symbols)} in {done.seconds:.1f} s"

    return in_turn("sweep", SWEEP_EVERY_S, LONGEST_CYCLE_S, turn)


@cache
def stock_days() -> StockDays:
    """Over the surplus calls of the trading account's app key."""
    known = load_settings()
    return StockDays(
        KisQuotes(wiring.kis_rest()),
        wiring.engine("sweep"),
        orders.site(),
        [one.value for one in known.trade.no_buy],
        kst_now,
        (time_of_day(0),) if always_open(known) else FROM,
    )


def read_stock_days() -> str:
    """One turn of the stocks' day, every 15 s in market hours."""
    return in_turn("stock-days", STOCK_DAYS_EVERY_S, LONGEST_CYCLE_S, lambda: stock_days().turn())


def prepare_morning() -> str:
    """Token and approval key that last until the evening, for each section; then chk-holiday, which
    모의 lacks. A key that is refused (each ends after a year) costs the others nothing.
    """

    def prepare() -> str:
        now = kst_now()
        evening = datetime.combine(now.date(), EVENING, tzinfo=KST)
        until = max(evening, now + timedelta(minutes=10))
        sections = load_settings().kis.sections
        ready = [one.label for one in sections if _is_ready(one.label, until)]
        word = f"{len(ready)} of {len(sections)} keys ready"
        if wiring.kis_env() is not Env.REAL or not ready:
            return word
        told = KisQuotes(wiring.kis_rest(ready[0])).holidays(now.date())
        return f"{word}, {len(calendar().check(told, now))} days differ"

    return in_turn("morning", DAILY_S, DAILY_S, prepare, in_hours=False)


def _is_ready(label: str, until: datetime) -> bool:
    try:
        auth = wiring.kis_auth(label)
        auth.token(until)
        auth.approval_key(until)
    except StockdError as error:
        log.warning("key_not_ready", section=label, kind=type(error).__name__, error=str(error))
        return False
    return True


@cache
def public_data() -> PublicData:
    """The client of data.go.kr. ConfigError without a key."""
    settings = load_settings().datagokr
    key = settings.service_key.get_secret_value()
    if not key:
        raise ConfigError("datagokr.service_key (STOCKD_DATAGOKR__SERVICE_KEY)", "is missing")
    return PublicData(settings.url, key)


def fetch_publicdata() -> str:
    """The nightly run of tier 3."""

    def fetch() -> str:
        today = kst_now().date()
        return publicdata.nightly(wiring.engine("sweep"), public_data(), calendar(), today)

    return in_turn("publicdata", DAILY_S, 2 * DAILY_S, fetch, in_hours=False)


def in_turn(
    name: str,
    period_s: float,
    longest_s: float,
    work: Callable[[], str],
    *,
    in_hours: bool = True,
    taken_s: float | None = None,
    wait_s: float = 0.0,
) -> str:
    """``work`` when it is this caller's turn and the market is awake; its word, or why not."""
    try:
        if in_hours and not market_is_awake(load_settings(), calendar(), kst_now()):
            return "resting"
        with wiring.slots().turn(name, period_s, longest_s, taken_s=taken_s, wait_s=wait_s) as mine:
            return work() if mine else "not our turn"
    except StockdError as error:
        log.warning("poll_failed", poll=name, kind=type(error).__name__, error=str(error))
        return type(error).__name__
