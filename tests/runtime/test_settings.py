"""Settings: one file, the environment on top, and a wrong value that is named (P13, P14, P15)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.settings import Settings, read_settings
from runtime.stack.place import plain
from trading.errors import ConfigError

SECTION = {
    "STOCKD_KIS__SECTIONS__0__APP_KEY": "PSappkeyappkeyappkey",
    "STOCKD_KIS__SECTIONS__0__APP_SECRET": "secretsecretsecret",
    "STOCKD_KIS__SECTIONS__0__ACCOUNT": "12345678-01",
}


def test_with_nothing_said_the_machine_is_in_paper_trading(tmp_path: Path) -> None:
    known = read_settings({}, tmp_path)
    assert known.kis.env == "paper"
    assert "openapivts" in known.kis.rest_url
    assert not known.live


def test_the_environment_wins_over_the_file_and_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("PSfromafilefromafile\n", encoding="utf-8")
    (tmp_path / "secret").write_text("secretfromafile", encoding="utf-8")
    (tmp_path / "stockd.toml").write_text(
        '[kis]\nceiling = 20\nhts_id = "me"\n[[kis.sections]]\nlabel = "main"\n'
        'app_key = "PSreplacedreplaced"\napp_secret_file = "secret"\naccount = "12345678-01"\n',
        encoding="utf-8",
    )
    known = read_settings(
        {"STOCKD_KIS__CEILING": "18", "STOCKD_KIS__SECTIONS__0__APP_KEY_FILE": "key"}, tmp_path
    )
    assert known.kis.calls_per_second == 18
    assert known.kis.sections[0].app_key.get_secret_value() == "PSfromafilefromafile"
    assert known.kis.sections[0].app_secret.get_secret_value() == "secretfromafile"
    assert known.kis.trading.label == "main"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"STOCKD_KIS__CEILING": "many"}, ("kis.ceiling", "STOCKD_KIS__CEILING", "many")),
        ({"STOCKD_KIS__CEILING": "0"}, ("kis.ceiling", "'0'")),
        ({"STOCKD_KIS__CIELING": "18"}, ("STOCKD_KIS__CIELING", "no such setting")),
        ({"STOCKD_KIS__REST_URL": "openapi"}, ("kis.rest_url", "openapi")),
        ({"STOCKD_KIS__PROFILE": "kis-1999"}, ("kis.profile", "kis-1999", "kis-2024")),
        ({"STOCKD_WATCH__SYMBOLS": "005930,5930"}, ("watch.symbols", "'5930'")),
        ({"STOCKD_MARIADB__PORT": "99999"}, ("mariadb.port", "99999")),
        ({"STOCKD_LIVE": "perhaps"}, ("STOCKD_LIVE", "perhaps")),
        ({"STOCKD_SITE__PREFIX": "g5-; DROP"}, ("site.prefix", "g5-; DROP")),
        ({"STOCKD_CONFIG": "nowhere.toml"}, ("STOCKD_CONFIG", "nowhere.toml")),
        ({"STOCKD_KIS__SECTIONS__3__APP_KEY": "x"}, ("SECTIONS__3", "'3'")),
        ({"STOCKD_DATAGOKR__SERVICE_KEY_FILE": "gone"}, ("SERVICE_KEY_FILE", "gone")),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(
    environ: dict[str, str], named: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(environ, tmp_path)
    for part in named:
        assert part in str(caught.value)


def test_a_wrong_secret_is_named_but_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(SECTION | {"STOCKD_KIS__SECTIONS__0__ACCOUNT": "1234567890123"}, tmp_path)
    assert "kis.sections.0.account" in str(caught.value)
    assert "1234567890123" not in str(caught.value)


def test_a_key_nobody_knows_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "stockd.toml").write_text("[kis]\nceilling = 18\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"kis\.ceilling.*no such setting"):
        read_settings({}, tmp_path)


def test_the_second_switch_cannot_be_copied_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "stockd.toml").write_text("live = true\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="only in the environment"):
        read_settings({}, tmp_path)


def test_settings_written_for_the_processes_are_the_same_again(tmp_path: Path) -> None:
    known = read_settings(SECTION, tmp_path)
    shown = plain(known)
    del shown["live"]
    (tmp_path / "settings.json").write_text(json.dumps(shown), encoding="utf-8")
    assert read_settings({"STOCKD_CONFIG": "settings.json"}, tmp_path) == known


def test_no_secret_is_in_what_is_shown(tmp_path: Path) -> None:
    known = read_settings(SECTION, tmp_path)
    assert isinstance(known, Settings)
    for shown in (repr(known), known.model_dump_json()):
        for secret in SECTION.values():
            assert secret not in shown
