"""How a ceiling is split into lanes: pure data, the user's 8 fixed + surplus.

Full split (9 calls a second and more): order 1, confirm 1, assets 4, spare 2 = 8 fixed, and the
sweep has what is left. Each lane is a reservation: no lane can take another's place.

- An order takes its own place, then a spare one. At one order a second the own place is still held
  by the order before (answer + 1 s), so every second order goes out on a spare place: that is what
  spare is for, and it is why confirm and assets do not reach into it.
- Whatever is neither poll nor order (tokens, holidays, hand tools) has lane ``spare`` and may take
  all but the last spare place: one always stays within an order's reach.

Small ceilings (below 9): from 2 on one place is the order's own and the other lanes share the rest;
at 1 all share the one place. Who shares is served by rank: order, spare (a token is what an order
waits for), confirm, assets, sweep.
"""

from __future__ import annotations

from dataclasses import dataclass

from trading.errors import ConfigError

FIXED: dict[str, int] = {"order": 1, "confirm": 1, "assets": 4, "spare": 2}
FIXED_SUM = sum(FIXED.values())
LANES = ("order", "confirm", "assets", "spare", "sweep")
RANK = ("order", "spare", "confirm", "assets", "sweep")


@dataclass(frozen=True, slots=True)
class Route:
    """What a call of one lane needs: a place in one of ``pools``, and in each of ``musts``.

    Both are (set, places); ``firsts`` are the lanes whose waiting calls are served before.
    """

    pools: tuple[tuple[str, int], ...]
    musts: tuple[tuple[str, int], ...]
    firsts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The split of one app key. ``ceiling`` is after the margin; ``limits`` per lane."""

    ceiling: int
    limits: dict[str, int]
    routes: dict[str, Route]


def plan(ceiling: int, margin: int = 0, sweep: int | None = None) -> Plan:
    """Split ``ceiling`` − ``margin`` calls a second; ``sweep`` caps the sweep's own share.

    ConfigError when the margin leaves nothing or a number is negative.
    """
    if margin < 0 or margin >= ceiling:
        raise ConfigError("kis.margin", f"{margin}: between 0 and ceiling - 1 = {ceiling - 1}")
    if sweep is not None and sweep < 0:
        raise ConfigError("kis.sweep_share", f"{sweep}: not below 0")
    usable = ceiling - margin
    return _full(usable, sweep) if usable > FIXED_SUM else _small(usable, sweep)


def _full(usable: int, sweep: int | None) -> Plan:
    surplus = usable - FIXED_SUM
    limits = {**FIXED, "sweep": surplus if sweep is None else min(surplus, sweep)}
    whole, fixed = ("all", usable), ("fixed", FIXED_SUM)
    routes = {
        lane: Route(((lane, limits[lane]),), (whole, fixed)) for lane in ("confirm", "assets")
    }
    routes["order"] = Route(
        (("order", limits["order"]), ("spare", limits["spare"])), (whole, fixed)
    )
    routes["spare"] = Route((("spare", limits["spare"] - 1),), (whole, fixed))
    routes["sweep"] = Route((("sweep", limits["sweep"]),), (whole,))
    return Plan(usable, limits, routes)


def _small(usable: int, sweep: int | None) -> Plan:
    own = 1 if usable > 1 else 0  # the order's own place
    shared = usable - own
    limits = {lane: min(count, shared) for lane, count in FIXED.items()} | {"order": 1}
    limits["sweep"] = shared if sweep is None else min(shared, sweep)
    routes = {}
    for lane in LANES:
        musts = (("all", usable),) if lane == "order" else (("all", usable), ("shared", shared))
        before = RANK[: RANK.index(lane)]
        firsts = tuple(one for one in before if not (own and one == "order"))
        routes[lane] = Route(((lane, limits[lane]),), musts, firsts)
    return Plan(usable, limits, routes)
