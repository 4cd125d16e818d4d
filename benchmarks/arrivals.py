"""What a receiver saw, counted as a broker counts: arrivals in any rolling 1.000 s."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

# which lane a call belongs to, by its path: each lane of the benchmark calls its own endpoint
LANE_OF = {
    "order-cash": "order",
    "inquire-daily-ccld": "confirm",
    "inquire-balance": "assets",
    "chk-holiday": "spare",
    "tokenP": "spare",
    "intstock-multprice": "sweep",
}
FIXED = ("order", "confirm", "assets", "spare")


def most_in_a_second(times: Iterable[float]) -> int:
    """The most arrivals in any rolling second; ``times`` in s, any order."""
    window: deque[float] = deque()
    most = 0
    for at in sorted(times):
        window.append(at)
        while window[0] <= at - 1.0:
            window.popleft()
        most = max(most, len(window))
    return most


def by_lane(lines: Iterable[dict[str, Any]]) -> dict[str, list[float]]:
    """Arrival times of each lane from the lines of calls.jsonl."""
    found: dict[str, list[float]] = {}
    for line in lines:
        lane = LANE_OF[line["path"].rsplit("/", 1)[-1]]
        found.setdefault(lane, []).append(line["mono"])
    return found


def codes(lines: Iterable[dict[str, Any]]) -> Counter[str]:
    """How often each msg_cd was answered."""
    return Counter(line["msg_cd"] for line in lines)


def quantile(values: list[float], share: float) -> float:
    """The value below which ``share`` of them lie; 0 when there are none."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0
