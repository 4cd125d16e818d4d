"""One `.env` in, for each container its own secrets out."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from pathlib import Path

import pytest

from runtime.marks import age_s, mark_file, touch
from runtime.settings import read_settings
from runtime.stack.handout import SHARES, hand_out, main
from trading.errors import ConfigError

COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
SERVERS = ("vault", "mariadb", "redis", "monitoring", "gnuboard")
SIM = {
    "STOCKD_KIS__ENV": "real",
    "STOCKD_KIS__REST_URL": "http://simulator:9443",
    "STOCKD_KIS__WS_URL": "ws://simulator:21000",
    "STOCKD_MARIADB__HOST": "mariadb",
    "STOCKD_REDIS__URL": "redis://redis:6379",
}
KEYS = {
    "STOCKD_KIS__SECTIONS__0__LABEL": "main",
    "STOCKD_KIS__SECTIONS__0__APP_KEY": "PS-planted-app-key-000",
    "STOCKD_KIS__SECTIONS__0__APP_SECRET": "planted-app-secret-000",
    "STOCKD_KIS__SECTIONS__0__ACCOUNT": "87654321-01",
}

TOLD = {
    "STOCKD_ALARM__URLS": "json://planted-chat-token@hooks.example/a",
    "STOCKD_ALARM__PING_URL": "https://hc.example/planted-ping-token",
}


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    for name in (*SHARES, *SERVERS):
        (tmp_path / name).mkdir()
    return tmp_path


def test_each_container_gets_its_own_password_and_no_other(volumes: Path) -> None:
    hand_out({**SIM, **KEYS, **TOLD}, volumes)
    made = json.loads((volumes / "vault" / "passwords.json").read_text())
    assert len(set(made.values())) == len(made), "every password is its own"
    for name, share in SHARES.items():
        text = (volumes / name / "settings.json").read_text("utf-8")
        others = {role: one for role, one in made.items() if role not in {*share.roles, "redis"}}
        if share.admin:
            others.pop("root")
        assert not [role for role, one in others.items() if one in text], name
        assert ("planted-app" in text) == share.keys, name
        assert ("87654321" in text) == share.keys, name
        assert ("planted-chat" in text) == ("planted-ping" in text) == share.alarms, name
    assert {name for name, share in SHARES.items() if share.alarms} == {"watchdog", "doctor"}


def test_what_was_handed_out_can_be_read_as_settings(volumes: Path) -> None:
    hand_out({**SIM, **KEYS}, volumes)
    for name in SHARES:
        file = volumes / name / "settings.json"
        known = read_settings({"STOCKD_CONFIG": str(file)})
        assert known.kis.trading.label == "main", name
        assert "redis:6379" in known.redis.url.get_secret_value()
        assert file.stat().st_mode & 0o777 == 0o444


def test_passwords_stay_over_a_restart_and_those_given_win(volumes: Path) -> None:
    hand_out({**SIM, **KEYS}, volumes)
    before = json.loads((volumes / "vault" / "passwords.json").read_text())
    hand_out({**SIM, **KEYS, "STOCKD_MARIADB__PASSWORDS__DESK": "my own"}, volumes)
    after = json.loads((volumes / "vault" / "passwords.json").read_text())
    assert after == before | {"desk": "my own"}


def test_the_simulator_brings_its_own_keys(volumes: Path) -> None:
    hand_out(SIM, volumes)
    known = read_settings({"STOCKD_CONFIG": str(volumes / "market" / "settings.json")})
    assert len(known.kis.sections) == 5
    assert known.kis.rest_url == SIM["STOCKD_KIS__REST_URL"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"STOCKD_KIS__CEILING": "many"}, "STOCKD_KIS__CEILING"),
        ({"STOCKD_KSI__CEILING": "18"}, "STOCKD_KSI__CEILING"),
        ({"STOCKD_WATCH__SYMBOLS": "삼성전자"}, "STOCKD_WATCH__SYMBOLS"),
        ({"STOCKD_KIS__REST_URL": "https://openapi.koreainvestment.com:9443"}, "real money"),
        ({"STOCKD_REDIS__URL": "redis://:secret@redis:6379"}, "STOCKD_REDIS__URL"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    volumes: Path, wrong: dict[str, str], named: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name in [one for one in os.environ if one.startswith("STOCKD_")]:
        monkeypatch.delenv(name)
    for name, value in {**SIM, **KEYS, **wrong}.items():
        monkeypatch.setenv(name, value)
    assert main([str(volumes)]) == 2
    told = capsys.readouterr().err
    assert named in told
    assert "secret@" not in told
    assert not (volumes / "market" / "settings.json").exists()


def test_no_key_and_no_simulator_is_an_error(volumes: Path) -> None:
    with pytest.raises(ConfigError, match="APP_KEY"):
        hand_out({}, volumes)


def test_the_compose_file_mounts_each_share_into_its_own_container_alone() -> None:
    text = COMPOSE.read_text("utf-8")
    services = dict(re.findall(r"^  ([\w-]+):\n((?:    .*\n|\n|  #.*\n)+)", text, re.M))
    for name in (*SHARES, "mariadb", "redis", "gnuboard"):
        holders = {
            service
            for service, body in services.items()
            if f"for-{name}:/run/secrets:ro" in body and service != "handout"
        }
        assert holders == {name}
        assert f"for-{name}:/handout/{name}\n" in text


def test_a_mark_is_as_old_as_the_last_thing_done(tmp_path: Path) -> None:
    file = mark_file(tmp_path, "orders")
    assert file.name == f"orders@{socket.gethostname()}"
    assert age_s(file) is None
    touch(file)
    os.utime(file, (time.time() - 40, time.time() - 40))
    age = age_s(file)
    assert age is not None
    assert 39 < age < 60
