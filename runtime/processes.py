"""Processes known by pid and start time: a pid alone may be somebody else's by now."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import psutil


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """One process for ever: ``pid`` with the moment it ``started`` (s since the epoch)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessMark:
        """Mark of a running process. psutil.NoSuchProcess if there is none."""
        return cls(pid, psutil.Process(pid).create_time())

    @classmethod
    def read(cls, path: Path) -> ProcessMark | None:
        """Mark kept in a file by ``write``; None when missing or unreadable."""
        try:
            pid, started = path.read_text(encoding="ascii").split()
            return cls(int(pid), float(started))
        except (OSError, ValueError):
            return None

    def write(self, path: Path) -> None:
        """Keep the mark in a file, replaced as a whole."""
        new = path.with_suffix(".new")
        new.write_text(f"{self.pid} {self.started}\n", encoding="ascii")
        new.replace(path)

    def process(self) -> psutil.Process | None:
        """The process while it lives, else None (also when the pid is another one's now)."""
        try:
            found = psutil.Process(self.pid)
            # 0.05 s: the kernel counts starts in jiffies and boot time is rounded
            if abs(found.create_time() - self.started) > 0.05:
                return None
            return None if found.status() == psutil.STATUS_ZOMBIE else found
        except psutil.NoSuchProcess:
            return None

    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return self.process() is not None


def end(process: subprocess.Popen[bytes] | None, grace: float) -> None:
    """SIGTERM, wait ``grace`` seconds, SIGKILL. Nothing happens when it has ended already."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def end_mark(mark: ProcessMark, grace: float, *, children: bool = False) -> None:
    """As ``end`` for a process that is not our child; ``children`` first notes its descendants."""
    process = mark.process()
    if process is None:
        return
    try:
        below = process.children(recursive=True) if children else []
    except psutil.NoSuchProcess:
        below = []
    _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while mark.is_alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    for left in [process, *below]:
        _signal(left, signal.SIGKILL)


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)  # psutil checks the start time before it sends
    except psutil.NoSuchProcess:
        pass


def bound_to_parent(argv: list[str], signal_name: str = "KILL") -> list[str]:
    """``argv`` that gets a signal when the thread that starts it is gone, even by kill -9.

    Linux with util-linux's setpriv; elsewhere ``argv`` as it is.
    """
    setpriv = which("setpriv") if os.name == "posix" else None
    return [setpriv, "--pdeathsig", signal_name, *argv] if setpriv else argv
