"""One error tree, cut by what the caller does about it.

StockdError
├── BadInput            the input is wrong: name field and value, go on with the rest
├── ConfigError         a setting is wrong: stop the start, exit 2
└── OutsideError        somebody else is the cause
    ├── Transient       try again later, with a pause and an end
    │   ├── Throttled   the broker said "too fast" (EGW00201, EGW00215, EGW00133)
    │   └── Unavailable no answer, 5xx without a word, connection refused, Redis or MariaDB gone
    ├── AuthError       token or key refused: renew once, then alarm
    └── Refused         the broker's clear no (rt_cd != 0): do not repeat
"""

from __future__ import annotations


class StockdError(Exception):
    """Root of everything stockd raises on purpose."""


class BadInput(StockdError):
    """``field`` has ``value``, which is wrong because of ``reason``."""

    def __init__(self, field: str, value: object, reason: str) -> None:
        super().__init__(f"{field}={value!r}: {reason}")
        self.field = field
        self.value = value
        self.reason = reason


class ConfigError(StockdError):
    """A setting stops the start. ``key`` is the setting's full name."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


class OutsideError(StockdError):
    """Somebody else is the cause. ``code`` is their code where they gave one."""

    def __init__(self, reason: str, code: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Transient(OutsideError):
    """Try again later, with a pause and an end."""


class Throttled(Transient):
    """The broker said "too fast"."""


class Unavailable(Transient):
    """No answer, or none that can be read."""


class Unreached(Unavailable):
    """No connection came about: the other side knows nothing of the attempt."""


class AuthError(OutsideError):
    """Token or key refused: renew once, then alarm."""


class Refused(OutsideError):
    """The broker's clear no."""
