"""Each part stopped in turn: table `alarm` says so within 30 s, of that part alone (P12)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from engine import Machine

# the service that is stopped -> the alarm it is to raise
STOPS = {
    "market": "tick",
    "trader": "trader",
    "worker-orders": "orders",
    "worker-confirm": "queue:confirm",
    "worker-assets": "queue:assets",
    "worker-sweep": "queue:sweep",
    "beat": "beat",
    "redis": "redis",
    "mariadb": "mariadb",
    "simulator": "broker",
}
RAISED_WITHIN_S = 30.0
OVER_WITHIN_S = 90.0
AWAY_S = 12.0  # MariaDB: its alarm's row can only follow
# told for minutes after they happened, whatever runs meanwhile; a broker that goes costs connects
LASTING = ("rejected", "guard:", "connects")
CONNECTS_WANTED = 3  # of 4 in ten minutes: a broker that goes and comes back takes one or two
BUDGET_WITHIN_S = 600.0
LEFT = """
import re, urllib.request as u
page = u.urlopen("http://127.0.0.1:9108/metrics", timeout=10).read().decode()
print(min(float(n) for n in re.findall(r"^stockd_section_connects_left\\{.*\\} (.+)$", page, re.M)))
"""


class Said(NamedTuple):
    """A row of table `alarm`; ``at`` seconds since the epoch."""

    number: int
    fault: str
    what: str
    at: float


def said_since(machine: Machine, number: int) -> list[Said]:
    """What the watchdog said after row ``number``. RuntimeError without MariaDB."""
    rows = machine.sql(
        "SELECT id, fault, what, UNIX_TIMESTAMP(at) FROM alarm"
        f" WHERE id > {number} AND what != 'REPORT' ORDER BY id"
    )
    return [Said(int(row[0]), row[1], row[2], float(row[3])) for row in rows]


def still_open(said: list[Said]) -> list[str]:
    """Faults that were raised and are not over."""
    last = {one.fault: one.what for one in said}
    return sorted(fault for fault, what in last.items() if what != "RECOVERED")


def quiet(machine: Machine, within_s: float = OVER_WITHIN_S) -> list[str]:
    """Wait until no fault is open; those that still are. Lasting ones do not count."""
    deadline = time.monotonic() + within_s
    while True:
        open_ = [one for one in still_open(said_since(machine, 0)) if not one.startswith(LASTING)]
        if not open_ or time.monotonic() > deadline:
            return open_
        time.sleep(1)


def wait_for_budget(machine: Machine) -> float:
    """Seconds until every app key has connects to spare again (P11): the runs before took some."""
    began = time.monotonic()
    while time.monotonic() < began + BUDGET_WITHIN_S:
        code, said = machine.run_in("watchdog", "python", "-c", LEFT)
        if code == 0 and float(said) >= CONNECTS_WANTED:
            break
        time.sleep(5)
    return round(time.monotonic() - began, 1)


def stop_and_listen(
    machine: Machine, service: str, say: Callable[[str], None]
) -> tuple[float | None, list[str]]:
    """Seconds from the stop to its alarm (None: never came), and what is wrong about it."""
    expected = STOPS[service]
    if service == "simulator":
        say(f"connects to spare after {wait_for_budget(machine)} s")
    before = max((one.number for one in said_since(machine, 0)), default=0)
    began = time.time()
    machine.compose("stop", service)
    if service == "mariadb":
        time.sleep(AWAY_S)
    else:
        _until(machine, before, expected, "RAISED", RAISED_WITHIN_S + 15)
        time.sleep(6)  # whatever else would be told of it
    machine.compose("up", "-d", "--wait", "--no-deps", service, check=False)
    _until(machine, before, expected, "RECOVERED", OVER_WITHIN_S)
    open_ = quiet(machine)
    heard = said_since(machine, before)
    first = next((one.at for one in heard if (one.fault, one.what) == (expected, "RAISED")), None)
    took = None if first is None else round(first - began, 1)
    others = {o.fault for o in heard if o.what == "RAISED" and not o.fault.startswith(LASTING)}
    times = sum((one.fault, one.what) == (expected, "RAISED") for one in heard)
    rules = {
        f"{service} stopped: no alarm {expected}": took is not None,
        f"{service} stopped: {expected} only after {took} s": (took or 0) <= RAISED_WITHIN_S,
        f"{service} stopped: {expected} raised {times} times": times <= 1,
        f"{service} stopped: told too: {sorted(others - {expected})}": others <= {expected},
        f"{service} back: still open: {open_}": not open_,
    }
    say(f"{service} stopped: {[(o.fault, o.what, round(o.at - began, 1)) for o in heard]}")
    return took, [words for words, kept in rules.items() if not kept]


def _until(machine: Machine, before: int, fault: str, what: str, within_s: float) -> None:
    """Wait for a row; the judging is done on what there is afterwards."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if any((o.fault, o.what) == (fault, what) for o in said_since(machine, before)):
                return
        except RuntimeError:
            pass  # MariaDB comes up
        time.sleep(0.5)
