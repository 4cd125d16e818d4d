"""`stockd doctor` finds each of the planted faults, and only it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cli import main
from db.halt import halt
from kis.auth import ACCESS
from runtime import orders, wiring
from runtime.doctor import own_checks
from runtime.doctor.apart import examine_apart
from runtime.doctor.checks import CHECKS, examine
from runtime.doctor.server_checks import CLOCK_OFF_S, offset_s
from runtime.servers import free_port
from trading.clock import KST

Plant = Callable[[Any, pytest.MonkeyPatch], AbstractContextManager[Any] | None]


def too_many_stocks(rig: Any, _: Any) -> None:
    rig.settings(WATCH__SYMBOLS=",".join(f"{n:06d}" for n in range(41)))


def no_hts_id(rig: Any, _: Any) -> None:
    rig.settings(KIS__HTS_ID="")


def cut_off_key(rig: Any, _: Any) -> None:
    rig.settings(KIS__SECTIONS__0__APP_SECRET="A" * 179)


def wrong_secret(rig: Any, _: Any) -> None:
    rig.settings(KIS__SECTIONS__0__APP_SECRET="A" * 180)


def ceiling_above_the_brokers(rig: Any, _: Any) -> None:
    rig.settings(KIS__CEILING="25")


def settings_file_for_all_to_read(rig: Any, _: Any) -> None:
    rig.file.chmod(0o644)


def other_celery(rig: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setitem(own_checks.PINS, "celery", "5.6.")


def disk_nearly_full(rig: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(own_checks, "DISK_FREE_GB", 1e9)


def calendar_ends(rig: Any, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(own_checks, "kst_now", lambda: datetime(2040, 1, 4, 9, tzinfo=KST))


def alarm_address_unknown(rig: Any, _: Any) -> None:
    rig.settings(ALARM__URLS="nonsense://token")


@contextmanager
def _global(rig: Any, name: str, value: str, before: str) -> Iterator[None]:
    rig.run(f"SET GLOBAL {name} = {value}")
    try:
        yield
    finally:
        rig.run(f"SET GLOBAL {name} = {before}")


def claims_may_be_lost(rig: Any, _: Any) -> AbstractContextManager[None]:
    return _global(rig, "innodb_flush_log_at_trx_commit", "2", "1")


def event_scheduler_off(rig: Any, _: Any) -> AbstractContextManager[None]:
    return _global(rig, "event_scheduler", "OFF", "ON")


@contextmanager
def event_silent(rig: Any, patch: pytest.MonkeyPatch) -> Iterator[None]:
    from db.history import EVENTS

    patch.setitem(EVENTS, "ev_bar_minute", -1)  # so that the young server's uptime is enough
    rig.run("ALTER EVENT ev_bar_minute DISABLE")
    rig.run("UPDATE event_run SET ended_at = NOW(6) - INTERVAL 1 HOUR WHERE name = 'ev_bar_minute'")
    try:
        yield
    finally:
        rig.run("ALTER EVENT ev_bar_minute ENABLE")


@contextmanager
def schema_of_another_version(rig: Any, _: Any) -> Iterator[None]:
    before = rig.rows("SELECT checksum FROM schema_version WHERE version = 3")[0].checksum
    rig.run("UPDATE schema_version SET checksum = REPEAT('f', 64) WHERE version = 3")
    try:
        yield
    finally:
        rig.run("UPDATE schema_version SET checksum = :c WHERE version = 3", c=before)


def wrong_password(rig: Any, _: Any) -> None:
    rig.settings(MARIADB__PASSWORDS__SWEEP="not-this-one")


@contextmanager
def right_missing(rig: Any, _: Any) -> Iterator[None]:
    rig.run("REVOKE SELECT ON stockd.market FROM 'stockd_trader'@'%'")
    try:
        yield
    finally:
        rig.run("GRANT SELECT ON stockd.market TO 'stockd_trader'@'%'")


@contextmanager
def right_too_many(rig: Any, _: Any) -> Iterator[None]:
    rig.run("GRANT UPDATE ON stockd.* TO 'stockd_trader'@'%'")
    try:
        yield
    finally:
        rig.run("REVOKE UPDATE ON stockd.* FROM 'stockd_trader'@'%'")


@contextmanager
def _redis(rig: Any, name: str, value: str | int, before: str | int) -> Iterator[None]:
    rig.redis().config_set(name, value)
    try:
        yield
    finally:
        rig.redis().config_set(name, before)


def redis_forgets(rig: Any, _: Any) -> AbstractContextManager[None]:
    return _redis(rig, "maxmemory-policy", "allkeys-lru", "noeviction")


def redis_keeps_nothing(rig: Any, _: Any) -> AbstractContextManager[None]:
    return _redis(rig, "appendonly", "no", "yes")


def redis_nearly_full(rig: Any, _: Any) -> AbstractContextManager[None]:
    used = int(rig.redis().info("memory")["used_memory"])
    return _redis(rig, "maxmemory", int(used * 1.1), 0)


def broker_gone(rig: Any, _: Any) -> None:
    rig.settings(KIS__REST_URL=f"http://127.0.0.1:{free_port()}")


@contextmanager
def broker_an_hour_ahead(rig: Any, _: Any) -> Iterator[None]:
    class Ahead(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(self.server.ahead())  # type: ignore[attr-defined]

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ahead)
    server.ahead = lambda: datetime.now(KST).timestamp() + 3600  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rig.settings(KIS__REST_URL=f"http://127.0.0.1:{server.server_port}")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def connects_used_up(rig: Any, _: Any) -> None:
    budget, key = wiring.reconnect_budget(), wiring.kis_key().key_id
    for _n in range(4):
        assert budget.claim(key) == 0.0
        budget.closed(key, clean=True)


def ghost_slot(rig: Any, _: Any) -> None:
    wiring.reconnect_budget().claim(wiring.kis_key().key_id)


def more_stocks_armed_than_sections_hold(rig: Any, _: Any) -> None:
    for number in range(41):
        rig.run("INSERT INTO watch VALUES (:s, 'test', NOW(6))", s=f"{number:06d}")


def condition_of_no_stock(rig: Any, _: Any) -> None:
    rig.run("INSERT INTO listing VALUES ('005930', '', '삼성전자', 'KOSPI', CURDATE())")
    rig.arm("999999")


def condition_expired(rig: Any, _: Any) -> None:
    rig.arm("005930", valid_until=datetime.now(KST).replace(tzinfo=None) - timedelta(hours=1))


def ledger_cut(rig: Any, _: Any) -> None:
    rig.run(
        "INSERT INTO order_event (strike_id, at, from_state, to_state, detail, prev_hash, hash)"
        " VALUES (1, NOW(6), '', 'CLAIMED', '{}', REPEAT('0', 64), REPEAT('1', 64))"
    )


def halted(rig: Any, _: Any) -> None:
    halt(wiring.engine("desk"), orders.site(), "훈련", "test", "CLI")


def stop_file(rig: Any, _: Any) -> None:
    orders.stop_file().write_text("손으로 멈춤", "utf-8")


PLANTED: list[tuple[str, Plant]] = [
    ("settings", too_many_stocks),
    ("settings", no_hts_id),
    ("keys", cut_off_key),
    ("token", wrong_secret),
    ("lanes", ceiling_above_the_brokers),
    ("files", settings_file_for_all_to_read),
    ("versions", other_celery),
    ("disk", disk_nearly_full),
    ("calendar", calendar_ends),
    ("alarm", alarm_address_unknown),
    ("mariadb", claims_may_be_lost),
    ("events", event_scheduler_off),
    ("events", event_silent),
    ("schema", schema_of_another_version),
    ("users", wrong_password),
    ("grants", right_missing),
    ("grants", right_too_many),
    ("redis", redis_forgets),
    ("redis", redis_keeps_nothing),
    ("redis", redis_nearly_full),
    ("broker", broker_gone),
    ("broker", broker_an_hour_ahead),
    ("slots", connects_used_up),
    ("slots", ghost_slot),
    ("watch", more_stocks_armed_than_sections_hold),
    ("conditions", condition_of_no_stock),
    ("conditions", condition_expired),
    ("ledger", ledger_cut),
    ("halt", halted),
    ("halt", stop_file),
]


@pytest.mark.parametrize(("name", "plant"), PLANTED, ids=[one.__name__ for _, one in PLANTED])
def test_a_planted_fault_is_found_and_only_it(
    rig: Any, monkeypatch: pytest.MonkeyPatch, name: str, plant: Plant
) -> None:
    with plant(rig, monkeypatch) or nullcontext():
        faults = [one for one in examine() if not one.ok]
    assert [one.name for one in faults] == [name], faults
    assert "\n" not in faults[0].said
    what, _, remedy = faults[0].said.partition(": ")
    assert what
    assert remedy


def test_the_round_in_a_process_of_its_own_finds_the_same(rig: Any) -> None:
    """What the morning's report asks: the watchdog keeps neither the library nor connections."""
    halted(rig, None)
    before = len(rig.rows("SHOW PROCESSLIST"))
    apart = examine_apart()
    assert [one.name for one in apart if not one.ok] == ["halt"]
    assert len(rig.rows("SHOW PROCESSLIST")) <= before
    assert [one.name for one in apart] == [one.name for one in examine()]


