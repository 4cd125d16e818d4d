"""Column types: aware KST in Python, plain KST DATETIME in the table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator

from trading.clock import KST


def to_kst_naive(value: datetime) -> datetime:
    """The KST wall time to put into a DATETIME column. ValueError when ``value`` is not aware."""
    if value.tzinfo is None:
        raise ValueError(f"{value!r}: an aware time is expected, the tables hold KST")
    return value.astimezone(KST).replace(tzinfo=None)


class KstDateTime(TypeDecorator[datetime]):
    """DATETIME(fsp) holding KST; binds aware times of any zone, gives aware KST back."""

    impl = mysql.DATETIME
    cache_ok = True

    def __init__(self, fsp: int = 6) -> None:
        super().__init__(fsp=fsp or None)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else to_kst_naive(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=KST)
