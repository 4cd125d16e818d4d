"""Where the choices of a life come from: a seed, or Hypothesis, which can shrink them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
FINE = 1 << 12


class Seeded(random.Random):
    """The same life for the same seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._left = self.randint(12, 30)

    def more(self) -> bool:
        """Whether the life goes on by one deed."""
        self._left -= 1
        return self._left >= 0


class Drawn:
    """Each choice is a small integer, the smallest is the quietest, and none says how many others
    follow: so Hypothesis can take a deed out of the middle."""

    def __init__(self, source: random.Random, longest: int) -> None:
        self._source, self._left = source, longest

    def __repr__(self) -> str:
        return "(the life told below)"

    def more(self) -> bool:
        self._left -= 1
        return self._left >= 0 and self.randint(0, 24) > 0

    def randint(self, a: int, b: int) -> int:
        return self._source.randint(a, b)

    def random(self) -> float:
        return self.randint(0, FINE - 1) / FINE

    def uniform(self, a: float, b: float) -> float:
        return a + (b - a) * self.random()

    def choice(self, among: Sequence[T]) -> T:
        return among[self.randint(0, len(among) - 1)]


def drawn(longest: int = 30) -> st.SearchStrategy[Drawn]:
    """Choices for a life of at most so many deeds."""
    return st.randoms(use_true_random=False).map(lambda source: Drawn(source, longest))
