"""What a chaos run does to the stack, and when: drawn from the seed before anything is started."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

BEGIN_S = 5.0
# two hundred in twenty minutes is one in 6 s; a little more often, for a part that is down already
EVERY_S = (1.5, 9.0)
# what is killed -9, and how often against the others
KILLED = {
    "market": 3, "trader": 4, "worker-orders": 5, "worker-confirm": 3, "beat": 1, "redis": 2,
    "mariadb": 2,
}  # fmt: skip
DROP_FEED: dict[str, Any] = {"drop_ws": "all"}
QUIET: dict[str, Any] = {
    "drop_notices": 0.0, "double_notices": 0.0, "delay_notices": 0.0, "reorder_notices": 0.0,
}  # fmt: skip
# what the simulator does to connections, answers and notices
CUTS: tuple[dict[str, Any], ...] = (
    DROP_FEED,
    {"lose_next": "close"},
    {"lose_next": "500"},
    {"lose_next": "EGW00301"},
    {"lose_next": "hang"},
    {"drop_notices": 1.0},
    {"double_notices": 1.0},
    {"delay_notices": 3.0},
    {"reorder_notices": 2.0},
    QUIET,
)
# Each of these costs the feed a connect, and there are four in ten minutes (P11). One is the start;
# a feed that is dark for the rest of the ten minutes fires nothing, and nothing would be tried.
FEED_HITS, FEED_WITHIN_S = 3, 600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """``at``: seconds from the start. ``kill``: a process, or "" for a ``cut`` by the simulator."""

    at: float
    kill: str = ""
    cut: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        if self.kill:
            return f"kill {self.kill}"
        if self.cut == QUIET:
            return "notices whole again"
        return " ".join(f"{name}={value}" for name, value in self.cut.items())

    @property
    def counts(self) -> bool:
        """Whether it harms: notices that are whole again do not."""
        return self.cut != QUIET

    @property
    def hits_feed(self) -> bool:
        return self.kill == "market" or self.cut == DROP_FEED


def plan(seed: int, seconds: float) -> list[Fault]:
    """The faults of a run, half of them kills, in the order of time."""
    rng = random.Random(seed)
    found: list[Fault] = []
    at = BEGIN_S
    while at < seconds:
        recent = [one for one in found if one.hits_feed and one.at > at - FEED_WITHIN_S]
        one = _draw(rng, at)
        while one.hits_feed and len(recent) >= FEED_HITS:
            one = _draw(rng, at)
        found.append(one)
        at += rng.uniform(*EVERY_S)
    return found


def _draw(rng: random.Random, at: float) -> Fault:
    if rng.random() < 0.5:
        return Fault(at, kill=rng.choices(list(KILLED), list(KILLED.values()))[0])
    return Fault(at, cut=rng.choice(CUTS))
