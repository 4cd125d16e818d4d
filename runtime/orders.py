"""The order path of this machine's settings, plugged together on first use."""

from __future__ import annotations

import os
import signal
import socket
import threading
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

import structlog

from db.lease import ORDERS, TTL_S, give_back, take_lease
from db.ledger import Site
from db.ledger_cancel import CancelLedger
from db.ledger_send import SendLedger
from db.settle import SettleLedger
from db.settle import settle as settle_round
from kis.broker import KisBroker
from kis.gate import CallGate, Permit
from kis.rest import KisRest
from runtime import wake_ups, wiring
from runtime.calendar import Calendar, always_open
from runtime.large_pages import take_large_pages
from runtime.loop import kst_now
from runtime.settings import Settings, env_name, load_settings, real_money
from runtime.settings_source import Problem
from trading.cancelling import CancelDesk
from trading.errors import ConfigError, StockdError
from trading.execution import OrderDesk, Served
from trading.guards import Limits
from trading.hours import TradingDay

log = structlog.get_logger(__name__)


def site() -> Site:
    """Where the conditions' tables stand."""
    known = load_settings().site
    return Site(known.database, known.prefix)


def account() -> str:
    """Label of the trading account: what stands in the tables (P13)."""
    return wiring.kis_key().label


def patience() -> timedelta:
    """How long a strike may wait for its turn."""
    return timedelta(seconds=load_settings().trade.patience_s)


def limits(settings: Settings | None = None) -> Limits:
    """The guards' limits of the settings."""
    known = settings or load_settings()
    trade = known.trade.model_dump(exclude={"account", "no_buy", "patience_s"})
    return Limits(**trade, krx_hours=not always_open(known))


@cache
def calendar() -> Calendar:
    """The trading days of this machine."""
    return Calendar(wiring.state_dir())


def trading_day(day: date) -> TradingDay | None:
    """The day's hours, None on a holiday; a venue that never closes has every day."""
    return TradingDay(day) if always_open(load_settings()) else calendar().day(day)


def stop_file() -> Path:
    """The third way to stop: this file stands there; its text is the reason."""
    return Path(load_settings().local.directory) / "HALT"


def read_stop_file() -> str | None:
    """The reason in the stop file, None when there is none."""
    try:
        return stop_file().read_text("utf-8", "replace").strip()[:200] or "정지 파일"
    except FileNotFoundError:
        return None
    except OSError as error:  # it stands there but cannot be read: that is a stop too
        return f"정지 파일을 읽을 수 없음: {error.strerror}"


def check_two_switches(settings: Settings) -> bool:
    """Whether real money is at stake. ConfigError when only one of the switches is set (P14).

    Settings are checked when they are read; this is the order path's own look before it calls.
    """
    try:
        return real_money(settings)
    except Problem as problem:
        raise ConfigError(f"{problem.key} ({env_name(problem.key)})", problem.reason) from None


