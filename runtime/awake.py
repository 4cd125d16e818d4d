"""Awake: in market hours the processors of this machine wait instead of sleeping, if so wished.

A processor that sleeps between two ticks answers late; on a virtual machine it comes back with cold
memory, and the way of a strike takes far longer (docs/performance.md). Linux has a word for it: who
holds /dev/cpu_dma_latency open at 0 us keeps every processor from sleeping (PM QoS,
Documentation/power/pm_qos_interface). It costs electricity, and wants the right to open the device.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

DEVICE = Path("/dev/cpu_dma_latency")
LOOK_EVERY = timedelta(seconds=30)


class Awake:
    """Holds the device while ``wanted(now)``; ``look`` as often as one likes. Never raises."""

    def __init__(self, wanted: Callable[[datetime], bool], device: Path = DEVICE) -> None:
        self._wanted = wanted
        self._device = device
        self._held: int | None = None
        self._next: datetime | None = None
        self._told = False

    @property
    def held(self) -> bool:
        return self._held is not None

    def look(self, now: datetime) -> None:
        """Take or give back as the hour wants it; a clock that was set back is looked at anew."""
        if self._next is not None and self._next - LOOK_EVERY <= now < self._next:
            return
        self._next = now + LOOK_EVERY
        if self._wanted(now):
            self._take()
        else:
            self.give_back()

    def give_back(self) -> None:
        """The processors may sleep again."""
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def _take(self) -> None:
        if self._held is not None:
            return
        try:
            held = os.open(self._device, os.O_WRONLY)
        except OSError as error:
            self._say_once(error)
            return
        try:
            os.write(held, struct.pack("=i", 0))
        except OSError as error:
            os.close(held)
            self._say_once(error)
            return
        self._held = held
        log.info("장중에는 프로세서를 재우지 않습니다")

    def _say_once(self, error: OSError) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "프로세서를 깨워 둘 수 없습니다", device=str(self._device), why=error.strerror
            )
