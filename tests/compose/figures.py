"""Profile `monitoring`, really run: Prometheus scrapes, knows every name we ask for, and alerts."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from engine import ROOT, Machine

MONITORING = ROOT / "deploy" / "monitoring"
NAME = re.compile(r"\b(?:stockd|flower|redis|mysql)_[a-z0-9_]+")
# only there once something rare has happened (a guard that tripped, a receiver that was slow)
RARE = frozenset({"stockd_alarm", "stockd_guard_trips_total"})
READY_WITHIN_S = 60.0
FIRING_WITHIN_S = 60.0


def asked_for() -> dict[str, set[str]]:
    """Metric name -> the rules and panels that ask for it."""
    found: dict[str, set[str]] = {}
    for where, expression in _expressions():
        # label values may look like names: quoted text is none
        for name in NAME.findall(re.sub(r'"[^"]*"', "", expression)):
            found.setdefault(name, set()).add(where)
    return found


def _expressions() -> Iterator[tuple[str, str]]:
    for path in (MONITORING / "alerts.yml", MONITORING / "prometheus" / "servers.yml"):
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            for rule in group["rules"]:
                yield rule["alert"], rule["expr"]
    for board in sorted((MONITORING / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(board.read_text("utf-8"))["panels"]:
            for target in panel["targets"]:
                if "expr" in target:
                    yield f"{board.stem}: {panel['title']}", target["expr"]


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


def rules_on_disk() -> int:
    """How many alert rules we ship."""
    paths: list[Path] = [MONITORING / "alerts.yml", MONITORING / "prometheus" / "servers.yml"]
    groups = [group for path in paths for group in yaml.safe_load(path.read_text())["groups"]]
    return sum(len(group["rules"]) for group in groups)


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
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    if len(rules) != rules_on_disk():
        faults.append(f"{len(rules)} of {rules_on_disk()} rules loaded")
    faults += [f"rule {one['name']}: {one['lastError']}" for one in rules if one["health"] == "err"]
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
