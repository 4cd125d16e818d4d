"""Reading single values off the wire: strict, and an error names field and value (P15)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from trading.clock import join_kst
from trading.errors import BadInput
from trading.fills import Side

_INT = re.compile(r"-?[0-9]{1,18}\Z")
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,10})?\Z")
_SYMBOL = re.compile(r"[0-9A-Z]{6,9}\Z")


class Field(NamedTuple):
    """The venue's name beside ours: ``Field("hldg_qty", "quantity", shares)``."""

    wire: str
    ours: str
    read: Callable[[str, str], Any]


def read_row(fields: Sequence[Field], row: Mapping[str, Any]) -> dict[str, Any]:
    """``{our name: value}`` of one JSON row with lower-case keys. BadInput names the wire field."""
    values: dict[str, Any] = {}
    for field in fields:
        raw = row.get(field.wire)
        if not isinstance(raw, str):
            raise BadInput(field.wire, raw, "missing" if raw is None else "text was expected")
        values[field.ours] = field.read(field.wire, raw.strip())
    return values


def won(name: str, text: str) -> int:
    """Whole KRW (or a signed count)."""
    if not _INT.match(text):
        raise BadInput(name, text, "whole number expected")
    return int(text)


def won_or_none(name: str, text: str) -> int:
    """As ``won``; an empty value is 0, for fields KIS leaves empty."""
    return won(name, text) if text else 0


def shares(name: str, text: str) -> int:
    """A quantity: whole, not negative."""
    value = won(name, text)
    if value < 0:
        raise BadInput(name, text, "must not be negative")
    return value


def shares_or_none(name: str, text: str) -> int:
    """As ``shares``; an empty value is 0."""
    return shares(name, text) if text else 0


def price(name: str, text: str) -> int:
    """A price of something that trades: whole KRW above 0."""
    value = won(name, text)
    if value <= 0:
        raise BadInput(name, text, "a price is above 0")
    return value


def ratio(name: str, text: str) -> Decimal:
    """A decimal number, exact."""
    if not _DECIMAL.match(text):
        raise BadInput(name, text, "decimal number expected")
    return Decimal(text)


def text_of(name: str, text: str) -> str:
    """Text as it comes, trimmed."""
    return text


def symbol(name: str, text: str) -> str:
    """종목코드: 6 characters, ETN Q + 6; letters occur (0001A0). Never a number."""
    if not _SYMBOL.match(text):
        raise BadInput(name, text, "stock code expected")
    return text


def yes(name: str, text: str) -> bool:
    """Y or N, nothing else."""
    if text not in ("Y", "N"):
        raise BadInput(name, text, "Y or N expected")
    return text == "Y"


def side(name: str, text: str) -> Side:
    """01 매도, 02 매수."""
    if text not in ("01", "02"):
        raise BadInput(name, text, "01 (매도) or 02 (매수) expected")
    return Side.SELL if text == "01" else Side.BUY


def order_no(name: str, text: str) -> str:
    """Order number without its leading zeros; "" for none. The two doors pad differently."""
    if text and not (text.isascii() and text.isdigit()):
        raise BadInput(name, text, "order number expected")
    return text.lstrip("0")


def day(name: str, text: str) -> date:
    """YYYYMMDD."""
    if len(text) == 8 and text.isascii() and text.isdigit():
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            pass
    raise BadInput(name, text, "YYYYMMDD expected")


def moment(name: str, on: date, text: str) -> datetime:
    """HHMMSS of a KST day, joined where all such joins are done."""
    try:
        if not text.isascii():
            raise ValueError
        return join_kst(on, text)
    except ValueError:
        raise BadInput(name, text, "HHMMSS expected") from None
