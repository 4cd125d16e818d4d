"""The timetable: a wake-up is stale before the next, and its queue and task exist."""

from __future__ import annotations

import importlib

import pytest

from beat_schedule import TIMETABLE
from runtime.celeryapp import QUEUES, ROUTES, TASK_MODULES, TRANSPORT_OPTIONS, configuration


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)
def test_each_entry_expires_before_its_next_turn(entry) -> None:  # type: ignore[no-untyped-def]
    assert bool(entry.every) != bool(entry.at)
    assert 0 < entry.expires < (entry.every or 86_400)
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
    assert task in app.tasks
