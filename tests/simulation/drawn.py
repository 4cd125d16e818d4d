"""``random.Random``, as far as a life needs it, drawn from Hypothesis: each choice is a small
integer, and the smallest is the quietest."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
FINE = 1 << 12


class Drawn:
    def __init__(self, source: random.Random) -> None:
        self._source = source

    def __repr__(self) -> str:
        return "what is told below"

    def randint(self, a: int, b: int) -> int:
        return self._source.randint(a, b)

    def random(self) -> float:
        return self.randint(0, FINE - 1) / FINE

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self.random()

    def choice(self, among: Sequence[T]) -> T:
        return among[self.randint(0, len(among) - 1)]


LIVES = st.randoms(use_true_random=False).map(Drawn)
