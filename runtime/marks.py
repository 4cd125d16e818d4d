"""Files whose time says when a process last got something done. Light: health checks load it."""

from __future__ import annotations

import socket
import time
from pathlib import Path


def mark_file(state_dir: Path, name: str) -> Path:
    """The mark of process ``name`` ("orders", "beat" …) on this host: containers share a volume."""
    return state_dir / "progress" / f"{name}@{socket.gethostname()}"


def touch(file: Path) -> None:
    """Something got done. Never disturbs what was done: a full disk shows as an old mark."""
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch()
    except OSError:
        pass


def age_s(file: Path) -> float | None:
    """Seconds since the mark, None when there is none."""
    try:
        return max(0.0, time.time() - file.stat().st_mtime)
    except FileNotFoundError:
        return None
