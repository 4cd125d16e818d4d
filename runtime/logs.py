"""structlog: a line is an event with keys. Secrets are masked at the source, whoever wrote them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO
from urllib.parse import unquote, urlsplit

import structlog

from runtime.settings import Settings

MASK = "***"
SECRET_NAMES = re.compile(
    r"app_?key|app_?secret|secret_?key|service_?key|password|authorization|token$|approval_?key"
    r"|cano$|account_no|hts_id",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(\w+://[^:/@\s]*:)[^@\s]+@")
_BEARER = re.compile(r"(Bearer\s+)\S+")


class Masker:
    """Structlog processor: values of secret names, and secret values wherever they stand."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # short ones would blacken half the line; longest first, one may contain another
        known = sorted({s for s in secrets if len(s) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for name, value in event.items():
            event[name] = MASK if SECRET_NAMES.search(name) else self.mask(value)
        return event

    def mask(self, value: Any) -> Any:
        """``value`` without secrets; containers are gone through."""
        if isinstance(value, str):
            value = _BEARER.sub(rf"\1{MASK}", _URL_PASSWORD.sub(rf"\1{MASK}@", value))
            return self._known.sub(MASK, value) if self._known else value
        if isinstance(value, dict):
            return {
                k: MASK if SECRET_NAMES.search(str(k)) else self.mask(v) for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.mask(one) for one in value]
        return value if isinstance(value, int | float | type(None)) else self.mask(str(value))


def secrets_of(settings: Settings) -> set[str]:
    """Every secret value of the settings, accounts also without their hyphen and product code."""
    found = {settings.datagokr.service_key.get_secret_value(), settings.kis.hts_id}
    found |= {one.get_secret_value() for one in settings.mariadb.passwords.values()}
    for section in settings.kis.sections:
        account = section.account.get_secret_value().replace("-", "")
        found |= {
            section.app_key.get_secret_value(),
            section.app_secret.get_secret_value(),
            section.account.get_secret_value(),
            account,
            account[:8],
        }
        found.add(section.app_key.get_secret_value()[:16])  # a cut-off key is a key found
    found |= {one.get_secret_value() for one in settings.alarm.urls}
    found |= {settings.alarm.ping_url.get_secret_value()}
    found |= {settings.trade.account.get_secret_value().replace("-", "")}
    for url in (settings.redis.url, settings.mariadb.admin_url):
        found.add(unquote(urlsplit(url.get_secret_value()).password or ""))
    return found - {""}


def start_logs(settings: Settings, who: str, stream: TextIO | None = None) -> None:
    """Configure structlog and the standard library's logging of this process once, at its start.

    ``who`` is the daemon's name, in every line. The strike id follows by
    ``structlog.contextvars.bind_contextvars(strike_id=…)``.
    """
    out = stream or sys.stderr
    text = settings.log.format == "text" or (settings.log.format == "auto" and out.isatty())
    masker = Masker(secrets_of(settings))

    def signed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Any:
        # not a context variable: threads start without those, and their lines must say who too
        event.setdefault("who", who)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        signed,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
        structlog.processors.format_exc_info,
        masker,
    ]
    render: Any = (
        structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0)
        if text
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log.level.upper())
    # at DEBUG it writes whole addresses: account numbers, tokens of messengers and of the ping
    logging.getLogger("urllib3").setLevel(logging.INFO)
