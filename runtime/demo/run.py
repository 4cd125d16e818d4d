"""The demo from start to end: up, shown, moved, judged, down, nothing left."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from db.engines import make_engine
from runtime import wiring
from runtime.celeryapp import app
from runtime.demo.arming import arm
from runtime.demo.broker import Broker, settings_of
from runtime.demo.judge import judge
from runtime.demo.screen import Screen
from runtime.demo.script import Script
from runtime.demo.watcher import DelaySampler, Watcher
from runtime.settings import Settings
from runtime.settings_source import CONFIG, PREFIX
from runtime.stack import programs
from runtime.stack.machine import Stack, refuse_second, status
from runtime.stack.place import Place
from runtime.wiring import database_url
from trading.errors import StockdError

STOCKS_A_SECTION = 40
LOOK_EVERY_S = 0.5
FIRST_TICK_S = 30.0
DRAIN_S = 3.0  # the feed stops, the last rows land, open fills are settled


@dataclass(frozen=True)
class Wish:
    """What was asked for. ``seconds`` None: until Ctrl-C."""

    directory: Path
    seconds: float | None = None
    sections: int = 5
    rate: float = 1000.0
    seed: int = 1
    keep: bool = False
    as_json: bool = False


def run(wish: Wish) -> dict[str, Any]:
    """Run it and return the demo's JSON object (its ``interrupted`` is True after Ctrl-C).

    ConfigError when a demo runs in this directory; StockdError when it does not come up.
    """
    place = Place(wish.directory.absolute())
    refuse_second(place)
    shutil.rmtree(place.directory, ignore_errors=True)
    for number in (signal.SIGTERM, signal.SIGINT):  # INT may be ignored by who started us
        signal.signal(number, _as_ctrl_c)
    with Screen(as_json=wish.as_json) as screen:
        demo = _Demo(wish, place, screen)
        ok = False
        try:
            result = demo.run()
            ok = bool(result["ok"])
            return result
        finally:
            screen.close_live()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what follows is the clean end
            demo.stack.down()
            if not ok and place.logs.exists():
                screen.say(f"기록: {place.logs}")
            if ok and not wish.keep:
                shutil.rmtree(place.directory, ignore_errors=True)
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _as_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


class _Demo:
    def __init__(self, wish: Wish, place: Place, screen: Screen) -> None:
        self.wish, self.place, self.screen = wish, place, screen
        ports = programs.free_ports(2)
        raw = settings_of(ports, wish.sections)
        raw["kis"] |= {"env": "real"}  # the simulator's TR ids; the URLs are loopback
        self.symbols: tuple[str, ...] = ()
        options = ("--scenario=demo", f"--rate={wish.rate}", f"--seed={wish.seed}")
        self.stack = Stack(
            place,
            Settings.model_validate(raw),
            simulator=programs.simulator(place, (ports[0], ports[1]), wish.sections, options),
            bound=True,
            pages=True,
            say=screen.say,
            before_daemons=self._choose_stocks,
        )
        self.broker = Broker(raw["kis"]["rest_url"])

    def _choose_stocks(self, stack: Stack) -> None:
        listed = tuple(self.broker.get("stocks"))
        self.symbols = listed[: STOCKS_A_SECTION * self.wish.sections]
        watch = stack.settings.watch.model_copy(update={"symbols": self.symbols})
        stack.settings = stack.settings.model_copy(update={"watch": watch})
        self.place.write_settings(stack.settings)
        # from here on this process is one of the stack's, and nobody else's settings leak into it
        for name in [one for one in os.environ if one.startswith(PREFIX)]:
            del os.environ[name]
        os.environ[CONFIG] = str(self.place.settings_file)
        wiring.forget()
        for section in stack.settings.kis.sections:
            # Redis and broker are both a moment old: no call can be on its way
            wiring.lanes(section.label).vouch()

    def run(self) -> dict[str, Any]:
        began = time.monotonic()
        self.stack.up()
        known = self.stack.settings.mariadb
        engine = make_engine(database_url(known, "reader"), autocommit=True)
        user, port, password = self.stack.flower
        self.screen.say(f"Flower: http://127.0.0.1:{port}/ ({user} / {password})")
        if self.stack.site:
            port, password = self.stack.site
            self.screen.say(f"매매 조건과 현황: http://127.0.0.1:{port}/ (admin / {password})")
        else:
            self.screen.say("매매 조건 페이지 없음: PHP 가 없습니다 (php-cli php-mysql)")
        self.screen.say(f"켜는 데 {time.monotonic() - began:.1f}초")
        # beat's first turn comes ten seconds after its start: the account need not wait for it
        app.send_task("tasks.assets.poll", queue="assets", expires=30)
        # the names of the stocks come with the daily prices of the whole market; nothing asks for
        # them again before the evening, so that a slow machine gets the time to take it
        app.send_task("tasks.publicdata.nightly", queue="sweep", expires=600)
        self._wait_for_first_tick(engine)
        script = Script(engine, self.broker, arm, self.screen.say)
        sampler = DelaySampler(engine, self.symbols[:5])
        sampler.start()
        started = time.monotonic()
        interrupted = False
        try:
            self._watch(engine, script, started)
        except KeyboardInterrupt:
            interrupted = True
        self.screen.close_live()
        sampler.stop()
        result = self._judge(engine, script, sampler, time.monotonic() - started)
        engine.dispose()
        return result | {"interrupted": interrupted}

    def _wait_for_first_tick(self, engine: sa.Engine) -> None:
        """The demo's seconds begin when prices arrive, also on a machine that is busy elsewhere."""
        began = time.monotonic()
        while time.monotonic() - began < FIRST_TICK_S:
            with suppress(SQLAlchemyError), engine.connect() as connection:
                if connection.scalar(sa.text("SELECT 1 FROM market WHERE price > 0 LIMIT 1")):
                    self.screen.say(f"첫 체결까지 {time.monotonic() - began:.1f}초 더")
                    return
            time.sleep(0.1)
        self.screen.say(f"{FIRST_TICK_S:.0f}초 동안 체결이 없습니다")

    def _watch(self, engine: sa.Engine, script: Script, started: float) -> None:
        watcher = Watcher(engine)
        while True:
            elapsed = time.monotonic() - started
            if self.wish.seconds is not None and elapsed >= self.wish.seconds:
                return
            script.step(elapsed)
            self.screen.show(watcher.look(), self._extra(), elapsed)
            time.sleep(LOOK_EVERY_S)

    def _extra(self) -> dict[str, Any]:
        extra: dict[str, Any] = {"processes": status(self.place)["processes"]}
        with suppress(StockdError):
            extra["ticks"] = self.broker.get("stats")["ticks_sent"]
            lanes = wiring.lanes().snapshot().lanes
            extra["lanes"] = {one.lane: (one.used, one.limit) for one in lanes}
        return extra

    def _judge(
        self, engine: sa.Engine, script: Script, sampler: DelaySampler, seconds: float
    ) -> dict[str, Any]:
        self.broker.post("fault", {"stop_ticks": True})
        self.screen.say("시세를 멈추고 결산합니다")
        time.sleep(DRAIN_S)
        faults = [
            f"{one['name']} {one['state']}"
            for one in status(self.place)["processes"]
            if one["state"] != "RUNNING"
        ]
        return judge(
            engine,
            self.broker.get("stats"),
            self.broker.get("book"),
            self.place.simulator_log,
            sampler,
            seconds=seconds,
            symbols=len(self.symbols),
            armed=len(script.armed),
            faults=[*script.faults, *faults],
        )
