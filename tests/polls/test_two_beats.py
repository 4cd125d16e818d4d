"""A second beat by mistake and a beat that is killed: the account is still polled once a turn."""

from __future__ import annotations

import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import select

from db.tables import asset_balance


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_two_beats_and_a_killed_one_poll_the_account_once_a_turn(  # type: ignore[no-untyped-def]
    broker, tables, desk, tmp_path: Path
) -> None:
    sim = broker(ledger_per_s=0)
    here = desk(sim)
    worker = ("worker", "-Q", "assets", "-P", "threads", "-c", "2", "--without-gossip")
    here.celery(*worker, "--without-mingle", "-n", "assets@test")
    beats = [here.celery("beat", "-s", str(tmp_path / f"beat-{number}")) for number in (1, 2)]
    here.wait_for_polls(1)
    beats[0].send_signal(signal.SIGKILL)
    here.celery("beat", "-s", str(tmp_path / "beat-1"))
    here.wait_for_polls(3)
    time.sleep(2)  # a double would follow at once
    here.end()
    polls = here.polls()
    gaps = [b - a for a, b in pairwise(polls)]
    print(gaps, here.words()[-2000:])
    assert len(polls) >= 3
    assert all(gap > 4.0 for gap in gaps), "never two of one turn"
    with tables.engine("reader").connect() as connection:
        assert connection.execute(select(asset_balance.c.received_at)).all()
    text = here.words()
    for one in sim.customers:
        for secret in (one.app_key, one.app_secret, one.account):
            assert secret not in text
