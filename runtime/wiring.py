"""The only room that builds ground-floor objects: small cached functions, on first use.

Tests that need other objects clear the caches with ``forget()`` and set STOCKD_… first.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

import redis as redis_py
import sqlalchemy as sa

from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import plan
from budget.reconnect import RedisReconnectBudget
from budget.slots import Slots
from budget.tokens import RedisTokenStore
from db.engines import make_engine
from db.grants import ROLES, user_name
from kis.account import KisAccount
from kis.auth import KisAuth
from kis.day_orders import orders_of_day as list_of_day
from kis.endpoints import DAILY_CCLD
from kis.keys import Env, KisKey
from kis.rest import KisRest
from runtime.settings import MariaDb, Section, load_settings
from trading.clock import KST
from trading.errors import ConfigError
from trading.orders import BrokerOrder


def database_url(mariadb: MariaDb, role: str) -> sa.URL:
    """SQLAlchemy URL of one role's user (db/grants.py). ConfigError for an unknown role."""
    if role not in ROLES:
        raise ConfigError("--role", f"{role!r}: one of {', '.join(ROLES)}")
    password = mariadb.passwords.get(role)
    if password is None:
        raise ConfigError(f"mariadb.passwords.{role}", "is missing")
    return sa.URL.create(
        "mysql+pymysql",
        username=user_name(role, mariadb.user_prefix),
        password=password.get_secret_value(),
        host="localhost" if mariadb.socket else mariadb.host,
        port=None if mariadb.socket else mariadb.port,
        database=mariadb.database,
        query={"charset": "utf8mb4"} | ({"unix_socket": mariadb.socket} if mariadb.socket else {}),
    )


@cache
def engine(role: str, *, autocommit: bool = False, direct: bool = False) -> sa.Engine:
    """Engine of one role; ``autocommit`` for pollers, ``direct`` for the way of an order. Not
    connected yet."""
    url = database_url(load_settings().mariadb, role)
    return make_engine(url, autocommit=autocommit, direct=direct)


@cache
def admin_engine() -> sa.Engine:
    """Engine of someone who may create users, for migrations. ConfigError when not set."""
    url = load_settings().mariadb.admin_url.get_secret_value()
    if not url:
        raise ConfigError("mariadb.admin_url (STOCKD_MARIADB__ADMIN_URL)", "is missing")
    return make_engine(url)


def redis_url(database: int) -> str:
    """URL of one database of our Redis."""
    return f"{load_settings().redis.url.get_secret_value().rstrip('/')}/{database}"


def broker_url() -> str:
    """Where Celery's queues are."""
    return redis_url(load_settings().redis.broker_db)


@cache
def redis() -> redis_py.Redis:
    """Client of budget, leases and tokens (not of the queues)."""
    return connect(redis_url(load_settings().redis.state_db))


def state_dir() -> Path:
    """What must survive a crash loop without Redis (tokens, reconnects): under .stockd/."""
    path = Path(load_settings().local.directory) / "state"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def section(label: str = "") -> Section:
    """The section of that label; "" is the trading one. ConfigError when unknown."""
    kis = load_settings().kis
    if not label:
        return kis.trading
    for one in kis.sections:
        if one.label == label:
            return one
    raise ConfigError("kis.sections", f"no section {label!r}")


def kis_env() -> Env:
    """실전 or 모의: decides the TR ids."""
    return Env.REAL if load_settings().kis.env == "real" else Env.MOCK


@cache
def kis_key(label: str = "") -> KisKey:
    """App key and account of a section."""
    one = section(label)
    return KisKey(
        label=one.label,
        app_key=one.app_key.get_secret_value(),
        app_secret=one.app_secret.get_secret_value(),
        account=one.account.get_secret_value(),
        hts_id=load_settings().kis.hts_id,
    )


@cache
def lanes(label: str = "") -> Lanes:
    """The call budget of a section's app key."""
    kis = load_settings().kis
    split = plan(kis.calls_per_second, kis.margin, kis.sweep_share)
    key = kis_key(label)
    return Lanes(redis(), key.key_id, split, account=key.label)


@cache
def token_store() -> RedisTokenStore:
    """Tokens shared by all processes."""
    return RedisTokenStore(redis(), state_dir())


@cache
def reconnect_budget() -> RedisReconnectBudget:
    """Connects shared by all processes (P11)."""
    return RedisReconnectBudget(redis(), state_dir())


@cache
def slots() -> Slots:
    """One turn a period over all processes."""
    return Slots(redis())


@cache
def kis_auth(label: str = "") -> KisAuth:
    """Token and approval key of a section."""
    return KisAuth(kis_key(label), load_settings().kis.rest_url, token_store(), lanes(label))


@cache
def kis_rest(label: str = "") -> KisRest:
    """REST client of a section."""
    return KisRest(
        kis_key(label), kis_env(), load_settings().kis.rest_url, kis_auth(label), lanes(label)
    )


def orders_of_day(day: datetime, since: datetime | None = None) -> list[BrokerOrder]:
    """The broker's own list of the trading account's orders of that KST day, or of those from
    ``since`` on."""
    return list_of_day(kis_rest(), DAILY_CCLD, day.astimezone(KST).date(), since)


@cache
def kis_account() -> KisAccount:
    """Reads the trading account."""
    return KisAccount(kis_rest())


def forget() -> None:
    """Drop everything built so far, settings included (tests, and after a fork)."""
    for name, value in list(globals().items()):
        if callable(value) and hasattr(value, "cache_clear") and name != "load_settings":
            value.cache_clear()
    load_settings.cache_clear()
