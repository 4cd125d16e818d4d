"""Large pages: what sleeps most of the time and must then answer at once keeps its memory in few.

On a virtual machine the first touch of a page that nobody has used for a while costs some 10 us: a
process that slept a second spends ten times its work on that (docs/adr/0012). A large page (2 MiB)
is five hundred small ones. Linux 6.1 and later put existing memory into large pages on request
(madvise(2), MADV_COLLAPSE); no right is needed. Elsewhere nothing changes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

LARGE = 2 << 20
_MADV_HUGEPAGE, _MADV_COLLAPSE = 14, 25
_MAPS = Path("/proc/self/maps")


def take_large_pages() -> int:
    """Put this process' own data into large pages, once all it needs is loaded (after a fork: in
    the child). How many it has now; 0 where the system has none to give."""
    try:
        madvise = ctypes.CDLL(None, use_errno=True).madvise
        lines = _MAPS.read_text("ascii", "replace").splitlines()
    except (OSError, AttributeError):  # not Linux
        return 0
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    taken = 0
    for start, end in _data(lines):
        madvise(start, end - start, _MADV_HUGEPAGE)  # what comes later as well
        taken += sum(madvise(at, LARGE, _MADV_COLLAPSE) == 0 for at in range(start, end, LARGE))
    return taken


def _data(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Whole large pages (from, until) within private data that no file stands behind."""
    for line in lines:
        place, rights, _, _, inode, *name = line.split(None, 5)
        if rights != "rw-p" or inode != "0" or (name and name[0].strip() != "[heap]"):
            continue
        start, end = (int(one, 16) for one in place.split("-"))
        start, end = -(-start // LARGE) * LARGE, end // LARGE * LARGE
        if start < end:
            yield start, end
