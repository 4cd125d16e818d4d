"""KST, the only time zone of the machine. Nothing in trading/ asks what time it is."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")


def join_kst(day: date, hhmmss: str) -> datetime:
    """Join a KST day with KIS's HHMMSS: the one place for it. ValueError if malformed."""
    if len(hhmmss) != 6 or not hhmmss.isdigit():
        raise ValueError(f"HHMMSS={hhmmss!r}: six digits expected")
    clock = time(int(hhmmss[:2]), int(hhmmss[2:4]), int(hhmmss[4:]))
    return datetime.combine(day, clock, tzinfo=KST)
