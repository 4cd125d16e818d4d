"""What a replay runs on: MariaDB, Redis, simulator and market daemon of one directory."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from pydantic import SecretStr

from runtime.demo.broker import Broker, settings_of
from runtime.processes import bound_to_parent, end
from runtime.settings import Settings
from runtime.stack.machine import migrate_to, wait_for_http
from runtime.stack.place import CHECKOUT, Place
from runtime.stack.programs import free_ports, simulator
from trading.errors import Unavailable
from trading.watch_plan import STOCKS_A_SECTION

REGISTERED_S = 60.0
STOCK_FILE = "stocks.csv"


class ReplayStack:
    """Up within ``with``, gone afterwards; the data stay. ``prices``: stock → one of its day."""

    def __init__(self, place: Place, prices: Mapping[str, int]) -> None:
        self.place = place
        self.symbols = tuple(sorted(prices))
        self.sections = (len(prices) - 1) // STOCKS_A_SECTION + 1
        self.admin_url = ""
        self._prices = prices
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []
        self._mariadb, self._redis = place.mariadb(), place.redis()
        self._ports = free_ports(2)
        self.broker = Broker(f"http://127.0.0.1:{self._ports[0]}")

    def __enter__(self) -> ReplayStack:
        try:
            self._up()
        except BaseException:  # Ctrl-C too: nothing is left running
            self._down()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._down()

    def _up(self) -> None:
        self._mariadb.start(bound=True)
        self._redis.start(bound=True)
        stocks = self.place.run / STOCK_FILE
        lines = [f"{code},{code},KOSPI,{price}" for code, price in sorted(self._prices.items())]
        stocks.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._mariadb.wait_ready(60)
        self._redis.wait_ready(20)
        settings = self._settings()
        self.place.write_settings(settings)
        migrate_to(settings)
        self.admin_url = self._mariadb.admin_url(settings.mariadb.database)
        ports = (self._ports[0], self._ports[1])
        options = (f"--symbols={stocks}", "--set", "stop_ticks=true", "--no-frame-log")
        self._run("simulator", simulator(self.place, ports, self.sections, options).argv)
        wait_for_http(settings.kis.rest_url + "/_sim/stats", 20)
        self._run("market", (sys.executable, "-m", "cli", "market"))

    def _settings(self) -> Settings:
        raw = settings_of(self._ports, self.sections)
        raw["kis"] |= {"env": "real"}  # the simulator's TR ids; the URLs are loopback
        raw["market"] = {"hours": "always"}
        raw["watch"] = {"symbols": self.symbols}
        raw["local"] = {"directory": str(self.place.directory)}
        raw["redis"] = {"url": SecretStr(self._redis.url().rsplit("/", 1)[0])}
        raw["mariadb"] = {
            "socket": self._mariadb.socket,
            "port": self._mariadb.port,
            "admin_url": SecretStr(self._mariadb.admin_url()),
            "passwords": {k: SecretStr(v) for k, v in self.place.passwords().items()},
        }
        return Settings.model_validate(raw)

    def _run(self, name: str, argv: tuple[str, ...]) -> None:
        with self._log(name).open("wb") as out:
            process = subprocess.Popen(
                bound_to_parent(list(argv), "TERM"),
                cwd=CHECKOUT,
                env=self.place.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._children.append((name, process))

    def _log(self, name: str) -> Path:
        return self.place.logs / f"{name}.log"

    def look(self) -> None:
        """Unavailable, with its last words, when one of the processes has ended."""
        for name, process in self._children:
            if process.poll() is not None:
                said = self._log(name).read_text("utf-8", "replace").strip().splitlines()[-1:]
                raise Unavailable(f"{name} ended with {process.returncode}: {' '.join(said)}")

    def wait_registered(self) -> None:
        """Return when every stock of every section is registered. Unavailable after a minute."""
        wanted = len(self.symbols) + self.sections  # and the fill notice of each
        ends = time.monotonic() + REGISTERED_S
        while (held := sum(self.broker.get("stats")["registrations"].values())) < wanted:
            self.look()
            if time.monotonic() > ends:
                raise Unavailable(f"market: {held} of {wanted} registrations; {self.place.logs}")
            time.sleep(0.1)

    def connects(self) -> int:
        """Websocket connects so far: more than sections means that one was lost on the way."""
        found: dict[str, int] = self.broker.get("stats")["connects"]
        return sum(found.values())

    def _down(self) -> None:
        for _, process in reversed(self._children):
            end(process, 10.0)
        self._redis.stop()
        self._mariadb.stop()
