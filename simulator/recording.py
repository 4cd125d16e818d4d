"""Recorded frames out of files: plain, .gz, .zst, or a journal's frames.jsonl."""

import gzip
import heapq
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

TRADES = b"0|H0STCNT0|"
Frame = tuple[float | None, bytes]


def read_frames(path: Path) -> Iterator[Frame]:
    """(time in seconds or None, trade frame) of each line: a bare frame, "SECONDS FRAME", or a line
    of frames.jsonl. Lines that hold no trade frame, and a last line cut off, are passed over."""
    with _open(path) as file:
        for raw in file:
            if raw[:11] == TRADES:
                yield None, raw.rstrip(b"\r\n")
                continue
            if raw[:1] == b"{":
                logged = json.loads(raw)
                if logged["frame"].startswith("0|H0STCNT0|"):
                    yield logged["mono"], logged["frame"].encode()
                continue
            stamp, _, frame = raw.partition(b" ")
            if frame[:11] != TRADES or frame[-1:] != b"\n":
                continue
            try:
                yield float(stamp), frame[:-1]
            except ValueError:
                continue


def read_all(paths: Sequence[Path]) -> Iterator[Frame]:
    """Frames of several files (one a section) in the order of their times."""
    if len(paths) == 1:
        return read_frames(paths[0])
    return heapq.merge(*map(read_frames, paths), key=lambda one: one[0] or 0.0)


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if path.suffix == ".zst":
        import zstandard  # noqa: PLC0415  only recordings need it

        plain = zstandard.ZstdDecompressor().stream_reader(
            path.open("rb"), read_size=1 << 20, read_across_frames=True, closefd=True
        )
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, plain), 1 << 20))
    return path.open("rb")
