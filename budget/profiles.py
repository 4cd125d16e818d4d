"""Ceilings of the broker, dated: how many REST calls a second an app key may make.

A rule change is a new line here. ``notice`` says where the figure was announced; the broker's
notice board is https://apiportal.koreainvestment.com/community/notice (login needed for some), so
the day and title are what identifies a notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trading.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Profile:
    """One ceiling. ``ceiling`` is calls in any rolling second of one app key."""

    name: str
    ceiling: int
    since: date
    notice: str


_BOARD = "https://apiportal.koreainvestment.com/community/notice"

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("kis-2026-04-20", 18, date(2026, 4, 20), f"{_BOARD} REST 유량 20 → 18건/초 (실전)"),
        Profile("kis-2024", 20, date(2024, 1, 1), f"{_BOARD} REST 유량 20건/초: the plan's 8 + 12"),
        Profile("kis-paper", 1, date(2026, 4, 20), f"{_BOARD} 모의투자 REST 유량 2 → 1건/초"),
        Profile(
            "kis-new-customer", 3, date(2026, 4, 3),
            f"{_BOARD} 2026-03-20: 신규 신청 후 3일간 3건/초 (모의 제외)",
        ),
    )
}  # fmt: skip
DEFAULT = "kis-2026-04-20"


def profile(name: str) -> Profile:
    """The profile of that name. ConfigError names the known ones."""
    try:
        return PROFILES[name]
    except KeyError:
        raise ConfigError("kis.profile", f"{name!r}: one of {', '.join(PROFILES)}") from None
