"""The picture for programs: plain JSON, seconds and counts, the same names as on the screen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from runtime.top.look import Picture


def figures(seen: Picture) -> dict[str, Any]:
    """``{at, away, halt, order_worker, beat_s, lanes, connects, strikes, feed, sections, daemons,
    polls, queues, events}``; what is away is empty."""
    signs = seen.signs
    workers = signs.workers if signs else {}
    return {
        "at": seen.at.isoformat(timespec="milliseconds"),
        "away": seen.away,
        "halt": signs.halt if signs else None,
        "order_worker": bool(signs and signs.lease_s is not None and signs.lease_s < 0),
        "beat_s": _short(seen.beat_s),
        "lanes": {
            label: {
                "ceiling": one.ceiling,
                "used": one.used,
                "opens_in_s": round(one.opens_in_s, 1),
                "lanes": {lane.lane: asdict(lane) for lane in one.lanes},
            }
            for label, one in seen.lanes.items()
        },
        "connects": seen.connects,
        "strikes": [asdict(one) for one in seen.strikes],
        "today": signs.strikes if signs else {},
        "feed": {
            name: {key: one.detail.get(key) for key in ("ticks_per_s", "row_ms", "sections_up")}
            for name, one in workers.items()
            if name.startswith("market")
        },
        "sections": [
            {k: v for k, v in asdict(one).items() if k != "records"}
            | {"ticks_per_s": seen.per_s.get(one.number)}
            for one in seen.sections
        ],
        "daemons": {
            name: {"state": one.state, "progress_s": round(one.age_s, 1), "detail": one.detail}
            for name, one in workers.items()
        },
        "polls": {name: {**asdict(one), "late": one.is_late} for name, one in seen.polls.items()},
        "queues": {name: one.length for name, one in seen.queues.items()},
        "events": {name: round(age, 1) for name, age in (signs.events if signs else {}).items()},
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