def test_a_round_that_cannot_be_made_is_a_finding(rig: Any) -> None:
    (slow,) = examine_apart(0.01)
    assert (slow.ok, slow.said) == (False, "점검이 0초 안에 끝나지 않았습니다")
    rig.settings(KIS__REST_URL="nonsense")
    (wrong,) = examine_apart()
    assert not wrong.ok
    assert "끝값 2" in wrong.said
    assert "rest_url" in wrong.said


def test_a_machine_in_order_has_no_fault_and_shows_no_secret(
    rig: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    wiring.token_store().put(
        ACCESS, wiring.kis_key().key_id, "a-token-nobody-sees", datetime.now(KST) + timedelta(1)
    )
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    said = capsys.readouterr().out
    found = json.loads(said.splitlines()[-1])
    assert found["ok"], found
    assert ended.value.code == 0
    assert [one["name"] for one in found["checks"]] == [one.name for one in CHECKS]
    key = rig.simulator.customers[0]
    for secret in (key.app_key, key.app_secret, key.account, "a-token-nobody-sees"):
        assert secret not in said


def test_people_read_one_korean_line_a_fault(rig: Any, capsys: pytest.CaptureFixture[str]) -> None:
    halted(rig, None)
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert ended.value.code == 1
    assert [line.split()[:2] for line in capsys.readouterr().err.splitlines()] == [["문제", "halt"]]


def test_a_wrong_clock_shows_whichever_way_it_is_wrong() -> None:
    import time

    assert offset_s(lambda: time.time() + 1) > CLOCK_OFF_S
    assert offset_s(lambda: time.time() - 1) < -CLOCK_OFF_S
    assert abs(offset_s(time.time)) < CLOCK_OFF_S
