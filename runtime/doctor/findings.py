"""What the doctor says: a check that found nothing, or faults, each with what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


class Fault(Exception):
    """Something is not as it must be: ``what``, and ``remedy`` (both Korean, one line)."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")


class Faults(Exception):
    """Several faults of one check."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check; a check with several faults makes several findings."""

    name: str
    ok: bool
    said: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check. It is left out while one of ``needs`` has a fault: its cause is told already."""

    name: str
    run: Callable[[], str]
    needs: tuple[str, ...] = ()


def raise_any(faults: Sequence[Fault]) -> None:
    """Raise them together, if there are any."""
    if faults:
        raise Faults(faults)