class OrderLane:
    """The order lane's permit, taken before the claim and handed to the broker's one call.

    To execution it is ``OrderPermits``, to the REST client it is its ``CallGate``.
    """

    def __init__(self, gate: CallGate) -> None:
        self._gate = gate
        self._held: Permit | None = None

    def take(self, timeout: float) -> None:
        if self._held is None:
            self._held = self._gate.acquire("order", timeout)

    def give_back(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.done()

    def acquire(self, lane: str, timeout: float, *, ledger: bool = False) -> Permit:
        if lane == "order" and self._held is not None:
            held, self._held = self._held, None
            return held
        return self._gate.acquire(lane, timeout, ledger=ledger)


@cache
def _holder(_pid: int) -> str:
    return f"{socket.gethostname()[:30]}:{_pid}:{uuid4().hex[:8]}"


_worker_holder: str = ""  # made in the worker's main process, inherited by its pool child


def holder() -> str:
    """Who we are to the lease: the Celery worker, not one of its children."""
    return _worker_holder or _holder(os.getpid())


@cache
def lane() -> OrderLane:
    """The order lane of this process."""
    return OrderLane(wiring.lanes())


@cache
def broker() -> KisBroker:
    """The broker of the order path: its calls use the permit taken before the claim."""
    known = load_settings()
    check_two_switches(known)
    rest = KisRest(
        wiring.kis_key(), wiring.kis_env(), known.kis.rest_url, wiring.kis_auth(), lane()
    )
    return KisBroker(rest)


@cache
def desk() -> OrderDesk:
    """The order desk of this process."""
    own = limits()
    ledger = SendLedger(
        wiring.engine("orders"), site(), account(), holder(),
        trading_day=trading_day, window=own.error_rate_window, stop_file=read_stop_file,
        direct=wiring.engine("orders", direct=True),
    )  # fmt: skip
    return OrderDesk(ledger, lane(), broker(), own)


@cache
def cancel_desk() -> CancelDesk:
    """Cancels what is open when a person stopped the machine with that wish."""
    ledger = CancelLedger(wiring.engine("orders"), site(), account())
    return CancelDesk(ledger, lane(), broker())


@cache
def settle_ledger() -> SettleLedger:
    """The ledger as settling sees it."""
    return SettleLedger(wiring.engine("orders"), account())


_agreed = threading.Event()


def agree() -> bool:
    """Once a process: ledger and broker compared before anything is sent. Whether they were."""
    if not _agreed.is_set():
        settle_round(settle_ledger(), broker().orders_of_day, kst_now, force=True)
        _agreed.set()
    return True


def serve_next() -> Served:
    """Send the next due strike, if it is our turn. Outside trouble is an outcome, not a crash."""
    try:
        agree()
        served = desk().serve_next()
        if served.what == "STANDBY" and take_lease(wiring.engine("orders"), ORDERS, holder()):
            served = desk().serve_next()
        if served.what in ("IDLE", "WAIT"):
            cancel_desk().cancel_next()
    except StockdError as error:
        log.warning("order_desk_waits", kind=type(error).__name__, error=str(error))
        return Served("TROUBLE", reason=str(error))
    if served.what != "IDLE":
        log.info("주문", what=served.what, strike_id=served.strike_id, state=str(served.state),
                 reason=served.reason)  # fmt: skip
    return served


def rehearse() -> str:
    """The worker's half of a rehearsal (runtime/rehearsal.py): what ``desk().rehearse`` says."""
    if not _agreed.is_set():  # get_ready or the first strike do that, and nothing goes before it
        return "WAIT"
    try:
        broker().rehearse()
        wiring.lanes().snapshot()
        return desk().rehearse().what
    except StockdError as error:
        return type(error).__name__


def apply_notices() -> int:
    """What settling does without asking the broker; how many rows changed."""
    return settle_ledger().apply_notices()


def settle() -> int:
    """One round of settling."""
    return settle_round(settle_ledger(), wiring.orders_of_day, kst_now)


def sweep() -> tuple[int, int, bool]:
    """One round of the sweeper; publishes a wake-up when one seems lost."""
    result = settle_ledger().sweep()
    if result[2] or cancel_desk().wanted():
        wake_ups.wake()
    return result


# -- the lease of a Celery worker ------------------------------------------------------------


def stand_by(stop: threading.Event | None = None) -> None:
    """Block until this worker is the order worker, then keep the lease in a thread."""
    global _worker_holder  # noqa: PLW0603  the pool child must inherit it
    _worker_holder = _holder(os.getpid())
    ended = stop or threading.Event()
    engine = wiring.engine("orders")
    told = False
    while not ended.is_set():
        try:
            if take_lease(engine, ORDERS, _worker_holder) is not None:
                break
            if not told:
                log.info("다른 주문 워커가 일하고 있어 기다립니다")
                told = True
        except StockdError as error:
            log.warning("lease_waits", error=str(error))
        ended.wait(1.0)
    threading.Thread(target=_keep_lease, args=(ended,), daemon=True, name="lease").start()


def _keep_lease(ended: threading.Event) -> None:
    while not ended.wait(TTL_S / 4):
        try:
            if take_lease(wiring.engine("orders"), ORDERS, _worker_holder) is None:
                # another one works: this one would only take its wake-ups. A warm stop; who
                # supervises us starts us again, and then we stand by.
                log.error("주문 실행권을 잃어 물러납니다")
                os.kill(os.getpid(), signal.SIGTERM)
                return
        except StockdError as error:
            log.warning("lease_not_renewed", error=str(error))


def leave() -> None:
    """A clean stop: the next worker need not wait for the lease to run out."""
    try:
        give_back(wiring.engine("orders"), ORDERS, holder())
    except StockdError as error:
        log.warning("lease_not_returned", error=str(error))


def get_ready() -> str:
    """What the first order would otherwise wait for. A word for Flower."""
    try:
        if take_lease(wiring.engine("orders"), ORDERS, holder()) is None:
            return "STANDBY"
        desk()
        trading_day(kst_now().date())  # loads the calendar library, which brings pandas
        agree()
        broker().prepare()
        take_large_pages()
    except StockdError as error:
        log.warning("not_ready", kind=type(error).__name__, error=str(error))
        return type(error).__name__
    return "READY"


def forget() -> None:
    """Drop what was built (tests, and after a fork)."""
    wake_ups.forget()
    for one in (calendar, lane, broker, desk, cancel_desk, settle_ledger):
        one.cache_clear()
    _agreed.clear()
