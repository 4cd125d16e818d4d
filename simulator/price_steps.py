"""KRX price steps (호가단위) and the day's ±30 % limits, the simulator's own copy of the rules."""

# KRX stocks, KOSPI and KOSDAQ alike, since 2023-01-25: (price below, step)
_BANDS = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
_TOP_STEP = 1_000


def step_at(price: int) -> int:
    """Step in won that a price of this band moves by (upwards at a band's edge)."""
    for below, step in _BANDS:
        if price < below:
            return step
    return _TOP_STEP


def up(price: int) -> int:
    """The next price above."""
    return price + step_at(price)


def down(price: int) -> int:
    """The next price below: the edge of a band is left by the step of the band below it."""
    return price - step_at(price - 1)


def on_step(price: int) -> bool:
    """True when an order may carry this price."""
    return price > 0 and price % step_at(price) == 0


def floor_to_step(price: int) -> int:
    """The highest valid price not above this one."""
    return price - price % step_at(price)


def day_limits(base: int) -> tuple[int, int]:
    """(upper, lower) limit of the day: base ± 30 % cut to the base price's step, rounded inward.

    128,500 gives 167,000 and 90,000 as in the broker's own example.
    """
    step = step_at(base)
    width = base * 30 // 100 // step * step
    upper, lower = base + width, base - width
    upper -= upper % step_at(upper)
    lower += -lower % step_at(lower)
    return upper, lower
