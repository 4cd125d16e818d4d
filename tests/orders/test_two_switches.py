"""Real money needs two switches (P14): any other combination refuses and says which is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from runtime import orders
from runtime.doctor import own_checks
from runtime.settings import load_settings, read_settings
from trading.errors import ConfigError

ACCOUNT, OTHER = "12345678-01", "87654321-01"
KEYS = {
    "STOCKD_KIS__SECTIONS__0__APP_KEY": "PSappkeyappkeyappkey",
    "STOCKD_KIS__SECTIONS__0__APP_SECRET": "secretsecretsecret",
    "STOCKD_KIS__SECTIONS__0__ACCOUNT": ACCOUNT,
}
REAL_REST = {"STOCKD_KIS__REST_URL": "https://openapi.koreainvestment.com:9443"}
REAL_WS = {"STOCKD_KIS__WS_URL": "ws://ops.koreainvestment.com:21000"}
PROXY = {"STOCKD_KIS__REST_URL": "https://kis.example.net"}  # who knows what stands behind it
DOORS = {"rest": REAL_REST, "websocket": REAL_WS, "both": REAL_REST | REAL_WS, "proxy": PROXY}
LIVE = {"unset": {}, "empty": {"STOCKD_LIVE": ""}, "no": {"STOCKD_LIVE": "no"}}
ON = {"STOCKD_LIVE": "yes", "STOCKD_KIS__ENV": "real", "STOCKD_TRADE__ACCOUNT": ACCOUNT}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("written", ["", ACCOUNT, OTHER])
@pytest.mark.parametrize("env", ["real", "paper"])
@pytest.mark.parametrize("live", [*LIVE, "yes"])
def test_every_combination_but_one_refuses_and_names_what_is_missing(
    door: str, written: str, env: str, live: str, tmp_path: Path
) -> None:
    said = LIVE.get(live, {"STOCKD_LIVE": "yes"})
    environ = KEYS | DOORS[door] | said | {"STOCKD_KIS__ENV": env}
    environ |= {"STOCKD_TRADE__ACCOUNT": written} if written else {}
    missing = [
        name
        for name, there in (
            ("STOCKD_LIVE=yes", live == "yes"),
            ("STOCKD_KIS__ENV", env == "real"),
            ("STOCKD_TRADE__ACCOUNT", written == ACCOUNT),
        )
        if not there
    ]
    if not missing:
        assert orders.check_two_switches(read_settings(environ, tmp_path))
        return
    with pytest.raises(ConfigError, match="real money") as refused:
        read_settings(environ, tmp_path)
    assert missing[0] in str(refused.value)
    for secret in (ACCOUNT, OTHER):
        assert secret not in str(refused.value)


@pytest.mark.parametrize("word", ["1", "true", "YES", "Yes", "on", " yes", "0", "false", "y"])
def test_only_yes_is_yes_and_a_slip_of_the_pen_stops_the_start(word: str, tmp_path: Path) -> None:
    for doors in ({}, REAL_REST | REAL_WS | ON):
        with pytest.raises(ConfigError, match="STOCKD_LIVE") as refused:
            read_settings(KEYS | doors | {"STOCKD_LIVE": word}, tmp_path)
        assert repr(word) in str(refused.value)


@pytest.mark.parametrize("word", ["yes", "no", ""])
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000", "https://openapivts.koreainvestment.com:29443"]
)
def test_a_simulator_and_paper_trading_never_are_real_money(
    word: str, url: str, tmp_path: Path
) -> None:
    known = read_settings(KEYS | {"STOCKD_LIVE": word, "STOCKD_KIS__REST_URL": url}, tmp_path)
    assert not orders.check_two_switches(known)


def test_the_order_path_looks_once_more_for_itself(tmp_path: Path) -> None:
    known = read_settings(KEYS | REAL_REST | REAL_WS | ON, tmp_path)
    off = known.model_copy(update={"live": False})  # settings that nobody checked
    with pytest.raises(ConfigError, match="STOCKD_LIVE=yes"):
        orders.check_two_switches(off)
    trade = known.trade.model_copy(update={"account": SecretStr(OTHER)})
    with pytest.raises(ConfigError, match=r"trade\.account"):
        orders.check_two_switches(known.model_copy(update={"trade": trade}))


def test_the_doctor_says_in_one_line_whether_money_is_at_stake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (KEYS | REAL_REST | REAL_WS | ON).items():
        monkeypatch.setenv(name, value)
    load_settings.cache_clear()
    try:
        assert own_checks.money() == "실전: 실제 돈으로 주문합니다"
        for name in REAL_REST | REAL_WS:
            monkeypatch.delenv(name)
        load_settings.cache_clear()
        assert "실제 돈이 나가지 않습니다" in own_checks.money()
    finally:
        load_settings.cache_clear()
