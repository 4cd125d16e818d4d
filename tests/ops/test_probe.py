"""`stockd probe` against the simulated broker: it finds what is so, and never sends an order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import main
from runtime import wiring
from runtime.probe.answers import DIFFERENT, SAME
from tests.ops.watched import until, watched_stack

ROOT = Path(__file__).resolve().parents[2]


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
    assert "stockd down market" in found["웹소켓"]["found"]
    assert wiring.reconnect_budget().look(wiring.kis_key().key_id)["left"] == 3


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_under_a_running_stack_the_market_daemon_alone_makes_room_for_the_questions(
    tmp_path: Path, receiver: Any
) -> None:
    with watched_stack(tmp_path / "stack", receiver, 60) as stack:

        def stockd(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "cli", *words],
                cwd=ROOT, env=stack.place.environment(), capture_output=True, text=True,
                check=False, timeout=90,
            )  # fmt: skip

        def asked() -> dict[str, Any]:
            symbol = stack.stack.settings.watch.symbols[0]
            done = stockd("probe", "--json", "--listen", "5", "--symbols", symbol)
            said = json.loads(done.stdout.splitlines()[-1])
            return {one["question"]: one for one in said["answers"]}

        assert "stockd down market" in asked()["웹소켓"]["found"]
        assert stockd("down", "market").returncode == 0
        rows = {one["name"]: one["statename"] for one in stack.stack.supervisor.processes()}
        assert rows.pop("market") == "STOPPED"
        assert set(rows.values()) == {"RUNNING"}, "the others go on"
        assert asked()["체결 전문의 폭"]["verdict"] == SAME
        assert stockd("up", "market").returncode == 0
        until(lambda: stack.age_of_ticks() < 2, 60, stack.words)
        wrong = stockd("down", "markt")
        assert (wrong.returncode, "Traceback" in wrong.stderr) == (2, False)
        assert "worker-orders" in wrong.stderr, "it names what there is"
