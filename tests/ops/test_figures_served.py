"""What rules and panels ask Prometheus for is what the exporters serve, by name.

MariaDB's and Redis' exporters are programs of others: tests/compose/run.py asks them themselves.
"""

from __future__ import annotations

import dataclasses
import re
import time
import urllib.request
from typing import Any

import pytest
from flower.events import get_prometheus_metrics
from prometheus_client import REGISTRY

from runtime.commands import health
from runtime.loop import kst_now
from runtime.metrics import Exporter
from runtime.servers import free_port
from tests.compose.names import asked_for
from trading.errors import Unavailable
from workers.watchdog import Watchdog


def asked(prefix: str) -> dict[str, set[str]]:
    return {name: where for name, where in asked_for().items() if name.startswith(prefix)}


def test_the_watchdog_serves_every_name_the_rules_and_panels_ask_for(rig: Any) -> None:
    port = free_port()
    rig.settings(METRICS__PORT=str(port), MARKET__HOURS="always")
    watchdog = Watchdog()
    watchdog.look(kst_now())
    with Exporter(watchdog), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
        page = reply.read().decode()
    watchdog.close()
    served = set(re.findall(r"^# TYPE (\S+)", page, re.M))
    wanted = asked("stockd_")
    assert len(wanted) > 20
    assert {name: where for name, where in wanted.items() if name not in served} == {}


def test_a_watch_that_hangs_is_unhealthy_although_its_page_answers(rig: Any) -> None:
    port = free_port()
    rig.settings(METRICS__PORT=str(port), MARKET__HOURS="always")
    watchdog = Watchdog()
    watchdog.look(kst_now())
    healthy = health.CHECKS["watchdog"]
    with Exporter(watchdog):
        assert watchdog.seen is not None
        assert "last look" in healthy()
        watchdog.seen = dataclasses.replace(watchdog.seen, at=time.monotonic() - 30)
        with pytest.raises(Unavailable, match="last look 3"):
            healthy()
    watchdog.close()
    with pytest.raises(Unavailable, match="watchdog"):
        healthy()


def test_flower_serves_every_name_asked_of_it() -> None:
    get_prometheus_metrics()
    served = {sample for one in REGISTRY.collect() for sample in _names(one)}
    assert {name for name in asked("flower_") if name not in served} == set()


def _names(family: Any) -> set[str]:
    """Its series' names: a histogram without a sample yet has none to show."""
    parts = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",)}
    return {family.name + part for part in parts.get(family.type, ("",))}
