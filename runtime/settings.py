"""Settings: one stockd.toml, every key overridable as STOCKD_SECTION__KEY, secrets from files.

Nothing is read at import. ``load_settings()`` reads once a process; ``read_settings`` is the pure
part. Anything wrong is a ConfigError that names the setting in full and the value.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from budget.profiles import PROFILES, profile
from runtime.processes import ProcessMark
from runtime.settings_source import CONFIG, Problem, gather
from trading.designations import NO_BUY, Designation
from trading.errors import ConfigError

PAPER_REST = "https://openapivts.koreainvestment.com:29443"
PAPER_WS = "ws://ops.koreainvestment.com:31000"
PAPER_DOORS = {("openapivts.koreainvestment.com", 29443), ("ops.koreainvestment.com", 31000)}
# "simulator": the container of docker-compose.yml; a name without a dot is no public host
LOOPBACK = {"127.0.0.1", "localhost", "::1", "simulator"}
LIVE_WORDS = {"yes": True, "no": False, "": False}
SYMBOL = re.compile(r"^[A-Z0-9]{6,9}$")


class Part(BaseModel):
    """A table of stockd.toml. Keys nobody knows are refused: a typing error must not be silent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Section(Part):
    """One app key: a websocket session of 40 stocks, and the account it belongs to."""

    label: str = Field(
        default="", pattern=r"^[A-Za-z0-9_-]{0,16}$"
    )  # the only part that is ever shown
    app_key: SecretStr = Field(min_length=8)
    app_secret: SecretStr = Field(min_length=8)
    account: SecretStr  # CANO + ACNT_PRDT_CD

    @field_validator("account")
    @classmethod
    def _account(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"\d{8}-?\d{2}", value.get_secret_value()):
            raise ValueError("8 + 2 digits expected, as 12345678-01")
        return value


class Kis(Part):
    """The broker. Any server that speaks KIS can stand behind the two URLs."""

    env: Literal["real", "paper"] = "paper"
    rest_url: str = PAPER_REST
    ws_url: str = PAPER_WS
    profile: str = "kis-2026-04-20"
    ceiling: int | None = Field(
        default=None, ge=1, le=1000
    )  # REST calls a second; None: the profile's
    margin: int = Field(default=0, ge=0)  # calls a second left unused
    sweep_share: int | None = Field(default=None, ge=0)
    hts_id: str = ""  # tr_key of the fill notice
    trade_section: str = ""  # label of the section whose account trades; "": the first
    sections: tuple[Section, ...] = ()

    @field_validator("profile")
    @classmethod
    def _profile(cls, value: str) -> str:
        if value not in PROFILES:
            raise ValueError(f"one of {', '.join(PROFILES)}")
        return value

    @field_validator("rest_url")
    @classmethod
    def _rest_url(cls, value: str) -> str:
        return _url(value, "http", "https")

    @field_validator("ws_url")
    @classmethod
    def _ws_url(cls, value: str) -> str:
        return _url(value, "ws", "wss")

    @field_validator("sections")
    @classmethod
    def _sections(cls, value: tuple[Section, ...]) -> tuple[Section, ...]:
        named = tuple(
            one if one.label else one.model_copy(update={"label": f"section-{number}"})
            for number, one in enumerate(value, start=1)
        )
        if len({one.label for one in named}) < len(named):
            raise ValueError("two sections have the same label")
        if len({one.app_key.get_secret_value() for one in named}) < len(named):
            raise ValueError("two sections have the same app_key: KIS allows one session a key")
        return named

    @property
    def calls_per_second(self) -> int:
        """The ceiling of one app key before the margin."""
        return self.ceiling or profile(self.profile).ceiling

    @property
    def trading(self) -> Section:
        """The section whose account trades and is polled. ConfigError when there is none."""
        for one in self.sections:
            if one.label == self.trade_section or not self.trade_section:
                return one
        raise ConfigError("kis.trade_section", f"{self.trade_section!r}: no such section")


class DataGoKr(Part):
    """data.go.kr, 금융위원회_주식시세정보."""

    url: str = "https://apis.data.go.kr"
    service_key: SecretStr = SecretStr("")  # the "Decoding" form


class MariaDb(Part):
    """Where the tables are. One user a role (db/grants.py), each with its own password."""

    host: str = "127.0.0.1"
    port: int = Field(default=3306, ge=1, le=65535)
    socket: str = ""  # wins over host and port
    database: str = "stockd"
    user_prefix: str = "stockd_"
    user_host: str = "%"
    admin_url: SecretStr = SecretStr("")  # for migrations; "" in a daemon's environment
    passwords: dict[str, SecretStr] = {}


