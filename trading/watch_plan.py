"""Which section watches which stock: 40 each, armed stocks first, and a change moves few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STOCKS_A_SECTION = 40  # with the fill notice 41 registrations: KIS's cap (fact sheet §4)


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """``sections``: number -> its stocks; ``refused``: stock -> why it is not watched."""

    sections: dict[int, list[str]]
    refused: dict[str, str]


def plan_watch(
    wanted: Sequence[str],
    held: Mapping[str, int],
    numbers: Sequence[int],
    capacity: int = STOCKS_A_SECTION,
) -> WatchPlan:
    """Distribute ``wanted`` (most important first) over the sections ``numbers``.

    A stock stays where ``held`` says it is; a new one goes where most room is. Each section names
    the most important first.
    """
    ordered = list(dict.fromkeys(wanted))
    total = len(numbers) * capacity
    chosen, beyond = ordered[:total], ordered[total:]
    sections: dict[int, list[str]] = {number: [] for number in numbers}
    homeless = []
    for symbol in chosen:
        number = held.get(symbol, -1)
        if number in sections and len(sections[number]) < capacity:
            sections[number].append(symbol)
        else:
            homeless.append(symbol)
    for symbol in homeless:
        emptiest = min(sections, key=lambda number: (len(sections[number]), number))
        sections[emptiest].append(symbol)
    rank = {symbol: place for place, symbol in enumerate(chosen)}
    for stocks in sections.values():
        stocks.sort(key=rank.__getitem__)  # registered in this order, one each 0.1 s
    reason = (
        f"감시 한도 {total}종목({len(numbers)}섹션 × {capacity})이 찼습니다: "
        "다른 종목을 빼거나 섹션(앱키)을 더하세요"
    )
    return WatchPlan(sections, dict.fromkeys(beyond, reason))
