"""The Celery app. Its settings were measured as a whole (docs/adr/0002, facts: a message is lost,
doubled or late; the row is the order). Nothing is opened and no setting is read before first use.
"""

from __future__ import annotations

from typing import Any

from celery import Celery, signals
from celery.schedules import crontab
from kombu import Queue

from beat_schedule import TIMETABLE, Entry
from runtime import progress  # noqa: F401  its signal handlers mark what got done
from runtime.alarms import pulse  # noqa: F401  and beat's pulse for the watchdog
from runtime.on_the_clock import OnTheClock

TASK_MODULES = (
    "tasks.strike",
    "tasks.fills",
    "tasks.assets",
    "tasks.sweep",
    "tasks.morning",
    "tasks.stock_days",
    "tasks.publicdata",
    "tasks.report",
)
# One queue a Celery worker of its own: an order never stands behind a poll.
QUEUES = ("orders", "confirm", "assets", "sweep")
ROUTES = {
    "tasks.strike.send": {"queue": "orders"},
    **{entry.task: {"queue": entry.queue} for entry in TIMETABLE},
}

# The same in every process that speaks to the broker (workers, beat, Flower, whoever publishes):
# the set of unacknowledged messages is shared and the smallest visibility time-out wins; without
# the time-outs a frozen link hangs publisher and worker for ever.
TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 5,
}

SOFT_LIMIT_S, HARD_LIMIT_S = 8, 12  # of a task; polls that take longer set their own


def configuration(broker_url: str, state_dir: str) -> dict[str, Any]:
    """All settings of the app for one broker; ``state_dir`` holds beat's memory."""
    return {
        "broker_url": broker_url,
        "broker_transport_options": _for_url(broker_url),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # the default ends the worker after 100
        "task_publish_retry": False,  # a blind second LPUSH doubles; a sweeper publishes again
        "task_ignore_result": True,  # the truth is in the tables
        "result_backend": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_acks_late": False,  # a started order must not come back
        "task_reject_on_worker_lost": False,
        "task_retry_on_worker_lost": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # True kills an order's call
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,  # nothing waits inside a worker: spacing and expires hold
        "task_soft_time_limit": SOFT_LIMIT_S,
        "task_time_limit": HARD_LIMIT_S,
        "task_track_started": False,
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "worker_soft_shutdown_timeout": 0,  # a soft shutdown ends cold and queues again
        "worker_max_tasks_per_child": None,
        "worker_hijack_root_logger": False,  # the log format and its masking are ours
        "enable_utc": True,
        "timezone": "Asia/Seoul",
        "task_create_missing_queues": False,  # a mistyped queue is an error, not a new queue
        "task_queues": [Queue(name) for name in QUEUES],
        "task_default_queue": "sweep",  # the harmless one
        "task_routes": ROUTES,
        "beat_schedule": beat_entries(),
        "beat_schedule_filename": f"{state_dir}/beat-schedule",
        "beat_enable_remote_control": True,
    }


def _for_url(broker_url: str) -> dict[str, Any]:
    options = dict(TRANSPORT_OPTIONS)
    if broker_url.startswith("redis+socket:"):
        del options["socket_keepalive"]  # a TCP option
    return options


def beat_entries() -> dict[str, dict[str, Any]]:
    """The timetable in Celery's words."""
    return {
        entry.name: {
            "task": entry.task,
            "schedule": _schedule(entry),
            "options": {"queue": entry.queue, "expires": entry.expires},
        }
        for entry in TIMETABLE
    }


def _schedule(entry: Entry) -> float | crontab | OnTheClock:
    if entry.early:
        return OnTheClock(entry.every, entry.early)
    if not entry.at:
        return entry.every
    hour, minute = entry.at.split(":")
    return crontab(hour=int(hour), minute=int(minute), day_of_week=entry.days)


def _configuration() -> dict[str, Any]:
    from runtime import wiring  # noqa: PLC0415  settings are read on first use, not at import

    return configuration(wiring.broker_url(), str(wiring.state_dir()))


@signals.setup_logging.connect
def _start_logs(**_: Any) -> None:
    """Workers and beat write as all our processes do, secrets masked (P13)."""
    from runtime.logs import start_logs  # noqa: PLC0415
    from runtime.settings import load_settings  # noqa: PLC0415

    start_logs(load_settings(), "celery")


def make_app(*modules: str) -> Celery:
    """A new app with the task modules named; its settings are read when they are first needed."""
    made = Celery("stockd", include=modules, set_as_current=True)
    made.add_defaults(_configuration)
    return made


app = make_app(*TASK_MODULES)


def read_settings_again() -> None:
    """Settings and connections anew: whoever looked at the app before has fixed them (tests)."""
    app.conf.update(_configuration())
    app._after_fork()  # drops the pools of connections; Celery has no public word for it
