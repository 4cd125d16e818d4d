"""Counting calls as the broker does: by arrival, over a window that slides."""

from collections import deque


class Window:
    """Arrivals of one key within the last second."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._admitted: deque[float] = deque()
        self._arrived: deque[float] = deque()
        self.most = 0  # arrivals in the fullest second so far, refused ones included
        self.calls = 0
        self.refused = 0

    def admit(self, now: float, ceiling: int) -> bool:
        """Count an arrival; False when `ceiling` calls were already served in the last second."""
        self.calls += 1
        self._slide(self._arrived, now)
        self._arrived.append(now)
        self.most = max(self.most, len(self._arrived))
        self._slide(self._admitted, now)
        if ceiling and len(self._admitted) >= ceiling:
            self.refused += 1
            return False
        self._admitted.append(now)
        return True

    def _slide(self, times: deque[float], now: float) -> None:
        while times and times[0] <= now - self._seconds:
            times.popleft()


class Gap:
    """Smallest distance between two events, in seconds."""

    def __init__(self) -> None:
        self._last: float | None = None
        self.smallest: float | None = None

    def add(self, now: float) -> None:
        if self._last is not None:
            gap = now - self._last
            self.smallest = gap if self.smallest is None else min(self.smallest, gap)
        self._last = now


class Connects:
    """Websocket connects of one app key, and the most of them within ten minutes."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.most_in_10_min = 0

    def add(self, now: float) -> None:
        self.times.append(now)
        recent = sum(1 for one in self.times if one > now - 600)
        self.most_in_10_min = max(self.most_in_10_min, recent)
