"""What the daemon records is what the simulator sent, frame by frame, while it writes `market`."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from runtime.record.chunks import read_chunks
from runtime.record.recorder import Recorder, recordings
from runtime.record.switch import Switch
from simulator.recording import read_frames
from simulator.testing import start_simulator


def test_a_recorded_feed_is_the_feed(feed_db, start_feed, until, tmp_path: Path) -> None:
    switch = Switch(tmp_path / "record", otherwise=False)
    recorder = Recorder(tmp_path / "frames", switch.is_on, min_free=0)
    with start_simulator("calm", sections=2, symbols=50, rate=1000.0, seed=7) as simulator:
        symbols = list(simulator.look("stocks"))
        simulator.control("fault", stop_ticks=True)
        with start_feed(simulator, symbols, recorder=recorder) as feed:
            until(lambda: sum(simulator.stats()["registrations"].values()) == 52)
            assert recordings(recorder.directory) == []
            sent_before = simulator.stats()["ticks_sent"]
            switch.turn(True)
            until(lambda: recorder.on, 10)
            simulator.control("fault", stop_ticks=False)
            until(lambda: simulator.stats()["ticks_sent"] > sent_before + 1500)
            simulator.control("fault", stop_ticks=True)
            until(lambda: feed.market.records == simulator.stats()["ticks_sent"])
            assert feed_db.one("SELECT COUNT(*) FROM market") > 0
        ticks = simulator.stats()["ticks_sent"] - sent_before
        sent = defaultdict(list)
        for line in simulator.lines("frames"):
            if line["frame"].startswith("0|H0STCNT0|"):
                sent[line["section"]].append(line["frame"].encode())
    files = recordings(recorder.directory)
    assert [path.name.rpartition("-")[2] for path in files] == ["s1.zst", "s2.zst"]
    for path, label in zip(files, ("simkey-1", "simkey-2"), strict=True):
        recorded = [frame for _, frame in read_frames(path)]
        assert recorded == sent[label][-len(recorded) :]
    recorded_ticks = sum(int(frame[11:14]) for path in files for _, frame in read_frames(path))
    assert recorded_ticks == ticks
    assert recorder.dropped == 0
    written = b"".join(b"".join(read_chunks(path)) for path in files)
    for one in simulator.customers:
        for secret in (one.app_key, one.app_secret, one.account[:8]):
            assert secret.encode() not in written
