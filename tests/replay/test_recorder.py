"""The recorder: what came is on disk line by line, no key is, and a kill costs the last seconds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
import zstandard

from runtime.record.chunks import ChunkFile, read_chunks
from runtime.record.recorder import Recorder, file_name, recordings
from runtime.record.scan import scan
from runtime.record.switch import Switch
from simulator.recording import read_all, read_frames
from trading.clock import KST
from trading.errors import BadInput, Unavailable

TRADE = (
    b"0|H0STCNT0|001|005930^093000^71500^2^400^0.56^71000^71100^71600^70900^71600^71500^10^1000"
    b"^71000000^1^1^0^100^1^1^1^0.5^1^090000^2^400^090000^2^400^090000^2^400^20260320^20^N^1^1^1^1"
    b"^0.1^1^1^0^^71500^2"
)
SEALED = b"1|H0STCNI0|001|" + b"QUJD" * 16
ACK = b'{"header":{"tr_id":"H0STCNI0"},"body":{"output":{"iv":"0123456789abcdef","key":"SECRET"}}}'
OPEN_NOTICE = b"0|H0STCNI9|001|stockd1^1234567801^0000000001^^02^0"


def at(clock: str) -> float:
    return datetime.fromisoformat(f"2026-03-20 {clock}").replace(tzinfo=KST).timestamp()


def recorder_of(directory: Path, now: float) -> Recorder:
    return Recorder(directory, lambda: True, now=lambda: now, min_free=0)


def lines(path: Path) -> list[bytes]:
    return b"".join(read_chunks(path)).splitlines()


def test_frames_are_written_as_they_came_and_keys_are_not(tmp_path: Path) -> None:
    one = recorder_of(tmp_path, at("09:30:00.125"))
    one.start()
    broken = TRADE[:-1] + b"\xff"
    one.take(1, [ACK, TRADE, OPEN_NOTICE, SEALED, broken])
    one.take(2, [TRADE])
    one.stop(5)
    assert [path.name for path in recordings(tmp_path)] == [
        "frames-20260320-s1.zst",
        "frames-20260320-s2.zst",
    ]
    stamp = b"%.6f " % at("09:30:00.125")
    first = lines(tmp_path / file_name("20260320", 1))
    assert first == [stamp + TRADE, stamp + SEALED, stamp + broken]
    written = b"".join(path.read_bytes() for path in recordings(tmp_path))
    assert (one.frames, one.dropped) == (4, 0)
    for secret in (b"SECRET", b"0123456789abcdef", b"12345678"):
        assert secret not in b"".join(first) + written
    assert all(path.stat().st_mode & 0o077 == 0 for path in recordings(tmp_path))


def test_any_zstd_and_the_simulator_read_it(tmp_path: Path) -> None:
    one = recorder_of(tmp_path, at("09:30:00"))
    one.start()
    one.take(1, [TRADE, SEALED])
    one.stop(5)
    path = tmp_path / file_name("20260320", 1)
    with path.open("rb") as raw:
        plain = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True).read()
    assert plain == b"".join(read_chunks(path))
    assert list(read_frames(path)) == [(at("09:30:00"), TRADE)]


def test_midnight_begins_a_new_file(tmp_path: Path) -> None:
    now = [at("23:59:59.9")]
    one = Recorder(tmp_path, lambda: True, now=lambda: now[0], min_free=0)
    one.start()
    one.take(1, [TRADE])
    now[0] += 0.2
    one.take(1, [TRADE])
    one.stop(5)
    names = [path.name for path in recordings(tmp_path)]
    assert names == ["frames-20260320-s1.zst", "frames-20260321-s1.zst"]


def test_what_a_kill_left_behind_is_cut_off_and_the_day_goes_on(tmp_path: Path) -> None:
    path = tmp_path / file_name("20260320", 1)
    file = ChunkFile(path)
    file.append(b"1.0 " + TRADE + b"\n")
    whole = file.size
    file.append(b"2.0 " + TRADE + b"\n")
    file.close()
    for cut in range(whole + 1, path.stat().st_size):
        torn = tmp_path / "torn.zst"
        torn.write_bytes(path.read_bytes()[:cut])
        assert [when for when, _ in read_frames(torn)] in ([1.0], [1.0, 2.0])  # whole lines only
        again = ChunkFile(torn)
        again.append(b"3.0 " + TRADE + b"\n")
        again.close()
        assert [when for when, _ in read_frames(torn)] == [1.0, 3.0]
        assert scan([torn]).records == 2


def test_a_killed_recorder_leaves_all_but_the_last_seconds(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from runtime.record.recorder import Recorder
one = Recorder(Path({str(tmp_path)!r}), lambda: True, min_free=0)
one.start()
for number in range(100_000):
    one.take(1, [{TRADE!r}] * 10)
    print(number, flush=True)
    time.sleep(0.002)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        ends = time.monotonic() + 60
        while not any(path.stat().st_size for path in recordings(tmp_path)):
            process.stdout.readline()
            assert time.monotonic() < ends
        os.kill(process.pid, signal.SIGKILL)
    (path,) = recordings(tmp_path)
    found = list(read_frames(path))
    assert len(found) >= 10
    assert {frame for _, frame in found} == {TRADE}
    again = ChunkFile(path)  # its lock went with it
    again.close()


def test_two_processes_never_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "frames-20260320-s1.zst"
    first = ChunkFile(path)
    with pytest.raises(Unavailable, match="another process"):
        ChunkFile(path)
    first.close()
    strange = tmp_path / "frames-20260321-s1.zst"
    strange.write_bytes(b"somebody's own file, longer than a head")
    with pytest.raises(BadInput, match="no recording"):
        ChunkFile(strange)
    assert strange.read_bytes().startswith(b"somebody's own")


def test_a_disk_without_room_costs_the_recording_not_the_feed(tmp_path: Path) -> None:
    one = Recorder(tmp_path, lambda: True, min_free=1 << 62)
    one.start()
    one.take(1, [TRADE])
    one.stop(5)
    assert (one.on, one.frames, recordings(tmp_path)) == (False, 0, [])
    assert "여유" in one.trouble


def test_a_person_switches_and_old_days_go(tmp_path: Path) -> None:
    switch = Switch(tmp_path / "record", otherwise=False)
    assert not switch.is_on()
    switch.turn(True)
    assert switch.is_on()
    switch.turn(False)
    assert not Switch(tmp_path / "record", otherwise=True).is_on()
    (tmp_path / "record").write_bytes(b"\xff\xfe")
    assert not switch.is_on()
    switch.turn(True)
    files = tmp_path / "files"
    files.mkdir()
    old, kept = files / file_name("20260301", 1), files / file_name("20260315", 1)
    other = files / "notes.txt"
    for path in (old, kept, other):
        path.write_bytes(b"")
    one = Recorder(files, switch.is_on, keep_days=10, now=lambda: at("09:00:00"), min_free=0)
    one.start()
    one.stop(5)
    assert not old.exists()
    assert kept.exists()
    assert other.exists()


def test_sections_are_played_in_the_order_of_their_times(tmp_path: Path) -> None:
    paths = []
    for number, times in ((1, (1.0, 4.0)), (2, (2.0, 3.0))):
        path = tmp_path / file_name("20260320", number)
        file = ChunkFile(path)
        file.append(b"".join(b"%.1f %s\n" % (when, TRADE) for when in times))
        file.close()
        paths.append(path)
    assert [when for when, _ in read_all(paths)] == [1.0, 2.0, 3.0, 4.0]


def test_frames_that_are_no_line_and_a_flood_are_counted_not_written(tmp_path: Path) -> None:
    one = recorder_of(tmp_path, at("09:30:00"))
    one.start()
    one.take(1, [TRADE + b"\n", TRADE, TRADE + b"\r\n"])
    one.stop(5)
    assert (one.frames, one.dropped) == (1, 2)
    flooded = recorder_of(tmp_path, at("09:30:00"))
    flooded.on = True  # its thread does not run: nothing is ever taken off
    for _ in range(30):
        flooded.take(1, [TRADE] * 10_000)
    assert flooded.dropped == 90_000
