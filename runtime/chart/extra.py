"""The drawing libraries are an extra: loaded when drawing, missed in one line."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from trading.errors import StockdError


def drawing(name: str) -> Any:
    """The module ``name``. StockdError saying how to get it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as missing:
        raise StockdError(
            f"{missing.name} is not installed: pip install 'stockd[chart]' brings it"
        ) from None
