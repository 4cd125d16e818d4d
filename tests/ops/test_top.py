"""`stockd top` on real tables and a real Redis: what it shows is what stands there."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli import main
from runtime import wiring
from runtime.commands.top import looker
from runtime.loop import kst_now

ROOT = Path(__file__).resolve().parents[2]
STRIKE = (
    "INSERT INTO strike (condition_id, arm_no, condition_rev, account, symbol, side, order_kind,"
    " venue, quantity, price, trigger_op, strike_price, tick_price, tick_seq, tick_received_at,"
    " fired_at, deadline, max_age_ms, assets, state, reason_code, reason, branch, filled,"
    " filled_amount, updated_at) VALUES (:c, 1, 1, 'section-1', '005930', 'BUY', 'LIMIT', 'KRX', 3,"
    " 70000, 'LE', 70000, 70000, 1, NOW(6), NOW(6) - INTERVAL 40 SECOND, NOW(6), 3000, '{}',"
    " :state, '', '', '', 0, 0, NOW(6) - INTERVAL :ago SECOND)"
)


def top(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["top", *options])
    return int(ended.value.code or 0), capsys.readouterr().out


def a_running_machine(rig: Any) -> None:
    rig.run("INSERT INTO market (symbol, section, seq, price, received_at)"
            " VALUES ('005930', 1, 1000, 70000, NOW(6)),"
            " ('000660', 2, 1000, 70000, NOW(6) - INTERVAL 90 SECOND)")  # fmt: skip
    rig.run("INSERT INTO feed_gap (section, from_at, reason)"
            " VALUES (2, NOW(6) - INTERVAL 80 SECOND, '끊김')")  # fmt: skip
    rig.run("INSERT INTO daemon VALUES ('market', 'h', 1, NOW(6), NOW(6), 'RUNNING',"
            " '{\"ticks_per_s\": 812.5, \"row_ms\": 3.1}'),"
            " ('assets', 'h', 1, NOW(6), NOW(6) - INTERVAL 4 SECOND, 'RUNNING', '{}')")  # fmt: skip
    rig.run("INSERT INTO lease VALUES ('orders', 'w', 1, NOW(6) + INTERVAL 60 SECOND)")
    for number, (state, ago) in enumerate(
        (("SENDING", 2), ("UNKNOWN", 31), ("FILLED", 5), ("REJECTED", 600)), 1
    ):
        rig.run(STRIKE, c=number, state=state, ago=ago)
    rig.redis(0).lpush("sweep", "one", "two")


def test_one_look_for_programs_says_what_stands_in_the_tables_and_in_redis(
    rig: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    a_running_machine(rig)
    permit = wiring.lanes().acquire("assets", 5)
    code, said = top(capsys, "--json")
    permit.done()
    assert code == 0
    seen = json.loads(said.splitlines()[-1])
    assert seen["away"] == {}
    assert seen["order_worker"] is True
    assert seen["lanes"]["section-1"]["lanes"]["assets"]["used"] == 1
    assert seen["connects"]["section-1"]["left"] == 4
    assert seen["queues"] == {"orders": 0, "confirm": 0, "assets": 0, "sweep": 2}
    assert seen["feed"]["market"] == {"ticks_per_s": 812.5, "row_ms": 3.1, "sections_up": None}
    first, second = seen["sections"]
    assert (first["stocks"], first["gap_s"], first["ticks_per_s"]) == (1, None, 0)
    assert second["gap_s"] >= 80
    assert second["gaps_today"] <= 1, "at midnight it began yesterday"
    open_ones = [one for one in seen["strikes"] if one["is_open"]]
    assert {one["state"] for one in open_ones} == {"SENDING", "UNKNOWN"}
    assert [one["state"] for one in seen["strikes"]][2:] == ["FILLED"], "what ended long ago is not"
    assert all(one["age_s"] >= 40 for one in seen["strikes"])
    assert seen["polls"]["assets"]["age_s"] >= 4


def test_rate_and_cadence_come_of_what_changed_between_two_looks(rig: Any) -> None:
    a_running_machine(rig)
    watch, began = looker(), kst_now()
    first = watch.look(began)
    assert first.per_s == {1: None, 2: None}
    rig.run("UPDATE market SET seq = seq + 500, received_at = NOW(6) WHERE section = 1")
    rig.run("UPDATE daemon SET progress_at = progress_at + INTERVAL 3 SECOND WHERE name = 'assets'")
    now = kst_now()
    second = watch.look(now)
    assert second.per_s[1] == pytest.approx(500 / (now - began).total_seconds(), rel=0.01)
    assert second.per_s[2] == 0
    assert second.polls["assets"].gap_s == pytest.approx(3, abs=1)
    rig.run("DELETE FROM market WHERE section = 2")
    rig.run("UPDATE market SET seq = 1")  # stocks taken off: the number goes back
    assert watch.look(kst_now()).per_s == {1: None}


def test_one_picture_for_people_and_an_error_code_when_a_server_is_away(
    rig: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    a_running_machine(rig)
    code, said = top(capsys, "--once")
    assert code == 0
    for words in ("section-1", "주문", "결과 불명", "전송 중", "812.5", "주문 워커 있음", "sweep"):
        assert words in said, said
    rig.settings(MARIADB__SOCKET=str(rig.tmp / "nobody.sock"))
    code, said = top(capsys, "--once")
    assert code == 1
    assert "MariaDB: 답이 없습니다" in said
    assert "자산" in said, "the lanes are in Redis and stay"
    rig.settings(REDIS__URL="redis://127.0.0.1:1")
    code, said = top(capsys, "--json")
    seen = json.loads(said.splitlines()[-1])
    assert (code, list(seen["away"]), seen["lanes"]) == (1, ["Redis"], {})
    assert seen["sections"], "the tables stay"


def test_on_a_terminal_it_goes_on_by_itself_until_ctrl_c(rig: Any) -> None:
    a_running_machine(rig)
    ours, theirs = pty.openpty()
    # who runs in the background ignores Ctrl-C, and so would whom he starts
    ignored = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "top"],
        cwd=ROOT, env=os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "50"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, ignored)
    os.close(theirs)
    shown, ends = b"", time.monotonic() + 60
    try:
        while shown.count("stockd ·".encode()) < 3 and time.monotonic() < ends:
            if select.select([ours], [], [], 0.5)[0]:
                shown += os.read(ours, 65536)
        assert shown.count("stockd ·".encode()) >= 3, shown[-2000:].decode("utf-8", "replace")
        process.send_signal(signal.SIGINT)
        ends = time.monotonic() + 60  # it is read on, or it could not say goodbye
        while process.poll() is None and time.monotonic() < ends:
            if select.select([ours], [], [], 0.2)[0]:
                try:
                    os.read(ours, 65536)
                except OSError:  # the terminal's other end is closed
                    break
        assert process.wait(30) == 130
    finally:
        process.kill()
        process.wait()
        os.close(ours)
