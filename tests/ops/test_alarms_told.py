"""The watchdog on real tables and Redis, with the real apprise, told to a real web server."""

from __future__ import annotations

import threading
import time
import urllib.request
from datetime import datetime, timedelta
from typing import Any

import pytest

from db.alarms import alarms_since
from runtime import wiring
from runtime.alarms import reports
from runtime.alarms.aside import Aside
from runtime.alarms.book import Book
from runtime.alarms.judge import Trouble
from runtime.alarms.pulse import BEAT
from runtime.alarms.send import Sender
from runtime.loop import kst_now
from runtime.metrics import Exporter
from runtime.servers import free_port
from trading.clock import KST
from trading.errors import ConfigError, Unavailable
from trading.hours import TradingDay
from workers.watchdog import Watchdog

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=KST)


class Parts:
    """Every part's signs in the tables and in Redis; one that is stopped leaves none."""

    def __init__(self, rig: Any) -> None:
        self.rig, self.stopped = rig, ""
        rig.run("INSERT INTO market (symbol, section, seq, price, received_at)"
                " VALUES ('005930', 1, 1, 70000, NOW(6))")  # fmt: skip
        rig.run(
            "INSERT INTO asset_balance (account, deposit, deposit_d1, deposit_d2, orderable_cash,"
            " securities_value, total_value, net_assets, cost, profit, bought_today, sold_today,"
            " fees_today, snapshot_no, received_at)"
            " VALUES ('a', 0, 0, 0, 0, 0, 5000000, 0, 0, 0, 0, 0, 0, 1, NOW(6))"
        )
        rig.run("INSERT INTO daemon VALUES ('trader', 'h', 1, NOW(6), NOW(6), 'RUNNING', '{}')")
        rig.run("INSERT INTO lease VALUES ('orders', 'w', 1, NOW(6) + INTERVAL 5 SECOND)")

    def live(self) -> None:
        for part, statement in (
            ("tick", "UPDATE market SET received_at = NOW(6)"),
            ("trader", "UPDATE daemon SET progress_at = NOW(6) WHERE name = 'trader'"),
            ("orders", "UPDATE lease SET expires_at = NOW(6) + INTERVAL 5 SECOND"),
        ):
            if part != self.stopped:
                self.rig.run(statement)
        if self.stopped not in ("asset", "queue:assets"):
            self.rig.run("UPDATE asset_balance SET received_at = NOW(6)")
        if self.stopped != "beat":
            self.rig.redis().set(BEAT, time.time())


def told(receiver: Any) -> list[str]:
    return [one["title"] for one in receiver.got]


def test_stop_each_part_and_a_person_hears_of_it_alone_then_that_it_is_over(
    rig: Any, receiver: Any
) -> None:
    later = f"{kst_now() + timedelta(hours=12):%H:%M}"  # no report in between
    rig.settings(
        ALARM__URLS=receiver.url, ALARM__SILENCE_S="6", ALARM__PING_URL=receiver.ping_url,
        MARKET__HOURS="always", ALARM__MORNING=later, ALARM__EVENING=later,
    )  # fmt: skip
    parts, watchdog = Parts(rig), Watchdog()
    try:
        for part in ("tick", "beat", "queue:assets", "scheduler"):
            receiver.got.clear()
            parts.stopped = part
            if part == "queue:assets":
                rig.redis(0).lpush("assets", "nobody takes it")
            if part == "scheduler":
                rig.run("SET GLOBAL event_scheduler = OFF")
            began = time.monotonic()
            while not receiver.got and time.monotonic() - began < 30:
                parts.live()
                watchdog.look(kst_now())
                time.sleep(0.3)
            assert told(receiver) == [f"[stockd 경보] {part}"]
            assert "docs/runbook.md#" in receiver.got[0]["message"]
            parts.stopped = ""
            rig.redis(0).delete("assets")
            rig.run("SET GLOBAL event_scheduler = ON")
            while len(receiver.got) < 2 and time.monotonic() - began < 60:
                parts.live()
                watchdog.look(kst_now())
                time.sleep(0.3)
            assert told(receiver)[1:] == [f"[stockd 회복] {part}"]
        assert receiver.pings == ["/ping"]  # once in ping_every_s
    finally:
        rig.run("SET GLOBAL event_scheduler = ON")
        watchdog.close()
    rows = alarms_since(wiring.engine("watchdog"), kst_now() - timedelta(minutes=5))
    assert [one.what for one in rows] == ["RAISED", "RECOVERED"] * 4
    assert all(one.sent_at is not None for one in rows)


