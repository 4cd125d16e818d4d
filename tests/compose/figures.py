"""Profile `monitoring`, really run: Prometheus scrapes, knows every name we ask for, and alerts."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from typing import Any

from engine import Machine
from names import asked_for, rules

# only there once something rare has happened (a guard that tripped, a receiver that was slow)
RARE = frozenset({"stockd_alarm", "stockd_guard_trips_total"})
READY_WITHIN_S = 60.0
FIRING_WITHIN_S = 60.0


class Prometheus:
    """The one in the container, asked through its published port."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/"

    def get(self, path: str, **query: str) -> Any:
        url = f"{self._url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310  our own loopback
            return json.loads(reply.read())["data"]

    def targets(self) -> dict[str, str]:
        """Job -> health."""
        found = self.get("targets")["activeTargets"]
        return {one["labels"]["job"]: one["health"] for one in found}

    def firing(self) -> set[str]:
        """Alerts firing now; the watchdog's own faults as StockdFault:<fault>."""
        return {
            ":".join(filter(None, (one["labels"]["alertname"], one["labels"].get("fault"))))
            for one in self.get("alerts")["alerts"]
            if one["state"] == "firing"
        }


def has_image(machine: Machine, service: str) -> bool:
    """Whether the image is here or can be pulled."""
    whole = json.loads(machine.compose("--profile", "*", "config", "--format", "json"))
    image = whole["services"][service]["image"]
    here = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    if here.returncode == 0:
        return True
    pull = subprocess.run(
        ["docker", "pull", "-q", image], capture_output=True, check=False, timeout=300
    )
    return pull.returncode == 0


def bring_up(machine: Machine) -> tuple[list[str], list[str]]:
    """Start what of the profile there is an image for: (started, left out)."""
    all_ = ("prometheus", "mariadb-exporter", "redis-exporter", "grafana")
    there = [one for one in all_ if has_image(machine, one)]
    if there:
        machine.compose("--profile", "monitoring", "up", "-d", "--wait", "--no-deps", *there)
    return there, [one for one in all_ if one not in there]


def judge(prometheus: Prometheus) -> list[str]:
    """Targets up, rules loaded and computed, every name known. Waits for the first scrapes."""
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        faults = _faults(prometheus)
        if not faults or time.monotonic() > deadline:
            return faults
        time.sleep(2)


def _faults(prometheus: Prometheus) -> list[str]:
    faults = [f"target {job} is {h}" for job, h in prometheus.targets().items() if h != "up"]
    loaded = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    if len(loaded) != len(rules()):
        faults.append(f"{len(loaded)} of {len(rules())} rules loaded")
    faults += [f"rule {one['name']}: {one['lastError']}" for one in loaded if one.get("lastError")]
    known = set(prometheus.get("label/__name__/values"))
    for name, where in sorted(asked_for().items()):
        if name not in known | RARE:
            faults.append(f"{name} is served by nobody ({', '.join(sorted(where))})")
    return faults


def wait_for(prometheus: Prometheus, alert: str, *, firing: bool) -> float | None:
    """Seconds until ``alert`` fires (or no longer does), None when it did not in time."""
    began = time.monotonic()
    while time.monotonic() < began + FIRING_WITHIN_S:
        if (alert in prometheus.firing()) == firing:
            return round(time.monotonic() - began, 1)
        time.sleep(1)
    return None
