"""Messages to people through apprise: one URL a receiver (Telegram, Kakao, Slack, e-mail …)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import requests
import structlog

from trading.errors import ConfigError

log = structlog.get_logger(__name__)

PING_TIMEOUT_S = 5.0


class Sender:
    """Sends to every URL. ConfigError names the URL that cannot be read by its number alone:
    tokens and passwords stand in them."""

    def __init__(self, urls: Sequence[str]) -> None:
        import apprise  # noqa: PLC0415  a hundred services: only who sends pays for them

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would repeat addresses
        self._kinds: dict[str, Any] = {
            "INFO": apprise.NotifyType.INFO,
            "WARNING": apprise.NotifyType.WARNING,
            "CRITICAL": apprise.NotifyType.FAILURE,
            "RECOVERED": apprise.NotifyType.SUCCESS,
        }
        self._apprise = apprise.Apprise()
        for number, url in enumerate(urls):
            if not self._apprise.add(url):
                raise ConfigError(
                    f"alarm.urls.{number}",
                    "apprise 가 모르는 주소: https://appriseit.com/services/",
                )

    @property
    def has_receivers(self) -> bool:
        """Whether there is anybody to tell."""
        return len(self._apprise) > 0

    def send(self, kind: str, title: str, body: str) -> bool:
        """Whether every receiver took it; False too when there is none. Never raises."""
        if not self.has_receivers:
            return False
        try:
            return bool(self._apprise.notify(title=title, body=body, notify_type=self._kinds[kind]))
        except Exception as error:  # noqa: BLE001  a plugin's own kinds; the watch goes on
            log.warning("경보를 보내지 못함", kind=type(error).__name__)
            return False


def ping(url: str) -> bool:
    """Tell the outside dead man's switch that all is being watched. Never raises."""
    try:
        return requests.get(url, timeout=PING_TIMEOUT_S).ok
    except requests.RequestException as error:
        log.warning("바깥 감시에 알리지 못함", kind=type(error).__name__)
        return False