def _book(receiver_url: str, level: str = "warning") -> Book:
    sender = Sender([receiver_url] if receiver_url else [])
    return Book(wiring.engine("watchdog"), sender, level=level, repeat_s=600, host="test")


def test_one_message_a_fault_again_after_the_pause_and_a_restart_repeats_nothing(
    rig: Any, receiver: Any
) -> None:
    beat = Trouble("beat", "CRITICAL", "beat 가 30초째 깨우지 않습니다")
    book = _book(receiver.url)
    for second in range(0, 599, 2):
        book.take([beat], NOW + timedelta(seconds=second))
    book.flush()
    assert told(receiver) == ["[stockd 경보] beat"]
    book.take([beat], NOW + timedelta(seconds=600))
    book.close()
    assert told(receiver)[1:] == ["[stockd 경보] beat (계속)"]
    after = _book(receiver.url)
    after.take([beat], NOW + timedelta(seconds=602))
    after.take([], NOW + timedelta(seconds=604))  # one look without it is not the end
    after.take([beat], NOW + timedelta(seconds=606))
    for second in (608, 610):
        after.take([], NOW + timedelta(seconds=second))
    after.close()
    assert told(receiver)[2:] == ["[stockd 회복] beat"]


def test_a_record_that_grew_is_told_once_and_no_reminder_follows(rig: Any, receiver: Any) -> None:
    grown = Trouble("fields:48", "WARNING", "48칸")
    book = _book(receiver.url)
    for minute in range(0, 600, 5):
        book.take([grown], NOW + timedelta(minutes=minute))
        book.flush()
    book.close()
    after = _book(receiver.url)
    after.take([grown], NOW + timedelta(minutes=601))
    after.close()
    assert told(receiver) == ["[stockd 주의] fields:48"]


def test_a_level_below_the_settings_is_written_and_not_sent(rig: Any, receiver: Any) -> None:
    book = _book(receiver.url, level="critical")
    book.take([Trouble("drift", "WARNING", "모양이 다름")], NOW)
    book.close()
    assert told(receiver) == []
    assert [one.what for one in alarms_since(wiring.engine("watchdog"), NOW)] == ["RAISED"]


def test_an_alarm_leaves_while_mariadb_is_away_and_its_row_follows(rig: Any, receiver: Any) -> None:
    book = _book(receiver.url)
    book.take([], NOW)
    right = wiring.engine("watchdog")
    rig.settings(MARIADB__SOCKET=str(rig.tmp / "nobody.sock"))
    book._engine = wiring.engine("watchdog")
    book.take([Trouble("mariadb", "CRITICAL", "MariaDB 가 없습니다")], NOW)
    book.flush()
    assert told(receiver) == ["[stockd 경보] mariadb"]
    book._engine = right
    book.take([Trouble("mariadb", "CRITICAL", "MariaDB 가 없습니다")], NOW)
    book.close()
    assert [one.fault for one in alarms_since(right, NOW)] == ["mariadb"]


