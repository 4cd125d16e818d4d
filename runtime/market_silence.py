"""Silence of a section that is connected: when is no frame a sign that the feed has died?

PINGPONG is no sign of life: a session may go on with it and bring no trade any more, or never show
one and be well. In continuous trading (접속매매) no *trade* frame on a whole section counts. In
auctions and pauses the feed is silent by itself (fact sheet gotchas §3), so there only the absence
of keep-alives counts, and only where this connection has shown one: a healthy section dropped at
15:29 would miss the close, and its connects are few (P11).
"""

from __future__ import annotations

from dataclasses import dataclass

FULL = 40  # stocks for which the patience is meant; fewer trade less often
PAUSE_TIMES = 3.0  # of the patience; keep-alives come every 10 to 110 s (fact sheet §5)
DOUBLINGS = 4


@dataclass(frozen=True, slots=True)
class Sight:
    """A section as it stands: trade frames and stocks registered, and when (monotonic) it was
    opened and last brought anything. ``keeps_alive``: a PINGPONG came on this connection."""

    trade_frames: int
    stocks: int
    opened_at: float
    last_frame_at: float
    keeps_alive: bool


class Silence:
    """One section's. ``look`` about once a second while it is up."""

    def __init__(self, patience_s: float) -> None:
        self.since = 0.0  # monotonic: the last trade frame, or when one was first to be expected
        self._patience_s = patience_s
        self._frames = -1
        self._trading = False
        self._in_vain = 0  # connects in a row that brought no trade

    def look(self, seen: Sight, now: float, trading: bool) -> str:
        """Why the connection is to be given up, "" while it is well."""
        if seen.trade_frames != self._frames:
            self._frames, self.since, self._in_vain = seen.trade_frames, now, 0
        if trading and not self._trading:
            self.since = now
        self._trading = trading
        self.since = max(self.since, seen.opened_at)
        if trading and seen.stocks:
            silent = now - self.since
            # a whole market that stands still (circuit breaker) must not use up the connects
            patience = self._patience_s * max(1.0, FULL / seen.stocks) * 2**self._in_vain
            if silent > patience:
                self._in_vain = min(self._in_vain + 1, DOUBLINGS)
                return f"{silent:.0f}초 동안 체결 없음"
        elif seen.keeps_alive:
            silent = now - seen.last_frame_at
            if silent > self._patience_s * PAUSE_TIMES:
                self.since = seen.last_frame_at
                return f"{silent:.0f}초 동안 전문 없음"
        return ""
