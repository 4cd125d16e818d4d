"""The doctor's round in a process of its own, for who lives long.

The checks load the calendar library (60 MB) and open a connection for every role: a daemon that
made them itself would keep both until its end.
"""

from __future__ import annotations

import json
import subprocess
import sys

from runtime.doctor.findings import Finding

LIMIT_S = 120.0  # a round takes seconds; each of its checks has limits of its own


def examine_apart(limit_s: float = LIMIT_S) -> list[Finding]:
    """What ``stockd doctor`` finds. That it could not be asked is a finding too."""
    argv = [sys.executable, "-m", "cli", "doctor", "--json"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        return [Finding("doctor", False, f"점검이 {limit_s:.0f}초 안에 끝나지 않았습니다")]
    try:
        return [Finding(**one) for one in json.loads(done.stdout)["checks"]]
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip().splitlines() or ["아무 말이 없음"])[-1]
        return [Finding("doctor", False, f"점검이 끝값 {done.returncode}: {said}")]