def test_morning_says_go_or_no_go_once_and_evening_the_days_figures(
    rig: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.settings(ALARM__URLS=receiver.url)
    Parts(rig)
    watchdog = Watchdog()
    now = kst_now()
    made = reports.Reports(
        wiring.engine("watchdog"), watchdog.book, watchdog.calendar, *[f"{now:%H:%M}"] * 2
    )
    monkeypatch.setattr(type(watchdog.calendar), "day", lambda _, day: TradingDay(day))
    rig.run("INSERT INTO stockd_halt (action, reason, actor, source, at)"
            " VALUES ('HALT', '훈련', 't', 'CLI', NOW(6))")  # fmt: skip
    for _ in range(3):
        made.look(now)
    watchdog.close()
    assert told(receiver) == [
        "[stockd 아침] 문제 1개: 열지 마십시오",
        f"[stockd 저녁] {now:%m-%d} 마감",
    ]
    assert "stockd resume" in receiver.got[0]["message"]
    assert "총평가 5,000,000원" in receiver.got[1]["message"]


def test_a_silence_that_begins_during_the_mornings_long_check_is_told_in_time(
    rig: Any, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = kst_now()
    later = f"{now + timedelta(hours=12):%H:%M}"
    rig.settings(
        ALARM__URLS=receiver.url, ALARM__SILENCE_S="5", MARKET__HOURS="always",
        ALARM__MORNING=f"{now:%H:%M}", ALARM__EVENING=later,
    )  # fmt: skip
    parts, watchdog = Parts(rig), Watchdog()
    monkeypatch.setattr(type(watchdog.calendar), "day", lambda _, day: TradingDay(day))
    began, go_on = threading.Event(), threading.Event()

    def long_check() -> list[Any]:
        began.set()
        assert go_on.wait(60)
        return []

    monkeypatch.setattr(reports, "examine_apart", long_check)
    try:
        while not receiver.got:
            parts.live()
            watchdog.look(kst_now())
            parts.stopped = "tick" if began.is_set() else ""
            assert kst_now() < now + timedelta(seconds=60)
            time.sleep(0.3)
        assert told(receiver) == ["[stockd 경보] tick"]
    finally:
        go_on.set()
        watchdog.close()
    assert told(receiver)[1:] == ["[stockd 아침] 준비됨"]


def test_what_a_report_raises_is_logged_and_the_next_one_is_made() -> None:
    aside, made = Aside("t"), threading.Event()

    def broken() -> None:
        raise Unavailable("MariaDB is gone")

    assert aside.begin(broken)
    while not made.is_set():
        aside.begin(made.set)
        time.sleep(0.01)
    aside.close()


def test_while_a_server_is_away_nothing_else_is_called_over(rig: Any, receiver: Any) -> None:
    book = _book(receiver.url)
    tick = Trouble("tick", "CRITICAL", "체결이 21초째 들어오지 않습니다")
    redis = Trouble("redis", "CRITICAL", "Redis 가 없습니다")
    book.take([tick], NOW)
    for second in range(2, 10, 2):
        book.take([redis], NOW + timedelta(seconds=second), blind=True)
    book.take([tick], NOW + timedelta(seconds=10))
    book.take([tick], NOW + timedelta(seconds=12))
    book.close()
    assert told(receiver) == [
        "[stockd 경보] tick",
        "[stockd 경보] redis",
        "[stockd 회복] redis",
    ]


def test_an_address_nobody_knows_is_named_by_its_number_and_not_shown() -> None:
    with pytest.raises(ConfigError) as wrong:
        Sender(["json://127.0.0.1/x", "nonsense://secret-token"])
    assert "alarm.urls.1" in str(wrong.value)
    assert "secret-token" not in str(wrong.value)


def test_prometheus_reads_what_the_watchdog_saw(rig: Any) -> None:
    port = free_port()
    rig.settings(METRICS__PORT=str(port), MARKET__HOURS="always")
    parts, watchdog = Parts(rig), Watchdog()
    parts.live()
    rig.run("INSERT INTO daemon VALUES ('market', 'h', 1, NOW(6), NOW(6), 'RUNNING',"
            " '{\"ticks\": 1234, \"connects_left\": 3}')")  # fmt: skip
    watchdog.look(kst_now())
    with Exporter(watchdog), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
        lines = reply.read().decode().splitlines()
    watchdog.close()
    seen = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line[0] != "#"}
    assert seen['stockd_ticks_total{daemon="market"}'] == 1234
    assert seen['stockd_lane_limit{lane="assets",section="section-1"}'] == 4
    assert seen['stockd_section_connects_left{section="section-1"}'] == 4
    assert seen["stockd_event_scheduler"] == 1
    assert seen["stockd_order_worker"] == 1
    assert seen["stockd_tick_age_seconds"] < 5
    assert not [name for name in seen if name.startswith("stockd_alarm{")]
