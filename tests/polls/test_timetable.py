"""The timetable: a wake-up is stale before the next, and its queue and task exist."""

from __future__ import annotations

import importlib
from copy import copy
from datetime import UTC, datetime

import pytest
from celery.schedules import schedule

from beat_schedule import TIMETABLE
from runtime.celeryapp import QUEUES, ROUTES, TASK_MODULES, TRANSPORT_OPTIONS, configuration
from runtime.on_the_clock import OnTheClock, turn_lasts, until_the_moment


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)
def test_each_entry_expires_before_its_next_turn(entry) -> None:  # type: ignore[no-untyped-def]
    assert bool(entry.every) != bool(entry.at)
    assert 0 < entry.expires < (entry.every or 86_400)
    assert entry.early < entry.every / 2 or not entry.early, "else it is late for the last moment"
    assert entry.queue in QUEUES
    assert ROUTES[entry.task]["queue"] == entry.queue
    module, _, _ = entry.task.rpartition(".")
    assert module in TASK_MODULES


def test_orders_are_not_on_the_timetable() -> None:
    assert "orders" not in {entry.queue for entry in TIMETABLE}


def test_the_settings_that_were_measured_as_a_whole() -> None:
    known = configuration("redis://127.0.0.1:6379/0", "state")
    assert known["broker_transport_options"] == TRANSPORT_OPTIONS
    assert known["result_backend"] is None
    assert not known["task_acks_late"]
    assert not known["task_publish_retry"]
    assert known["worker_disable_prefetch"]
    assert not known["task_create_missing_queues"]
    assert {queue.name for queue in known["task_queues"]} == set(QUEUES)
    for name, entry in known["beat_schedule"].items():
        assert set(entry["options"]) == {"queue", "expires"}, f"{name} carries no arguments"
        assert "args" not in entry


@pytest.mark.parametrize("task", [entry.task for entry in TIMETABLE])
def test_every_task_of_the_timetable_exists(task: str) -> None:
    from runtime.celeryapp import app

    module, _, _ = task.rpartition(".")
    importlib.import_module(module)
    assert app.tasks[task].rate_limit is None, "it stalls a second a task: the lanes pace the polls"


class Beat:
    """A beat's clock, in seconds of the epoch, and the poll it wakes."""

    def __init__(self, at: float) -> None:
        self.at = self.last = at
        self.poll = OnTheClock(10.0, early=1.5, nowfun=lambda: datetime.fromtimestamp(self.at, UTC))

    def until(self, end: float, every: float = 0.01) -> list[float]:
        """Run to ``end``, looking each ``every`` s at the earliest; when it woke the poll."""
        woken = []
        while self.at < end:
            due, pause = self.poll.is_due(datetime.fromtimestamp(self.last, UTC))
            if due:
                self.last = self.at
                woken.append(self.at)
            self.at = min(end, self.at + max(pause, every))
        return [round(one, 1) for one in woken]


def test_a_poll_on_the_clock_is_woken_before_each_moment_and_never_drifts() -> None:
    assert Beat(1003.7).until(1040.0) == [1008.5, 1018.5, 1028.5, 1038.5]
    busy = Beat(1003.7)
    assert busy.until(1010.0) == [1008.5]
    busy.at = 1019.3  # a busy machine: this one comes late, the next are on time again
    assert busy.until(1040.0) == [1019.3, 1028.5, 1038.5]


def test_a_tick_missed_by_far_is_left_out_so_that_the_next_moment_has_its_turn() -> None:
    down = Beat(1003.7)
    assert down.until(1010.0) == [1008.5]
    down.at = 1045.0  # as after a crash: its file says 1008.5
    assert down.until(1060.0) == [1048.5, 1058.5]


def test_beat_keeps_it_in_its_file_and_sees_when_the_timetable_changed() -> None:
    kept = copy(OnTheClock(10.0, early=1.5))
    assert kept == OnTheClock(10.0, early=1.5)
    assert kept != OnTheClock(10.0, early=1.0)
    assert kept != schedule(10.0)


@pytest.mark.parametrize(
    ("woken", "ahead"), [(1008.5, 1.5), (1009.9, 0.1), (1010.0, 0.0), (1011.2, 0.0), (1007.0, 3.0)]
)
def test_who_was_woken_early_waits_and_who_is_late_goes_at_once(woken: float, ahead: float) -> None:
    assert until_the_moment(10.0, woken) == pytest.approx(ahead)


@pytest.mark.parametrize(
    ("woken", "taken"), [(1008.5, 9.5), (1009.9, 8.1), (1010.0, 8.0), (1013.0, 5.0), (1016.0, 12.0)]
)
def test_a_poll_that_began_late_does_not_cost_the_next_its_turn(woken: float, taken: float) -> None:
    lasts = turn_lasts(10.0, 1.5, woken)
    assert lasts == pytest.approx(taken)
    wake_ups = [1018.5, 1028.5]
    # whoever was so late that it waits for the next moment is that moment's poll
    assert woken + lasts < wake_ups[woken > 1015.0]
