"""Small private files in the state directory: what must survive a restart of Redis."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trading.errors import Unavailable

PAUSE_S = 0.02


def read_json(path: Path) -> dict[str, Any]:
    """The object in the file, {} when there is none or a crash left half of one."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace the file in one step, mode 0600 from the start. Unavailable if the disk fails."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch.unlink(missing_ok=True)
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(value, out)
            out.flush()
            os.fsync(out.fileno())
        os.replace(scratch, path)
    except OSError as error:
        raise Unavailable(f"{path.name}: {error.strerror}") from None


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Alone among the processes of this machine; the kernel lets go when the holder dies.

    Unavailable when somebody else held it for ``timeout`` seconds.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(f"{path.name}: {error.strerror}") from None
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable(f"{path.name}: held by another process") from None
                time.sleep(PAUSE_S)
        yield
    finally:
        os.close(handle)  # closing lets go of the lock
