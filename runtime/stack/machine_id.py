"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


def machine() -> str:
    """e.g. "2 cores, AMD EPYC, Python 3.11.7, Linux 6.1"."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return (
        f"{len(os.sched_getaffinity(0))} cores, {name}, "
        f"Python {sys.version.split()[0]}, {platform.system()} {platform.release()}"
    )
