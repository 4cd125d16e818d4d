"""Which processes a stack has, and how each is run: data for the supervisor."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field

from db.grants import user_name
from runtime.servers import free_port
from runtime.settings import Settings
from runtime.stack.place import CHECKOUT, Place

CELERY = (sys.executable, "-m", "celery", "-A", "tasks")
PHP = "php"
QUIET = ("--without-mingle", "--without-gossip")


@dataclass(frozen=True, slots=True)
class Program:
    """One process. ``rank``: lower stops later, equal ones together; ``grace``: s until SIGKILL."""

    name: str
    argv: tuple[str, ...]
    rank: int
    grace: int = 10
    autostart: bool = False  # True: up with the supervisor, before anybody can be asked
    environment: dict[str, str] = field(default_factory=dict)
    group: bool = False  # signals go to the process group (prefork children of a killed parent)
    term_group: bool = False  # the end too: PHP's server does not take its workers with it


def servers(place: Place) -> list[Program]:
    """The private servers."""
    return [
        Program("mariadb", tuple(place.mariadb().command()), 1, grace=25, autostart=True),
        Program("redis", tuple(place.redis().command()), 1, grace=10, autostart=True),
    ]


def machine(settings: Settings, flower: tuple[str, int, str]) -> list[Program]:
    """The trading machine. ``flower``: user, port, password of its page."""
    user, port, password = flower
    threads = str(settings.local.workers_threads)
    programs = [
        Program("market", (sys.executable, "-m", "cli", "market"), 20, group=True),
        Program("trader", (sys.executable, "-m", "cli", "trader"), 20, group=True),
        # one at a time, in a child that a stuck call cannot take the worker down with
        _worker("orders", "orders", ("-P", "prefork", "-c", "1"), grace=30),
        _worker("confirm", "confirm", ("-P", "threads", "-c", "2")),
        _worker("assets", "assets", ("-P", "threads", "-c", threads)),
    ]
    if _there("tasks.sweep"):
        programs.append(_worker("sweep", "sweep", ("-P", "threads", "-c", threads)))
    programs += [
        Program("watchdog", (sys.executable, "-m", "cli", "watchdog"), 45),
        Program("beat", (*CELERY, "beat", "--loglevel", "warning", "--pidfile="), 20),
        Program(
            "flower",
            (
                *CELERY,
                "flower",
                "--address=127.0.0.1",
                f"--port={port}",
                "--read-only",
                "--purge-offline-workers=15",
                "--max-tasks=2000",  # its own 100,000 would grow by 20 MB an hour for days
                "--logging=warning",
            ),
            20,
            environment={"FLOWER_BASIC_AUTH": f"{user}:{password}"},  # not on the command line
        ),
    ]
    return programs


def simulator(
    place: Place, ports: tuple[int, int], sections: int, extra: tuple[str, ...]
) -> Program:
    """The KIS on two ports, with its logs."""
    return Program(
        "simulator",
        (
            sys.executable,
            "-m",
            "simulator",
            f"--rest-port={ports[0]}",
            f"--ws-port={ports[1]}",
            f"--sections={sections}",
            f"--log={place.simulator_log}",
            *extra,
        ),
        10,
    )


def site(place: Place, settings: Settings, door: tuple[int, str]) -> Program:
    """The plugin's pages on a small loopback host, without Gnuboard. ``door``: port, password."""
    port, password = door
    known = settings.mariadb
    data = place.run / "site"
    data.mkdir(mode=0o700, exist_ok=True)
    host = CHECKOUT / "gnuboard" / "devhost"
    return Program(
        "site",
        (PHP, "-S", f"127.0.0.1:{port}", "-t", str(host), str(host / "router.php")),
        50,
        environment={
            "PHP_CLI_SERVER_WORKERS": "4",
            "DEVHOST_PASSWORD": password,
            "DEVHOST_DB_SOCKET": known.socket,
            "DEVHOST_DB_USER": user_name("site", known.user_prefix),
            "DEVHOST_DB_PASSWORD": known.passwords["site"].get_secret_value(),
            "DEVHOST_DB_NAME": settings.site.database or known.database,
            "DEVHOST_MACHINE_DB": known.database,
            "DEVHOST_PREFIX": settings.site.prefix,
            "DEVHOST_DATA": str(data),
        },
        group=True,
        term_group=True,
    )


def free_ports(count: int) -> tuple[int, ...]:
    """Different TCP ports nobody listens on now."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return tuple(found)


def _worker(name: str, queue: str, pool: tuple[str, ...], grace: int = 15) -> Program:
    argv = (*CELERY, "worker", "-Q", queue, *pool, "-n", f"{name}@%h", *QUIET, "-E")
    return Program(f"worker-{name}", (*argv, "--loglevel", "warning"), 20, grace, group=True)


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
