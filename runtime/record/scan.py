"""What a recording holds, found in one fast look: which stocks, how many records, which times."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from runtime.record.chunks import read_chunks
from trading.clock import join_kst
from trading.errors import BadInput

_HEAD = re.compile(rb"0\|H0STCNT0\|(\d{3})\|([0-9A-Z]{6,9})\^(\d{6})\^(\d+)\^")
_DAY = re.compile(rb"\|H0STCNT0\|\d{3}\|(?:[^^\n]*\^){33}(20\d{6})\^")
_BLOCK = 1 << 20


@dataclass
class Contents:
    """``stocks``: records each; ``prices``: the first of each (KRW); times by the exchange."""

    stocks: Counter[str] = field(default_factory=Counter)
    prices: dict[str, int] = field(default_factory=dict)
    frames: int = 0
    first_day: date | None = None
    last_at: datetime | None = None

    @property
    def records(self) -> int:
        return self.stocks.total()


def scan(paths: Sequence[Path]) -> Contents:
    """Look through all files. BadInput for one that cannot be read or holds no trade frames."""
    found = Contents()
    for path in paths:
        before = found.frames
        for text in _texts(path):
            _count(text, found)
        if found.frames == before:
            raise BadInput("file", str(path), "no trade frames in it")
    return found


def _count(text: bytes, found: Contents) -> None:
    latest = b""
    for count, code, hhmmss, price in _HEAD.findall(text):
        symbol = code.decode()
        found.stocks[symbol] += int(count)
        found.prices.setdefault(symbol, int(price))
        found.frames += 1
        latest = max(latest, hhmmss)
    if not latest:
        return
    days = [_DAY.search(text), _DAY.search(text, text.rfind(b"|H0STCNT0|"))]
    if days[0] is None or days[1] is None:
        return
    first, last = (datetime.strptime(one[1].decode(), "%Y%m%d").date() for one in days if one)  # noqa: DTZ007  a day
    at = join_kst(last, latest.decode())
    found.last_at = at if found.last_at is None else max(found.last_at, at)
    found.first_day = first if found.first_day is None else min(found.first_day, first)


def _texts(path: Path) -> Iterator[bytes]:
    """Whole lines, some at a time."""
    try:
        if path.suffix == ".zst":
            yield from read_chunks(path)
            return
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while lines := file.readlines(_BLOCK):
                yield b"".join(lines)
    except (OSError, EOFError) as error:
        raise BadInput("file", str(path), str(error)) from None
