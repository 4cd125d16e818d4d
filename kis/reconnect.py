"""When to connect again: pure pauses, and what kis/ asks of the shared reconnect budget.

KIS blocks address and app key for a while when a client connects and closes in a loop; after an
unclean drop the old slot stays taken for tens of seconds to hours, and quick retries prolong it
(fact sheet §4, §5). So: 5 -> 10 -> 20 -> 60 s with jitter, never below 5 s, and at least 60 s after
OPSP8996 (ALREADY IN USE appkey).
"""

from __future__ import annotations

from typing import Protocol

STEPS_S = (5.0, 10.0, 20.0, 60.0, 120.0, 300.0)  # pause before the 1st, 2nd, … connect in a row
IN_USE_STEPS_S = (60.0, 120.0, 300.0, 600.0)  # the same after OPSP8996
JITTER = 0.25  # up to a quarter more, so that five sections do not come back together
UNREACHED_MAX_S = 20.0  # nobody was bothered, and the line may be back any moment
STABLE_AFTER_S = 120.0  # a connection that lived this long starts the steps anew


class ReconnectBudget(Protocol):
    """Connects of all processes of one app key: at most 4 in 10 minutes (P11). Lives in Redis.

    ``key_id`` is ``KisKey.key_id``, a fingerprint without secrets.
    """

    def claim(self, key_id: str) -> float:
        """0.0: connect now, it is counted. Above 0: wait so many seconds and ask again.

        A slot that was claimed and never ``closed`` cleanly may be a ghost (kill -9): the first
        claim after it is answered with a wait of at least 60 s. Unavailable if Redis is gone.
        """
        ...

    def closed(self, key_id: str, clean: bool) -> None:
        """The connection ended; ``clean`` when unsubscribed and closed with a close frame."""
        ...

    def unused(self, key_id: str) -> None:
        """The claimed connect never reached KIS: it does not count."""
        ...

    def hold_off(self, key_id: str, seconds: float) -> None:
        """No connect of this key by any process for so long (OPSP8996)."""
        ...


def pause_s(attempt: int, roll: float, in_use: bool = False) -> float:
    """Seconds to wait before connect number ``attempt`` (1 = first after a drop).

    ``roll`` in [0, 1) is the caller's randomness; the answer is never below the table's step.
    """
    steps = IN_USE_STEPS_S if in_use else STEPS_S
    step = steps[min(max(attempt, 1), len(steps)) - 1]
    return step * (1.0 + JITTER * roll)


def next_attempt(attempt: int, lived_s: float) -> int:
    """Number of the next connect in a row, given how long the last connection lived."""
    return 1 if lived_s >= STABLE_AFTER_S else attempt + 1
