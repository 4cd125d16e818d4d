"""What docs/running.md says of every container, read from the file: of those no run starts too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.stack.handout import SHARES

ROOT = Path(__file__).resolve().parents[2]
FILE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
ONCE = {"handout", "migrate", "desk", "doctor"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_locked_in_limited_and_rotated(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "cap_add" not in one
    assert "privileged" not in one
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"\d+[mg]", one["mem_limit"])
    assert one["pids_limit"] > 0
    assert one["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert str(one.get("user", "10001")) not in ("0", "root", "0:0")
    for port in one.get("ports", []):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_lives_on_korean_time(name: str) -> None:
    assert SERVICES[name]["environment"]["TZ"] == "Asia/Seoul"


@pytest.mark.parametrize("name", SERVICES)
def test_what_runs_on_is_restarted_and_has_a_health_check_and_what_ends_has_neither(
    name: str,
) -> None:
    one = SERVICES[name]
    assert one["restart"] == ("no" if name in ONCE else "unless-stopped")
    assert ("healthcheck" in one) == (name not in ONCE)
    assert "ping" not in str(one.get("healthcheck", {}).get("test", ""))


def test_images_are_of_one_version_and_ours_come_from_the_lock() -> None:
    for name, one in SERVICES.items():
        assert ":" in one["image"], name
        assert not one["image"].endswith(":latest"), name
    recipe = (ROOT / "Dockerfile").read_text("utf-8")
    assert "--require-hashes" in recipe
    assert "-r /src/requirements-run.lock" in recipe
    assert recipe.count("\nFROM ") + recipe.startswith("FROM ") == 2
    assert recipe.rstrip().splitlines()[-4].startswith("USER 10001")


def test_each_share_has_its_volume_and_its_folder_in_the_image() -> None:
    folders = re.search(r"for share in ([^;]+);", (ROOT / "Dockerfile").read_text("utf-8"))
    assert folders
    made = set(folders.group(1).replace("\\\n", " ").split())
    mounted = {
        one.split(":")[1].removeprefix("/handout/") for one in SERVICES["handout"]["volumes"]
    }
    assert made == mounted
    assert set(SHARES) <= made
    used = {
        volume.split(":")[0]
        for one in SERVICES.values()
        for volume in one.get("volumes", [])
        if not volume.startswith((".", "$"))
    }
    assert used == set(FILE["volumes"])


def test_prometheus_asks_services_of_this_file_and_the_watchdog_on_its_own_port() -> None:
    known = yaml.safe_load(
        (ROOT / "deploy/monitoring/prometheus/prometheus.yml").read_text("utf-8")
    )["scrape_configs"]
    targets = [one for job in known for group in job["static_configs"] for one in group["targets"]]
    asked = dict(target.split(":") for target in targets)
    own = SERVICES["prometheus"]["networks"]
    for service in asked:
        assert set(SERVICES[service]["networks"]) & set(own), service
    assert asked["watchdog"] == SERVICES["watchdog"]["environment"]["STOCKD_METRICS__PORT"]
    assert "ports" not in SERVICES["watchdog"]


def test_systemd_starts_what_compose_starts() -> None:
    target = (ROOT / "deploy/systemd/stockd.target").read_text("utf-8")
    ours = [
        name
        for name, one in SERVICES.items()
        if one["image"] == "stockd:local" and name not in ONCE and "profiles" not in one
    ]
    for name in ours:
        unit = {"worker-orders": "stockd-orders"}.get(name, name).replace("worker-", "worker@")
        assert re.search(rf"stockd[-@]{unit.removeprefix('stockd-')}\.service", target), name
