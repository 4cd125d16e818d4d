"""The alert rules as Prometheus itself reads them. Skipped, and said so, without promtool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def promtool(*arguments: str) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool here (Debian's package prometheus has it)")
    done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_its_configuration_and_both_files_of_rules() -> None:
    promtool("check", "config", "deploy/monitoring/prometheus/prometheus.yml")


def test_rules_fire_when_they_should_and_lead_to_the_right_section() -> None:
    promtool("test", "rules", "tests/compose/rules.yml")
