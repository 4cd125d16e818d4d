"""The bars of a recording, computed from its lines alone: nothing of the daemon or the EVENT."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simulator.recording import read_frames

LENGTHS = (1, 3, 5, 10, 15, 30, 60, 1440)
Key = tuple[str, int, str]  # symbol, minutes, "YYYY-MM-DD HH:MM:00"
Values = tuple[int, int, int, int, int, int, int]  # open high low close volume turnover ticks


def bars_of(paths: Sequence[Path]) -> dict[Key, Values]:
    """Every bar of every length."""
    minutes: dict[tuple[str, str, int], list[int]] = {}
    for path in paths:
        for _, frame in read_frames(path):
            _, _, count, body = frame.split(b"|", 3)
            fields = body.decode("ascii", "replace").split("^")
            width = len(fields) // int(count)
            for start in range(0, width * int(count), width):
                clock, day = fields[start + 1], fields[start + 33]
                minute = int(clock[:2]) * 60 + int(clock[2:4])
                price, volume = int(fields[start + 2]), int(fields[start + 12])
                one = [price, price, price, price, volume, price * volume, 1]
                _join(minutes, (fields[start], day, minute), one)
    return _longer(minutes)


def _join(
    bars: dict[tuple[str, str, int], list[int]], key: tuple[str, str, int], new: list[int]
) -> None:
    """Put ``new`` behind what is there."""
    bar = bars.get(key)
    if bar is None:
        bars[key] = list(new)
        return
    bar[1], bar[2], bar[3] = max(bar[1], new[1]), min(bar[2], new[2]), new[3]
    for at in (4, 5, 6):
        bar[at] += new[at]


def _longer(minutes: dict[tuple[str, str, int], list[int]]) -> dict[Key, Values]:
    found: dict[Key, Values] = {}
    ordered = sorted(minutes.items())
    for length in LENGTHS:
        bars: dict[tuple[str, str, int], list[int]] = {}
        for (symbol, day, minute), one in ordered:
            _join(bars, (symbol, day, minute // length * length), one)
        for (symbol, day, minute), bar in bars.items():
            at = f"{day[:4]}-{day[4:6]}-{day[6:]} {minute // 60:02d}:{minute % 60:02d}:00"
            found[symbol, length, at] = (
                bar[0], bar[1], bar[2], bar[3], bar[4], bar[5], bar[6],
            )  # fmt: skip
    return found
