"""The command groups behind `stockd`; cli.py loads each when it is called for."""

from __future__ import annotations

from trading.errors import BadInput, ConfigError, StockdError


def exit_code_of(error: Exception) -> int | None:
    """2 for wrong configuration or input, 1 for other errors of ours, None for the unforeseen."""
    if isinstance(error, ConfigError | BadInput):
        return 2
    return 1 if isinstance(error, StockdError) else None
