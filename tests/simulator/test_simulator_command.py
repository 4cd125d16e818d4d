"""`python -m simulator`: options, settings, replay, a clean end."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import websocket

from simulator import scenario
from simulator.testing import start_simulator

ROOT = Path(__file__).parents[2]
PAYLOADS = ROOT / "tests" / "payloads"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )


def test_the_settings_it_prints_are_toml_for_five_sections():
    printed = tomllib.loads(run("--print-settings", "--rest-port", "9000").stdout)
    assert printed["kis"]["rest_url"] == "http://127.0.0.1:9000"
    assert printed["kis"]["hts_id"] == "stockd1"
    sections = printed["kis"]["sections"]
    assert len({one["app_key"] for one in sections}) == 5
    assert [one["account"] for one in sections][:2] == ["5000000001", "5000000101"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--scenario", "nonsense"), "scenario='nonsense'"),
        (("--set", "ratee=1"), "ratee"),
        (("--set", "width=45"), "width=45"),
        (("--clock", "25:00:00"), "25:00:00"),
        (("--replay", "/no/such/file"), "/no/such/file"),
        (("--symbols", "/no/such/file"), "/no/such/file"),
    ],
)
def test_a_wrong_option_is_named_and_ends_with_two(arguments, words):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_every_scenario_that_comes_with_it_can_be_loaded():
    assert {"calm", "demo", "busy", "faults", "paper"} <= set(scenario.names())
    for name in scenario.names():
        assert scenario.load(name).name == name


def test_sigterm_ends_it_with_zero_and_the_logs_are_whole(tmp_path):
    with start_simulator("busy", log=tmp_path / "log", symbols=10) as simulator:
        simulator.stats()
        assert simulator.stop() == 0
    for name in ("calls", "orders", "frames"):
        text = (tmp_path / "log" / f"{name}.jsonl").read_text("utf-8")
        assert text == "" or text.endswith("\n")


def test_a_taken_port_is_said_plainly(broker):
    port = broker().simulator.rest_url.rsplit(":", 1)[1]
    ended = run("--rest-port", port)
    assert ended.returncode == 1
    assert "--rest-port" in ended.stderr


def test_the_exchange_can_stand_at_nine_in_the_night(broker):
    frame = broker(clock="09:00:05").feed("005930").frames(1)[0]
    assert frame.split("^")[1].startswith("0900")


def test_the_closing_auction_is_a_silence_that_ends_with_one_print_each(broker):
    feed = broker(clock="15:29:58", hours="krx", rate=1000.0).feed("005930", "000660")
    prints = [frame.split("|")[3].split("^") for frame in feed.frames(2)]
    assert {one[0] for one in prints} == {"005930", "000660"}
    assert {one[1][:4] for one in prints} == {"1530"}
    feed.socket.settimeout(0.5)
    with pytest.raises(websocket.WebSocketTimeoutException):
        feed.frames(1)


def test_at_midnight_the_day_begins_anew_and_settlement_moves_on(broker, eventually):
    client = broker(clock="23:59:57", holdings={"000660": [5, 200000]})
    feed = client.feed("005930")
    last = feed.frames(1)[0].split("|")[3].split("^")
    low = client.simulator.look("stocks")["000660"]["lower"]
    client.order("BUY", "000660", 1, low)
    client.order("SELL", "000660", 5)
    eventually(lambda: client.simulator.stats()["fills"] == 1)
    before = client.simulator.book()["accounts"]["account-1"]
    while True:
        frame = feed.frames(1)[0].split("|")[3].split("^")
        if frame[33] != last[33]:
            break
        last = frame
    assert int(frame[33]) > int(last[33])
    assert int(frame[2]) - int(frame[4]) == client.simulator.look("stocks")["005930"]["base"]
    after = client.simulator.book()["accounts"]["account-1"]
    assert (after["cash_d0"], after["cash_d1"]) == (before["cash_d1"], before["cash_d2"])
    assert after["holdings"] == {"000660": 0}
    assert all(one["remainder"] == 0 for one in client.simulator.book()["orders"])
    assert after["orderable_cash"] == after["cash_d2"]


def test_changing_the_scenario_while_it_runs_and_emptying_the_books(broker, eventually):
    client = broker(rate=0.0)
    client.order("BUY", "005930", 1)
    eventually(lambda: client.simulator.stats()["fills"] == 1)
    client.simulator.control("scenario", name="demo", reset=True)
    client.simulator.control("fault", ledger_per_s=0)
    book = client.simulator.book()
    assert book["orders"] == []
    assert book["accounts"]["account-1"]["holdings"]["005930"] == 120
    assert client.simulator.stats()["scenario"] == "demo"


@pytest.mark.parametrize("stamped", [False, True])
def test_genuine_frames_are_played_as_recorded(broker, tmp_path, stamped):
    genuine = json.loads((PAYLOADS / "ws_frames.json").read_text("utf-8"))
    frames = [
        one.get("frame") or f"0|H0STCNT0|001|{one['payload']}"
        for one in genuine
        if one["id"].startswith("H0STCNT0")
    ]
    assert len(frames) == 2
    lines = [f"{n * 0.01:.3f} {frame}" if stamped else frame for n, frame in enumerate(frames)]
    recorded = tmp_path / "frames.txt"
    recorded.write_text("\n".join(lines) + "\n", "utf-8")
    client = broker(replay=recorded, replay_speed=1.0 if stamped else 0.0)
    assert client.feed("005930").frames(2) == frames
    stats = client.simulator.stats()
    assert (stats["replay"]["records"], stats["symbols"]["005930"]["records"]) == (2, 2)


def test_its_own_frame_log_can_be_played_again(broker, tmp_path, eventually):
    with start_simulator("calm", rate=500.0, log=tmp_path / "log") as simulator:
        first = type(broker())(simulator)
        feed = first.feed("005930")
        wanted = feed.frames(100)
        first.close()
    replaying = broker(replay=tmp_path / "log" / "frames.jsonl", replay_speed=0.0)
    assert replaying.feed("005930").frames(100) == wanted
    eventually(lambda: replaying.simulator.stats()["replay"]["finished"])
