"""KRX price step (호가단위) by price band, stocks, since 2023-01-25 (fact sheet gotchas §1)."""

from __future__ import annotations

BANDS: tuple[tuple[int, int], ...] = (
    # below this price, the step is; KRW
    (2_000, 1),
    (5_000, 5),
    (20_000, 10),
    (50_000, 50),
    (200_000, 100),
    (500_000, 500),
)
TOP_STEP = 1_000


def price_step(price: int) -> int:
    """Step in KRW at ``price``. On a band edge the step is that of the price itself."""
    for below, step in BANDS:
        if price < below:
            return step
    return TOP_STEP


def is_on_step(price: int) -> bool:
    """Whether an order at ``price`` stands on the grid."""
    return price > 0 and price % price_step(price) == 0
