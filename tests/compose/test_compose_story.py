"""The compose file, really run. Skipped, and said so, where there is no Docker engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")


def _engine_answers() -> bool:
    if shutil.which("docker") is None or os.geteuid() != 0:
        return False
    asked = (["docker", "version"], ["docker", "compose", "version"])
    return all(subprocess.run(one, capture_output=True).returncode == 0 for one in asked)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_machine_in_containers_keeps_its_promises_while_each_is_killed_once() -> None:
    if not _engine_answers():
        pytest.skip("no Docker engine here (as root): by hand with tests/compose/run.py")
    done = subprocess.run(
        [sys.executable, str(RUN), "--json"], stdout=subprocess.PIPE, text=True, check=False
    )
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["faults"] == []
    assert result["ok"]
