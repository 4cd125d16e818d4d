"""What must answer at once keeps its data in large pages, where the system has some to give."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runtime import large_pages
from runtime.large_pages import LARGE, take_large_pages


def test_only_whole_large_pages_of_private_data_are_asked_for() -> None:
    lines = [
        "00400000-00c00000 r-xp 00000000 fe:00 26                                 /usr/bin/python3",
        "00c00000-01400000 rw-p 00800000 fe:00 26                                 /usr/bin/python3",
        "01000000-01500000 rw-p 00000000 00:00 0                                  [heap]",
        "7f0000100000-7f0000700000 rw-p 00000000 00:00 0 ",
        "7f0001000000-7f0001100000 rw-p 00000000 00:00 0 ",
        "7f0002000000-7f0003000000 rw-s 00000000 00:01 7                          /dev/shm/x",
        "7f0004000000-7f0005000000 r--p 00000000 00:00 0 ",
        "7ffc00000000-7ffc01000000 rw-p 00000000 00:00 0                          [stack]",
    ]
    assert list(large_pages._data(lines)) == [
        (0x1000000, 0x1400000),
        (0x7F0000200000, 0x7F0000600000),
    ]


def test_a_process_with_data_gets_large_pages_or_says_it_has_none() -> None:
    told = _run(
        "data = [{'n': n} for n in range(200_000)]\n"
        "from runtime.large_pages import take_large_pages\n"
        "taken = take_large_pages()\n"
        "huge = sum(int(line.split()[1]) for line in open('/proc/self/smaps')"
        " if line.startswith('AnonHugePages'))\n"
        "print(taken, huge, sum(one['n'] for one in data))\n"
    )
    taken, huge, total = map(int, told.split())
    assert total == 199_999 * 100_000  # nothing that was there has changed
    if taken == 0:
        pytest.skip("this kernel gives no large pages on request")
    assert huge * 1024 >= taken * LARGE


def test_elsewhere_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_pages, "_MAPS", type(large_pages._MAPS)("/nowhere/maps"))
    assert take_large_pages() == 0


def _run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
