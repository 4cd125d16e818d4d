"""Stop each part in turn: its alarm is raised within 30 s, and only that one (P12)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from db.signs import Signs, Worker
from runtime.alarms.judge import KINDS, Judge
from runtime.alarms.look import Queue, Seen
from runtime.celeryapp import QUEUES
from trading.clock import KST

START = datetime(2026, 11, 23, 10, 0, tzinfo=KST)
WITHIN_S = 30.0


class Day:
    """A machine in market hours on a synthetic clock: every part leaves its signs in its rhythm,
    a part that is stopped leaves none."""

    def __init__(self) -> None:
        self.now = START
        self.stopped: set[str] = set()
        self.last = dict.fromkeys(
            ("tick", "asset", "trader", "beat", "lease", "bar", "history", "partitions"), START
        )
        self.queues: dict[str, list[int]] = {n: [] for n in QUEUES}
        self.sent = 0
        self.judge = Judge(20, lambda: "broker" not in self.stopped)

    def second(self) -> None:
        self.now += timedelta(seconds=1)
        s = int((self.now - START).total_seconds())
        alive = self.stopped.isdisjoint
        if alive({"beat", "redis"}):
            self.last["beat"] = self.now
            for name, every in (("confirm", 1), ("assets", 10), ("sweep", 10)):
                if s % every == 0:
                    self.sent += 1
                    self.queues[name].append(self.sent)
        if s % 15 == 0 and alive({"trader", "redis"}):
            self.sent += 1
            self.queues["orders"].append(self.sent)
        for name, waiting in self.queues.items():
            if alive({f"worker-{name}", "redis"}):
                if name == "assets" and waiting and alive({"broker", "broker-hangs", "mariadb"}):
                    self.last["asset"] = self.now
                waiting.clear()
        if alive({"market", "broker", "broker-hangs", "mariadb"}):
            self.last["tick"] = self.now
        if alive({"trader", "mariadb"}):
            self.last["trader"] = self.now
        if alive({"worker-orders", "mariadb"}):
            self.last["lease"] = self.now + timedelta(seconds=5)
        if alive({"event", "scheduler", "mariadb"}):
            self.last["bar"] = self.now
        if s % 60 == 0 and alive({"scheduler", "mariadb"}):
            self.last["history"] = self.now

    def _age(self, name: str) -> float:
        return (self.now - self.last[name]).total_seconds()

    def look(self) -> list[str]:
        signs = Signs(
            tick_s=self._age("tick"), watched=20, asset_s=self._age("asset"),
            lease_s=self._age("lease"), scheduler_on="scheduler" not in self.stopped,
            events={"ev_bar_minute": self._age("bar"), "ev_asset_history": self._age("history"),
                    "ev_partitions": self._age("partitions")},
            event_errors={}, workers={"trader": Worker("RUNNING", self._age("trader"), {})},
            unknown=[], rejected=[], trips={}, halt="", halt_source="",
        )  # fmt: skip
        seen = Seen(
            None if "mariadb" in self.stopped else signs,
            "gone" if "mariadb" in self.stopped else "",
            "gone" if "redis" in self.stopped else "",
            None if "redis" in self.stopped else self._age("beat"),
            {} if "redis" in self.stopped
            else {n: Queue(len(q), str(q[0]) if q else "") for n, q in self.queues.items()},
        )  # fmt: skip
        return [one.name for one in self.judge.judge(seen, self.now, awake=True, ticking=True)]

    def run(self, seconds: int) -> dict[str, float]:
        """Fault -> seconds after which it was first seen; looks every two seconds."""
        began, found = self.now, {}
        for number in range(seconds):
            self.second()
            if number % 2:
                for name in self.look():
                    found.setdefault(name, (self.now - began).total_seconds())
        return found


@pytest.mark.parametrize(
    ("part", "alarm"),
    [
        ("market", "tick"),
        ("trader", "trader"),
        ("worker-orders", "orders"),
        ("worker-confirm", "queue:confirm"),
        ("worker-assets", "queue:assets"),
        ("worker-sweep", "queue:sweep"),
        ("beat", "beat"),
        ("event", "event:ev_bar_minute"),
        ("scheduler", "scheduler"),
        ("mariadb", "mariadb"),
        ("redis", "redis"),
        ("broker", "broker"),
        ("broker-hangs", "broker"),  # its port can still be connected to
    ],
)
@pytest.mark.parametrize("offset", [0, 3, 7])
def test_a_part_that_stops_raises_its_alarm_within_30_s_and_only_that_one(
    part: str, alarm: str, offset: int
) -> None:
    day = Day()
    assert day.run(90 + offset) == {}, "nothing is wrong while everything runs"
    day.stopped.add(part)
    found = day.run(120)
    assert list(found) == [alarm]
    assert found[alarm] <= WITHIN_S
    day.stopped.clear()
    # what was silent because of it comes back a little later: nobody is told of that
    assert set(day.run(20)) <= {alarm}
    assert day.run(60) == {}, "and nothing is left when it is back"


def test_a_feed_that_needs_its_time_after_the_broker_is_back_has_it_and_no_more() -> None:
    day = Day()
    day.run(60)
    day.stopped |= {"broker"}
    assert list(day.run(60)) == ["broker"]
    day.stopped = {"market"}  # the broker is back, the feed is not: a reconnect budget, a ban
    found = day.run(60)
    assert list(found) == ["tick"]
    assert 20 <= found["tick"] <= WITHIN_S


def test_who_was_silent_before_a_server_went_is_not_taken_for_well_after_it() -> None:
    day = Day()
    day.run(60)
    day.stopped |= {"market"}
    assert list(day.run(40)) == ["tick"]
    day.stopped |= {"redis"}
    assert list(day.run(20)) == ["redis"]
    day.stopped -= {"redis"}
    assert day.run(4) == {"tick": 2}, "at once, without a new patience"


def test_the_connect_budget_is_told_where_it_matters_and_kept_while_redis_is_away() -> None:
    def levels(up: int, left: int) -> list[str]:
        detail = {"sections": 5, "sections_up": up, "connects_left": left}
        signs = Signs(
            tick_s=1, watched=20, asset_s=1, lease_s=-4, scheduler_on=True, events={},
            event_errors={}, workers={"market": Worker("RUNNING", 1, detail)}, unknown=[],
            rejected=[], trips={}, halt="", halt_source="",
        )  # fmt: skip
        found = judge.judge(Seen(signs), START, awake=False, ticking=False)
        return [one.level for one in found if one.name == "connects"]

    judge = Judge(20, lambda: True)
    assert levels(5, 1) == []
    assert levels(3, 0) == ["WARNING"]
    assert levels(3, -1) == ["WARNING"], "Redis is away: not known, so as before"
    assert levels(5, 0) == ["INFO"], "all are up: nothing to do but not to restart"
    assert levels(0, 0) == [], "the silence is told, and why"
    assert levels(3, 2) == []


def test_polls_that_fail_while_their_queue_moves_are_a_silent_account() -> None:
    day = Day()
    day.run(60)
    asset = day.last["asset"]
    found = {}
    for _ in range(30):
        day.second()
        day.last["asset"] = asset
        found.update(dict.fromkeys(day.look()))
    assert list(found) == ["asset"]


def test_at_night_and_in_an_auction_silence_is_as_it_should_be() -> None:
    day = Day()
    day.run(60)
    day.stopped |= {"market"}
    seen: list[Any] = []
    original = day.judge.judge
    day.judge.judge = lambda s, n, **_: original(s, n, awake=True, ticking=False)  # type: ignore[method-assign]
    seen += day.run(120)
    day.judge.judge = lambda s, n, **_: original(s, n, awake=False, ticking=False)  # type: ignore[method-assign]
    day.stopped |= {"trader", "beat", "worker-orders", "scheduler"}
    assert seen + list(day.run(120)) == []


def test_the_ledgers_own_troubles_have_names_of_the_runbook() -> None:
    signs = Signs(
        tick_s=1, watched=20, asset_s=1, lease_s=-4, scheduler_on=True, events={}, event_errors={},
        workers={"market": Worker("RUNNING", 1, {"sections": 5, "sections_up": 3, "drift": 1,
                                                 "connects_left": 0, "fields": 48,
                                                 "unregistered": "ZZZZZZ OPSP8992"})},
        unknown=[7], rejected=[8], trips={"STALE": "낡은 체결"}, halt="가드", halt_source="GUARD",
    )  # fmt: skip
    found = Judge(20, lambda: True).judge(Seen(signs), START, awake=False, ticking=False)
    assert {one.name for one in found} == {
        "unknown", "rejected", "halt", "guard:STALE", "sections", "connects", "drift",
        "registration", "fields:48",
    }  # fmt: skip
    assert {one.kind for one in found} <= set(KINDS)


def test_a_record_that_grew_is_one_fault_until_a_known_width_is_back() -> None:
    judge = Judge(20, lambda: True)

    def faults(fields: int) -> list[str]:
        signs = Signs(
            tick_s=1, watched=1, asset_s=1, lease_s=-4, scheduler_on=True, events={},
            event_errors={}, workers={"market": Worker("RUNNING", 1, {"fields": fields})},
            unknown=[], rejected=[], trips={}, halt="", halt_source="",
        )  # fmt: skip
        seen = judge.judge(Seen(signs), START, awake=False, ticking=False)
        return [one.name for one in seen]

    assert faults(47) == []
    assert faults(48) == ["fields:48"]
    assert faults(0) == ["fields:48"], "a daemon that was just started has read nothing yet"
    assert faults(49) == ["fields:49"]
    assert faults(47) == []
