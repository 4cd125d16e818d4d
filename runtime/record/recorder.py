"""Recorder: the day's raw frames as they came, one file a section and day.

``take`` is called by the feed's thread with what one read brought and costs it one append; a thread
of its own makes lines of it, compresses and writes. Trouble with the disk never reaches the feed:
what cannot be written is counted and gone.

A line is ``SECONDS FRAME``: unix time of receipt, and the frame's bytes. Trade frames are written
as they came, encrypted frames too, still encrypted: their keys come in control messages, and these
are never written, nor are approval keys or notices that came unencrypted (P13).
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from kis.frames import TRADE_PREFIX
from runtime.record.chunks import ChunkFile
from trading.clock import KST
from trading.errors import StockdError

log = structlog.get_logger(__name__)

NAME = re.compile(r"frames-(\d{8})-s(\d+)\.zst")
WAITING_MAX = 200_000  # frames: some 90 MB, ten seconds of the heaviest market
FLUSH_BYTES = 1 << 20
FLUSH_S = 2.0  # a kill costs at most this much of the recording
TURN_S = 0.1
LOOK_S = 1.0
MIN_FREE = 1 << 30  # bytes; MariaDB and the logs need the rest of the disk more


def file_name(day: str, section: int) -> str:
    """``frames-20261123-s1.zst``; ``day`` is YYYYMMDD."""
    return f"frames-{day}-s{section}.zst"


def lines_of(at: float, messages: Sequence[Any]) -> tuple[list[bytes], int]:
    """(lines, how many frames could not become one) of what was received at ``at`` (unix s)."""
    stamp = b"%.6f " % at
    lines = [
        stamp + one + b"\n"
        for one in messages
        if one.__class__ is bytes and (one[:11] == TRADE_PREFIX or one[:2] == b"1|")
    ]
    if sum(map(_ends, lines)) == len(lines):
        return lines, 0
    good = [line for line in lines if _ends(line) == 1]
    return good, len(lines) - len(good)


def _ends(line: bytes) -> int:
    return line.count(b"\n") + line.count(b"\r")


class _Open:
    """The file of one section and day, and what is not in it yet."""

    def __init__(self, path: Path, day: int) -> None:
        self.file = ChunkFile(path)
        self.day = day
        self.lines: list[bytes] = []
        self.bytes = 0
        self.since = 0.0  # monotonic, of the oldest line

    def flush(self) -> None:
        lines, self.lines, self.bytes = self.lines, [], 0
        if lines:
            self.file.append(b"".join(lines))


class Recorder:
    """``is_on`` is asked once a second. Counts: ``frames`` written, ``dropped`` not written."""

    def __init__(
        self,
        directory: Path,
        is_on: Callable[[], bool],
        *,
        keep_days: int = 0,
        now: Callable[[], float] = time.time,
        min_free: int = MIN_FREE,
    ) -> None:
        self.directory = directory
        self.frames = 0
        self.dropped = 0
        self.on = False
        self.trouble = ""  # why nothing is written although it should be
        self._is_on = is_on
        self._keep_days = keep_days
        self._now = now
        self._min_free = min_free
        self._queue: deque[tuple[int, float, Sequence[Any]]] = deque()
        self._put = self._got = 0  # frames, each counted by one thread alone
        self._files: dict[int, _Open] = {}
        self._next_look = 0.0
        self._told = 0  # of ``dropped``
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="market-recorder", daemon=True)

    # -- the feed's side --------------------------------------------------------------------

    def take(self, section: int, messages: Sequence[Any]) -> None:
        """What one read of a section brought; the list must not change afterwards."""
        if not self.on:
            return
        if self._put - self._got > WAITING_MAX:
            self.dropped += len(messages)
            return
        self._put += len(messages)
        self._queue.append((section, self._now(), messages))

    def start(self) -> None:
        """Begin."""
        self._look()
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Write what is waiting and close the files, within ``timeout`` s."""
        self._ended.set()
        self._thread.join(timeout)

    # -- its own thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended.wait(TURN_S):
            self._turn()
        self._turn()
        self._close_all()

    def _turn(self) -> None:
        clock = time.monotonic()
        if clock >= self._next_look:
            self._next_look = clock + LOOK_S
            self._look()
        while self._queue:
            section, at, messages = self._queue.popleft()
            self._got += len(messages)
            lines, odd = lines_of(at, messages)
            self.dropped += odd
            if lines:
                self._write(section, at, lines, clock)
        for section, one in list(self._files.items()):
            if one.lines and clock - one.since >= FLUSH_S:
                self._safely(section, one.flush, len(one.lines))
        if not self.on and self._files:
            self._close_all()

    def _look(self) -> None:
        wanted = self._is_on()
        trouble = self._disk_trouble() if wanted else ""
        if trouble and trouble != self.trouble:
            log.error("기록 중단", reason=trouble)
        self.trouble = trouble
        if self.dropped > self._told:
            log.error("기록하지 못한 전문", frames=self.dropped - self._told)
            self._told = self.dropped
        now_on = wanted and not trouble
        if now_on != self.on:
            log.info("전문 기록 시작" if now_on else "전문 기록 끝", directory=str(self.directory))
            if now_on:
                self._forget_old()
        self.on = now_on

    def _disk_trouble(self) -> str:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            free = shutil.disk_usage(self.directory).free
        except OSError as error:
            return str(error)
        return f"디스크 여유 {free >> 20} MB" if free < self._min_free else ""

    def _write(self, section: int, at: float, lines: list[bytes], clock: float) -> None:
        day = int(at + 32_400) // 86_400  # KST
        one = self._files.get(section)
        if one is None or one.day != day:
            if one is not None:
                self._close(section, one)
            one = self._opened(section, at, day)
            if one is None:
                self.dropped += len(lines)
                return
        if not one.lines:
            one.since = clock
        one.lines += lines
        one.bytes += sum(map(len, lines))
        self.frames += len(lines)
        if one.bytes >= FLUSH_BYTES:
            self._safely(section, one.flush, len(one.lines))

    def _opened(self, section: int, at: float, day: int) -> _Open | None:
        name = file_name(datetime.fromtimestamp(at, KST).strftime("%Y%m%d"), section)
        found: list[_Open] = []
        self._safely(section, lambda: found.append(_Open(self.directory / name, day)), 0)
        if not found:
            return None
        self._files[section] = found[0]
        self._forget_old()
        return found[0]

    def _safely(self, section: int, act: Callable[[], object], frames: int) -> None:
        """Do it; a disk that refuses costs these frames, and the file is opened anew."""
        try:
            act()
        except (OSError, StockdError) as error:
            self.frames -= frames
            self.dropped += frames
            if str(error) != self.trouble:
                log.error("전문을 기록하지 못함", section=section, error=str(error))
            self.trouble = str(error)
            gone = self._files.pop(section, None)
            if gone is not None:
                gone.file.close()

    def _close(self, section: int, one: _Open) -> None:
        self._safely(section, one.flush, len(one.lines))
        if self._files.pop(section, None) is not None:
            one.file.close()

    def _close_all(self) -> None:
        for section, one in list(self._files.items()):
            self._close(section, one)

    def _forget_old(self) -> None:
        if not self._keep_days:
            return
        last = datetime.fromtimestamp(self._now(), KST) - timedelta(days=self._keep_days)
        for path in recordings(self.directory):
            if day_of(path) < last.strftime("%Y%m%d"):
                path.unlink(missing_ok=True)


def recordings(directory: Path) -> list[Path]:
    """The recordings there, oldest day first."""
    if not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if NAME.fullmatch(path.name))


def day_of(path: Path) -> str:
    """YYYYMMDD of a recording's name."""
    found = NAME.fullmatch(path.name)
    return found[1] if found else ""
