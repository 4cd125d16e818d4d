"""The simulator as a process of its own, or in a thread, for tests and benchmarks."""

import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator import scenario as scenarios
from simulator.journal import Journal
from simulator.keys import DATAGOKR_KEY, HTS_ID, Customer, customer, settings_toml
from simulator.server import Server
from simulator.world import build

_ROOT = Path(__file__).resolve().parent.parent
_START_S = 20.0


def wait_for(what: Callable[[], Any], seconds: float = 20.0, why: str = "") -> Any:
    """What ``what`` says once it is true. AssertionError when it is not within ``seconds``."""
    ends = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > ends:
            raise AssertionError(why or f"did not happen within {seconds:g} s")
        time.sleep(0.02)
    return found


@dataclass(slots=True)
class RunningSimulator:
    """A simulator that runs. `control` and `stats` speak to its /_sim doors."""

    rest_url: str
    ws_url: str
    log: Path
    customers: list[Customer]
    process: subprocess.Popen[str] | None = None  # None when it runs in a thread

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a client as nested dicts, as print-settings prints them in TOML."""
        sections = [
            {"app_key": one.app_key, "app_secret": one.app_secret, "account": one.account}
            for one in self.customers
        ]
        kis = {"rest_url": self.rest_url, "ws_url": self.ws_url, "hts_id": HTS_ID}
        datagokr = {"url": self.rest_url, "service_key": DATAGOKR_KEY}
        return {"kis": kis | {"sections": sections}, "datagokr": datagokr}

    @property
    def settings_toml(self) -> str:
        """The same as TOML text."""
        return settings_toml(self.rest_url, self.ws_url, self.customers)

    def control(self, door: str, **body: Any) -> dict[str, Any]:
        """POST /_sim/<door>. ValueError with the simulator's words when it refuses."""
        return self._ask(door, json.dumps(body).encode())

    def look(self, door: str) -> dict[str, Any]:
        """GET /_sim/<door>: stats, book or stocks."""
        return self._ask(door, None)

    def stats(self) -> dict[str, Any]:
        """GET /_sim/stats."""
        return self.look("stats")

    def book(self) -> dict[str, Any]:
        """GET /_sim/book."""
        return self.look("book")

    def _ask(self, door: str, data: bytes | None) -> dict[str, Any]:
        url = f"{self.rest_url}/_sim/{door}"
        try:
            with urllib.request.urlopen(url, data, timeout=10) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as wrong:
            raise ValueError(json.load(wrong)["error"]) from None

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The lines of calls, orders or frames written so far (frames are up to 0.2 s late)."""
        text = (self.log / f"{name}.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def stop(self) -> int:
        """SIGTERM, and the exit code. One in a thread ends with its `with` block."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


@contextmanager
def start_simulator(
    scenario: str = "calm",
    *,
    rest_port: int = 0,
    ws_port: int = 0,
    log: Path | None = None,
    sections: int = 5,
    symbols: int | Path = 200,
    rate: float | None = None,
    seed: int = 1,
    frame_log: bool = True,
    clock: str = "",
    replay: Path | None = None,
    replay_speed: float = 1.0,
    **knobs: Any,
) -> Iterator[RunningSimulator]:
    """Start `python -m simulator` and end it afterwards. `knobs` are those of Scenario."""
    with tempfile.TemporaryDirectory(prefix="simulator-") as scratch:
        where = log or Path(scratch) / "log"
        ready = Path(scratch) / "ready.json"
        command = [sys.executable, "-m", "simulator", "--scenario", scenario]
        command += ["--rest-port", str(rest_port), "--ws-port", str(ws_port), "--log", str(where)]
        command += ["--sections", str(sections), "--symbols", str(symbols), "--seed", str(seed)]
        command += ["--ready-file", str(ready)]
        if rate is not None:
            command += ["--rate", str(rate)]
        if not frame_log:
            command.append("--no-frame-log")
        if clock:
            command += ["--clock", clock]
        if replay:
            command += ["--replay", str(replay), "--replay-speed", str(replay_speed)]
        for name, value in knobs.items():
            command += ["--set", f"{name}={json.dumps(value)}"]
        with subprocess.Popen(
            command, cwd=_ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            urls = _wait(ready, process)
            customers = [customer(number) for number in range(1, sections + 1)]
            running = RunningSimulator(urls["rest_url"], urls["ws_url"], where, customers, process)
            try:
                yield running
            finally:
                running.stop()


@contextmanager
def simulator_in_thread(
    scenario: str = "calm",
    *,
    log: Path | None = None,
    sections: int = 5,
    symbols: int | Path = 200,
    seed: int = 1,
    clock: str = "",
    replay: Path | None = None,
    replay_speed: float = 1.0,
    **knobs: Any,
) -> Iterator[RunningSimulator]:
    """The same on real sockets, in a thread of this process: starts in a tenth of the time.

    It shares the interpreter with its caller, so rates and times are not those of a process.
    """
    with tempfile.TemporaryDirectory(prefix="simulator-") as scratch:
        where = log or Path(scratch) / "log"
        chosen = scenarios.load(scenario)
        chosen.change(knobs)
        world = build(
            chosen, Journal(where), seed=seed, sections=sections, symbols=symbols, start=clock
        )
        server = Server(world)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
        thread.start()

        def wait_for(work: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(work, loop).result(_START_S)

        try:
            urls = wait_for(server.start(0, 0))
            if replay:
                loop.call_soon_threadsafe(server.play, [replay], replay_speed)
            yield RunningSimulator(urls["rest_url"], urls["ws_url"], where, world.customers)
        finally:
            wait_for(server.stop())
            loop.call_soon_threadsafe(loop.stop)
            thread.join(_START_S)
            loop.close()


def _wait(ready: Path, process: subprocess.Popen[str]) -> dict[str, str]:
    until = time.monotonic() + _START_S
    while not ready.exists():
        if process.poll() is not None:
            words = process.stderr.read() if process.stderr else ""
            raise RuntimeError(f"the simulator ended with {process.returncode}: {words}")
        if time.monotonic() > until:
            process.kill()
            raise RuntimeError(f"the simulator was not ready within {_START_S:.0f} s")
        time.sleep(0.02)
    urls: dict[str, str] = json.loads(ready.read_text("utf-8"))
    return urls
