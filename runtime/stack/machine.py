"""Up and down: servers, migration, simulator, the machine, in this order."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from db.engines import make_engine
from db.migrate import migrate
from runtime.settings import Settings
from runtime.stack import programs
from runtime.stack.place import Place, write_private
from runtime.stack.programs import Program
from runtime.stack.supervisor import Supervisor
from trading.errors import ConfigError, StockdError, Unavailable


@dataclass
class Stack:
    """One stack of one place. ``settings`` are the user's (or the demo's) own."""

    place: Place
    settings: Settings
    simulator: Program | None = None
    bound: bool = False  # True: everything ends with this process
    say: Callable[[str], None] = print
    before_daemons: Callable[[Stack], None] | None = None
    flower: tuple[str, int, str] = ("stockd", 0, "")
    pages: bool = False  # True: the plugin's pages too, on a host of their own
    site: tuple[int, str] | None = None  # port and password of the pages, when they are up
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.place)

    def up(self) -> None:
        """Start all of it. ConfigError when a stack runs here already; StockdError if it fails,
        and then nothing is left running."""
        refuse_second(self.place)
        self.place.make()
        try:
            self._up()
        except BaseException:  # Ctrl-C too: what was started is ended before anybody hears of it
            self.supervisor.end()
            raise

    def _up(self) -> None:
        private = self.settings.local.servers == "private"
        if private:
            self.place.mariadb().prepare()
            self.place.redis().prepare()
        self.settings = self._complete(private)
        self.place.write_settings(self.settings)
        self.flower = ("stockd", programs.free_port(), secrets.token_urlsafe(12))
        write_private(self.place.run / "flower.json", json.dumps(self.flower))
        first = [*programs.servers(self.place)] if private else []
        if self.simulator:
            first.append(self.simulator)
        rest = programs.machine(self.settings, self.flower)
        if self.pages and shutil.which(programs.PHP):
            self.site = (programs.free_port(), secrets.token_urlsafe(9))
            rest.append(programs.site(self.place, self.settings, self.site))
        self.say("서버를 켭니다 (MariaDB, Redis)")
        self.process = self.supervisor.launch([*first, *rest], bound=self.bound)
        if self.simulator:
            self.supervisor.start(self.simulator.name)
        if private:
            self.place.mariadb().wait_ready(60)
            self.place.redis().wait_ready(20)
        self.say("테이블과 권한을 맞춥니다")
        migrate_to(self.settings)
        if self.simulator:
            wait_for_http(self.settings.kis.rest_url + "/_sim/stats", 20)
        if self.before_daemons:
            self.before_daemons(self)
            self.place.write_settings(self.settings)
        self.say("데몬과 Celery 를 켭니다")
        for program in sorted(rest, key=lambda one: one.rank):
            self.supervisor.start(program.name)

    def _complete(self, private: bool) -> Settings:
        """The user's settings with the private servers' doors and absolute paths in them."""
        update: dict[str, Any] = {
            "local": self.settings.local.model_copy(update={"directory": str(self.place.directory)})
        }
        if private:
            server = self.place.mariadb()
            update["mariadb"] = self.settings.mariadb.model_copy(
                update={
                    "socket": server.socket,
                    "host": "127.0.0.1",
                    "port": server.port,
                    "admin_url": SecretStr(server.admin_url()),
                    "passwords": {k: SecretStr(v) for k, v in self.place.passwords().items()},
                }
            )
            url = self.place.redis().url().rsplit("/", 1)[0]
            update["redis"] = self.settings.redis.model_copy(update={"url": SecretStr(url)})
        return self.settings.model_copy(update=update)

    def down(self) -> None:
        """Stop all of it, in order, and leave no process."""
        self.supervisor.end()
        if self.process is not None:
            self.process.wait(5)


def migrate_to(settings: Settings) -> int:
    """Bring the database of the settings to this version; returns the schema version."""
    known, site = settings.mariadb, settings.site
    if not known.admin_url.get_secret_value():
        raise ConfigError("mariadb.admin_url (STOCKD_MARIADB__ADMIN_URL)", "is missing")
    engine: sa.Engine = make_engine(known.admin_url.get_secret_value())
    try:
        return migrate(
            engine,
            database=known.database,
            site_database=site.database or None,
            prefix=site.prefix,
            passwords={k: v.get_secret_value() for k, v in known.passwords.items()},
            user_host=known.user_host,
            user_prefix=known.user_prefix,
            retention=settings.history.told,
        )
    finally:
        engine.dispose()


def refuse_second(place: Place) -> None:
    """ConfigError when a stack runs in this place already."""
    if place.is_running():
        mark = place.mark
        raise ConfigError(
            "local.directory",
            f"a stack runs in {place.directory} already (pid {mark.pid if mark else '?'}): "
            "`stockd down` ends it",
        )


def wait_for_http(url: str, timeout: float) -> None:
    """Return when the URL answers 200; Unavailable after ``timeout`` s."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310  our own loopback
                if reply.status == 200:
                    return
        except (OSError, urllib.error.URLError) as error:
            if time.monotonic() > deadline:
                raise Unavailable(f"{url}: {error}") from None
        time.sleep(0.05)


def status(place: Place) -> dict[str, Any]:
    """What runs in this place: ``running`` and one entry a process."""
    if not place.is_running():
        return {"running": False, "processes": []}
    try:
        found = Supervisor(place).processes()
    except StockdError as error:
        return {"running": True, "processes": [], "error": str(error)}
    return {
        "running": True,
        "processes": [
            {
                "name": one["name"],
                "state": one["statename"],
                "pid": one["pid"] or None,
                "seconds": max(0, one["now"] - one["start"]) if one["pid"] else 0,
            }
            for one in found
        ],
    }
