"""`stockd probe` against the simulated broker: it finds what is so, and never sends an order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli import main
from runtime import wiring
from runtime.probe.answers import DIFFERENT, SAME


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main(["probe", "--json", "--listen", "2", *options])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    return int(ended.value.code or 0), {one["question"]: one for one in said["answers"]}


def a_symbol(rig: Any) -> str:
    return next(iter(rig.simulator.look("stocks")))


def test_what_we_assumed_is_found_and_only_reads_went_out(
    rig: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(capsys, "--symbols", a_symbol(rig), "--out", str(rig.tmp / "probe.md"))
    assert code == 0, found
    for question in ("초당 호출 한도", "원장 조회 간격", "잔고의 모양", "빈 체결 목록",
                     "체결 전문의 폭", "체결통보 등록"):  # fmt: skip
        assert found[question]["verdict"] == SAME, found[question]
    calls = rig.simulator.lines("calls")
    assert calls
    assert not [one for one in calls if "order-cash" in one["path"] or "rvsecncl" in one["path"]]
    assert not rig.simulator.lines("orders")
    text = (rig.tmp / "probe.md").read_text("utf-8")
    key = rig.simulator.customers[0]
    for secret in (key.app_key, key.app_secret, key.account[:8], "stockd1"):
        assert secret not in text
    seen = wiring.reconnect_budget().look(wiring.kis_key().key_id)
    assert (seen["left"], seen["open"]) == (3, False), "one connect, and it was closed"


def test_a_broker_that_refuses_more_than_we_think_says_which_setting_to_change(
    rig: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.simulator.control("fault", ceiling=5)
    code, found = run(capsys, "--no-feed", "--symbols", a_symbol(rig))
    assert code == 1
    assert found["초당 호출 한도"]["verdict"] == DIFFERENT
    assert "kis.margin" in found["초당 호출 한도"]["change"]


def test_the_socket_of_a_running_daemon_is_left_alone(
    rig: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    wiring.reconnect_budget().claim(wiring.kis_key().key_id)
    _, found = run(capsys, "--symbols", a_symbol(rig))
    assert "시장 데몬" in found["웹소켓"]["found"]
    assert wiring.reconnect_budget().look(wiring.kis_key().key_id)["left"] == 3
