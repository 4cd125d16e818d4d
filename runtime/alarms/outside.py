"""Prices and the account both come from the broker: silent together, that is one fault and not two.

The port that can be connected to says little (a broker that hangs keeps it open), so both being
silent is enough. Its end gives the feed and the polls their whole patience anew: they come back
in their own time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ASSETS_S = 26.0  # a cycle every 10 s takes up to 5: two missed
MISSED_S = 16.0  # one missed: not yet an alarm, but no coincidence beside a silent feed
SUSPECT_S = 8.0  # a cause that may explain an effect before it is an alarm itself


@dataclass
class Outside:
    """``reaches()`` asks whether the broker can be connected to; ``silence_s`` is the patience."""

    silence_s: float
    reaches: Callable[[], bool]
    gone: bool = False  # the broker, as last told
    _refused: bool = False  # it could not even be connected to

    def look(self, tick_s: float, asset_s: float) -> tuple[list[str], bool]:
        """(which of broker, tick and asset are at fault, whether the broker has just come back).

        Seconds of silence; 0 for what is not expected or has a cause of its own.
        """
        both = tick_s > self.silence_s and asset_s > MISSED_S
        if self.gone:
            reached = self.reaches()
            if (reached and self._refused) or not (both or not reached):
                self.gone = self._refused = False
                return [], True
            self._refused = self._refused or not reached
            return ["broker"], False
        found = [
            name
            for name, late in (("tick", tick_s > self.silence_s), ("asset", asset_s > ASSETS_S))
            if late
        ]
        if not found:
            return [], False
        refused = not self.reaches()
        if refused or both:
            self.gone, self._refused = True, refused
            return ["broker"], False
        if found == ["asset"] and tick_s > SUSPECT_S:
            return [], False  # a few seconds more tell whether it is the account or the broker
        return found, False
