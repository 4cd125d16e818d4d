"""Every metric our alert rules and panels ask Prometheus for, read from the files themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MONITORING = Path(__file__).resolve().parents[2] / "deploy" / "monitoring"
RULES = (MONITORING / "alerts.yml", MONITORING / "prometheus" / "servers.yml")
BOARDS = MONITORING / "grafana" / "dashboards"
NAME = re.compile(r"\b(?:stockd|flower|redis|mysql)_[a-z0-9_]+")


def rules() -> list[dict[str, Any]]:
    """All alert rules."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def asked_for() -> dict[str, set[str]]:
    """Metric name -> the rules and panels that ask for it."""
    found: dict[str, set[str]] = {}
    for where, expression in _expressions():
        # label values may look like names: quoted text is none
        for name in NAME.findall(re.sub(r'"[^"]*"', "", expression)):
            found.setdefault(name, set()).add(where)
    return found


def _expressions() -> Iterator[tuple[str, str]]:
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    for board in sorted(BOARDS.glob("*.json")):
        for panel in json.loads(board.read_text("utf-8"))["panels"]:
            for target in panel["targets"]:
                if "expr" in target:
                    yield f"{board.stem}: {panel['title']}", target["expr"]
