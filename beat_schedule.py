"""The timetable (KST): what is woken when, on which queue. Data only.

``every`` is seconds, ``at`` a time of day on ``days``. A wake-up carries nothing: no order, no
account, no price. Each one expires before the next is due, so that a queue that stood still never
brings a burst; what must run once a turn takes its turn in Redis (``budget/slots.py``), so that a
second beat or the extra tick of a killed one changes nothing. Beat never places an order.
"""

from __future__ import annotations

from typing import NamedTuple

ASSETS_EVERY_S, ASSETS_EARLY_S = 10.0, 1.5


class Entry(NamedTuple):
    """One line of the timetable. Exactly one of ``every`` (s) and ``at`` ("HH:MM") is set.

    ``early``: the turns are on the clock's multiples of ``every``, and woken so many s before.
    """

    name: str
    task: str
    queue: str
    every: float = 0.0
    early: float = 0.0
    at: str = ""
    days: str = "mon-fri"

    @property
    def expires(self) -> float:
        """Seconds a wake-up may wait in its queue: always less than until the next one."""
        if self.at:
            return 3600.0
        return self.every - 1.0 if self.every > 4.0 else self.every * 0.8


TIMETABLE = (
    # the account, four calls a cycle, at :00 :10 :20 …                 개인자산 4콜, 10초 간격
    Entry("assets", "tasks.assets.poll", "assets", every=ASSETS_EVERY_S, early=ASSETS_EARLY_S),
    # what became of open and unknown orders, at most one call a second      체결 확인 순차 1콜
    Entry("settle", "tasks.fills.settle", "confirm", every=1.0),
    # strikes whose wake-up was lost                                            잃어버린 신호
    Entry("strikes", "tasks.strike.sweep", "confirm", every=2.0),
    # tier 2: the rest of the market over the surplus calls                    2계층, 10초
    Entry("sweep", "tasks.sweep.turn", "sweep", every=10.0),
    # limits and designations of the stocks with conditions, once a day                종목의 그날
    Entry("stock-days", "tasks.stock_days.read", "sweep", every=15.0),
    # before the market opens: a token for the whole day, the calendar checked     장 시작 전
    Entry("morning", "tasks.morning.prepare", "sweep", at="07:40"),
    # tier 3: data.go.kr publishes a day one business day later, about 13:00    3계층, 전종목
    Entry("publicdata", "tasks.publicdata.nightly", "sweep", at="18:30"),
    # ledger, broker, account and close compared, after the last phase of the day   저녁 대사
    Entry("report", "tasks.report.evening", "confirm", at="20:15"),
)
