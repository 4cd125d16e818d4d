"""Short turns: what answers at once asks the kernel for them, so that it waits less behind others.

Linux 6.12 and later let a process name the length of its turns (EEVDF; sched_setattr(2),
``sched_runtime`` of an ordinary task). Who asks for a shorter turn is let in sooner when it wakes,
and gets no more of the processor for it; no right is needed. Elsewhere nothing changes.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

TURN_US = 100  # the kernel's shortest; its own measure is 700 us and more
# struct sched_attr: size, policy, flags, nice, priority, runtime, deadline, period
_ATTR = struct.Struct("=IIQiIQQQ")
_CALLS = {"x86_64": (314, 315), "aarch64": (274, 275)}  # sched_setattr, sched_getattr
_KEEP_POLICY = 0x08  # whoever started us as SCHED_BATCH or SCHED_IDLE meant it


def take_short_turns(turn_us: int = TURN_US) -> bool:
    """Ask for turns of ``turn_us`` for this thread and all it starts. Whether they are granted."""
    numbers = _CALLS.get(platform.machine())
    if numbers is None:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    wish = _ATTR.pack(_ATTR.size, 0, _KEEP_POLICY, nice, 0, turn_us * 1000, 0, 0)
    if _syscall(numbers[0], 0, wish, 0) != 0:
        return False
    return turn_length_us() == turn_us


def turn_length_us() -> int:
    """Length of this thread's turns in microseconds; 0 where the kernel does not tell."""
    numbers = _CALLS.get(platform.machine())
    if numbers is None:
        return 0
    told = ctypes.create_string_buffer(_ATTR.size)
    if _syscall(numbers[1], 0, told, _ATTR.size, 0) != 0:
        return 0
    return int(_ATTR.unpack(told.raw)[5]) // 1000


def _syscall(number: int, *arguments: object) -> int:
    try:
        return int(ctypes.CDLL(None, use_errno=True).syscall(number, *arguments))
    except (OSError, AttributeError):  # no such C library: not Linux
        return -1
