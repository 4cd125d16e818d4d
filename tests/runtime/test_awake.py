"""장중에는 프로세서를 재우지 않는다: the device is held in market hours, and only then."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from pathlib import Path

from runtime.awake import LOOK_EVERY, Awake
from trading.clock import KST

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=KST)
NIGHT = datetime(2026, 11, 30, 23, 0, tzinfo=KST)


def test_held_while_the_market_is_open_and_given_back_at_night(tmp_path: Path) -> None:
    device = tmp_path / "latency"
    device.touch()
    awake = Awake(lambda now: now.hour < 20, device)
    awake.look(NOON)
    assert awake.held
    assert device.read_bytes() == struct.pack("=i", 0)
    awake.look(NIGHT)
    assert not awake.held


def test_the_calendar_is_not_asked_with_every_look(tmp_path: Path) -> None:
    asked: list[datetime] = []

    def wanted(now: datetime) -> bool:
        asked.append(now)
        return False

    awake = Awake(wanted, tmp_path / "latency")
    for number in range(100):
        awake.look(NOON + timedelta(milliseconds=number))
    assert asked == [NOON]
    awake.look(NOON + LOOK_EVERY)
    awake.look(NOON)  # the clock was set back
    assert len(asked) == 3


def test_without_the_right_to_it_the_trader_goes_on(tmp_path: Path) -> None:
    awake = Awake(lambda now: True, tmp_path / "nobody" / "latency")
    awake.look(NOON)
    assert not awake.held
    awake.give_back()
