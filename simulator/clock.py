"""The exchange's clock: Korean wall time, shifted when a trading day is wanted at night."""

import time
from datetime import date, datetime, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")


class ExchangeClock:
    """Korean time as the exchange would print it; runs on in real time from where it is set.

    `start` ("HH:MM:SS") and `day` move the exchange's time; without them it is the wall clock.
    """

    def __init__(self, start: str = "", day: date | None = None) -> None:
        self._offset = timedelta(0)
        if start or day:
            now = datetime.now(KST)
            at = datetime.strptime(start, "%H:%M:%S").time() if start else now.time()  # noqa: DTZ007
            wanted = datetime.combine(day or now.date(), at, tzinfo=KST)
            self._offset = wanted - now
        self._second = -1
        self.hms = ""
        self.ymd = ""
        self.refresh()

    def now(self) -> datetime:
        """Exchange time, aware, KST."""
        return datetime.now(KST) + self._offset

    def refresh(self) -> bool:
        """Renew `hms` and `ymd`; formatting once a second keeps it off the path of every tick.

        Returns True when the exchange's day has changed.
        """
        second = int(time.time())
        if second == self._second:
            return False
        self._second = second
        now = self.now()
        before, self.ymd = self.ymd, now.strftime("%Y%m%d")
        self.hms = now.strftime("%H%M%S")
        return bool(before) and before != self.ymd