class Redis(Part):
    """Queues (database ``broker_db``) and budget, leases, tokens (``state_db``) apart."""

    url: SecretStr = SecretStr("redis://127.0.0.1:6379")
    broker_db: int = Field(default=0, ge=0)
    state_db: int = Field(default=1, ge=0)


class Site(Part):
    """Where the conditions' tables are: Gnuboard's database and prefix, or stockd itself."""

    database: str = ""
    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9_]{0,20}$")


class Watch(Part):
    """Stocks the sections watch, besides table ``watch`` and armed conditions."""

    symbols: tuple[str, ...] = ()

    @field_validator("symbols")
    @classmethod
    def _symbols(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known_form(value)


class Market(Part):
    """When polls work and rest. auto: always open where the broker is on this machine."""

    hours: Literal["auto", "krx", "always"] = "auto"


class Sweep(Part):
    """Tier 2: stocks priced over the surplus calls, besides those the websocket has."""

    symbols: tuple[str, ...] = ()
    whole_market: bool = False  # every stock of table listing

    @field_validator("symbols")
    @classmethod
    def _symbols(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _known_form(value)


class Trade(Part):
    """What the guards allow (trading/guards.py). Money KRW; 0 means "nothing", not "no limit"."""

    account: SecretStr = SecretStr("")  # real money only: the account number once more (P14)
    order_amount: int = Field(default=10_000_000, ge=0)  # per order
    stock_amount: int = Field(default=30_000_000, ge=0)  # per stock and day
    day_amount: int = Field(default=100_000_000, ge=0)
    day_orders: int = Field(default=100, ge=0)
    day_loss: int = Field(default=1_000_000, ge=1)  # realised; halts
    price_away_percent: int = Field(default=5, ge=0, le=60)
    assets_age_s: int = Field(default=60, ge=11)
    clock_offset_ms: int = Field(default=5_000, ge=100)
    error_rate_percent: int = Field(default=50, ge=1, le=100)  # halts
    duplicate_open: bool = True
    no_buy: tuple[Designation, ...] = NO_BUY  # 지정: stocks under one of these are not bought
    patience_s: int = Field(default=60, ge=1, le=3600)  # how long a strike may wait for its turn


class Record(Part):
    """Raw frames of the day on disk (`stockd record on|off` wins over ``on``)."""

    on: bool = False
    directory: str = ""  # "": record/ in local.directory
    keep_days: int = Field(default=30, ge=0)  # 0: for ever


class History(Part):
    """Months of history the server keeps; 0: for ever. None: as the table ``setting`` has it."""

    bar_months: int | None = Field(default=None, ge=0, le=1200)  # at first 24
    asset_months: int | None = Field(default=None, ge=0, le=1200)  # at first 60

    @property
    def told(self) -> dict[str, int]:
        """Table → months, of those that are set."""
        months = {"bar": self.bar_months, "asset_history": self.asset_months}
        return {table: value for table, value in months.items() if value is not None}


class Local(Part):
    """The stack of one machine (`stockd up`)."""

    directory: str = ".stockd"
    servers: Literal["private", "own"] = "private"  # own: mariadb.* and redis.url point to yours
    workers_threads: int = Field(default=4, ge=1, le=32)
    awake: bool = False  # processors do not sleep in market hours (runtime/awake.py)
    rehearsal_ms: int = Field(default=50, ge=0, le=10_000)  # 0: never (runtime/rehearsal.py)


class Log(Part):
    """What the processes write to standard error."""

    format: Literal["auto", "json", "text"] = "auto"  # auto: text on a terminal
    level: Literal["debug", "info", "warning", "error"] = "info"


class Alarm(Part):
    """Who is told when something is wrong (docs/runbook.md). Watched by `stockd watchdog`."""

    urls: tuple[SecretStr, ...] = ()  # apprise: https://appriseit.com/services/, tokens in them
    ping_url: SecretStr = SecretStr("")  # outside dead man's switch: asked while all is watched
    ping_every_s: int = Field(default=60, ge=5, le=3600)
    level: Literal["info", "warning", "critical"] = "warning"  # the lowest that is sent
    repeat_s: int = Field(default=1800, ge=10)  # the same fault is not told again before
    silence_s: int = Field(default=20, ge=5, le=300)  # no tick, EVENT, beat, look (P12: below 30)
    morning: str = Field(default="08:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")  # go or no-go
    evening: str = Field(default="20:05", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")  # report


class Metrics(Part):
    """Where Prometheus asks the watchdog. 0: nowhere."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


class Settings(Part):
    """Everything. ``live`` comes from the environment alone (P14: STOCKD_LIVE=yes)."""

    live: bool = False
    kis: Kis = Kis()
    datagokr: DataGoKr = DataGoKr()
    mariadb: MariaDb = MariaDb()
    redis: Redis = Redis()
    site: Site = Site()
    watch: Watch = Watch()
    market: Market = Market()
    sweep: Sweep = Sweep()
    trade: Trade = Trade()
    record: Record = Record()
    history: History = History()
    local: Local = Local()
    log: Log = Log()
    alarm: Alarm = Alarm()
    metrics: Metrics = Metrics()

    @field_validator("live", mode="before")
    @classmethod
    def _live(cls, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if value not in LIVE_WORDS:
            raise ValueError("exactly yes for real money; no or nothing at all otherwise")
        return LIVE_WORDS[str(value)]

    @model_validator(mode="after")
    def _real_money_needs_two_switches(self) -> Settings:
        real_money(self)
        return self


def real_money(settings: Settings) -> bool:
    """Whether the two URLs lead to real money (P14). Problem unless both switches are set then:
    STOCKD_LIVE=yes, and the trading account written once more as trade.account."""
    for name in ("rest_url", "ws_url"):
        url = urlsplit(getattr(settings.kis, name))
        if url.hostname in LOOPBACK or (url.hostname, url.port) in PAPER_DOORS:
            continue
        where = f"{url.scheme}://{url.netloc} is real money (실전)"
        if not settings.live:
            raise Problem("live", f"{where}: it needs STOCKD_LIVE=yes in the environment")
        if settings.kis.env != "real":
            raise Problem("kis.env", f'{where}: it needs kis.env = "real" besides STOCKD_LIVE=yes')
        written, trades = settings.trade.account, settings.kis.trading.account
        if not written.get_secret_value():
            raise Problem("trade.account", f"{where}: it needs the trading account written here")
        if _digits(written) != _digits(trades):
            raise Problem("trade.account", f"{where}: not the account of the trading section")
        return True
    return False


def _digits(account: SecretStr) -> str:
    return account.get_secret_value().replace("-", "")


def _known_form(symbols: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [one for one in symbols if not SYMBOL.match(one)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not a symbol (6 to 9 of A-Z 0-9)")
    return tuple(dict.fromkeys(symbols))


def _url(value: str, *schemes: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"a URL starting with {' or '.join(schemes)} expected")
    return value.rstrip("/")


def env_name(key: str) -> str:
    """``kis.rest_url`` → ``STOCKD_KIS__REST_URL``."""
    return "STOCKD_" + key.upper().replace(".", "__")


def read_settings(environ: dict[str, str], directory: Path | None = None) -> Settings:
    """Settings of this environment. ``directory`` is where a relative path starts (default: here).

    ConfigError names the setting, as in the file and as in the environment, and the value.
    """
    raw = gather(environ, directory or Path.cwd(), Settings)
    try:
        return Settings.model_validate(raw)
    except Problem as problem:
        raise ConfigError(f"{problem.key} ({env_name(problem.key)})", problem.reason) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"] if part != "function-after")
        value = raw
        for part in first["loc"]:
            try:
                value = value[part]  # type: ignore[index,assignment]
            except (KeyError, IndexError, TypeError):
                value = {}
                break
        what = {"extra_forbidden": "no such setting"}.get(
            first["type"], first["msg"].removeprefix("Value error, ")
        )
        shown = "" if _is_secret(key) or value == {} else f"{value!r}: "
        raise ConfigError(f"{key} ({env_name(key)})", f"{shown}{what}") from None


def _is_secret(key: str) -> bool:
    last = key.rsplit(".", 1)[-1]
    return last in {"app_key", "app_secret", "account", "service_key", "admin_url"} or (
        key.startswith(("mariadb.passwords", "redis.url", "alarm.urls", "alarm.ping_url"))
    )


@cache
def load_settings() -> Settings:
    """The settings of this process, read at the first call; ``load_settings.cache_clear()``.

    Without STOCKD_CONFIG, a stack that runs here (`stockd up`, `stockd demo`) lends its own: so
    `stockd condition` or a plain Celery command in a second terminal meets the running machine.
    """
    environ = dict(os.environ)
    own = read_settings(environ)
    if CONFIG not in environ:
        for folder in (Path(own.local.directory), Path(own.local.directory) / "demo"):
            mark = ProcessMark.read(folder / "run" / "supervisor.mark")
            if mark is not None and mark.is_alive():
                # its settings are complete: what this terminal overrides is not the machine's
                kept = {
                    name: value
                    for name, value in environ.items()
                    if not name.startswith("STOCKD_") or name == "STOCKD_LIVE"
                }
                return read_settings(kept | {CONFIG: str(folder / "run" / "settings.json")})
    return own
