"""A site to test: pages behind HTTP, tables in two databases; devhost or a real Gnuboard."""

from __future__ import annotations

import html
import os
import re
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa

GNUBOARD = Path(__file__).parents[2] / "gnuboard"
AGENT = "Mozilla/5.0 (stockd tests)"  # the core ties an admin's session to the agent
NOTICE = re.compile(r"오류안내 페이지")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Php:
    """`php -S`, in a process group of its own so that its workers end with it."""

    script: Path | None
    root: Path
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.port = free_port()
        command = [
            "php",
            "-d",
            "display_errors=0",
            "-d",
            "log_errors=1",
            "-d",
            f"error_log={self.log}",
        ]
        command += ["-S", f"127.0.0.1:{self.port}", "-t", str(self.root)]
        command += [str(self.script)] if self.script else []
        with self.log.with_suffix(".server.log").open("wb") as output:
            self.process = subprocess.Popen(
                command,
                env={**os.environ, **self.env, "PHP_CLI_SERVER_WORKERS": "4"},
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"php -S did not start, see {self.log}")

    def stop(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, 15)
            self.process.wait(10)

    def errors(self) -> list[str]:
        """What PHP wrote to its error log."""
        if not self.log.exists():
            return []
        return [
            line for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()
        ]


@dataclass
class Site:
    """``db`` is root's engine on the site's database; ``machine`` names the other one."""

    url: str
    db: sa.Engine
    database: str
    machine: str
    prefix: str
    password: str
    php: Php
    user: str
    data: Path = Path()  # G5_DATA_PATH
    root: Path = Path()
    real: bool = False
    origin: str = ""  # the tree it was copied from
    variant: str = ""  # one of real_site.VARIANTS
    stockd: Any = None

    @property
    def label(self) -> str:
        """Folder of the screenshots."""
        return f"{Path(self.origin).name}-{self.variant}" if self.real else "devhost"

    def table(self, name: str) -> str:
        return f"`{self.database}`.`{self.prefix}stockd_{name}`"

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        with self.db.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(sql), values).mappings()]

    def run(self, sql: str, **values: Any) -> None:
        with self.db.begin() as connection:
            connection.execute(sa.text(sql), values)

    def conditions(self) -> list[dict[str, Any]]:
        return self.rows(f"SELECT * FROM {self.table('condition')} ORDER BY id")

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """All rows the site may write: an attack must leave this as it was."""
        return {
            name: self.rows(f"SELECT * FROM {self.table(name)} ORDER BY id")
            for name in ("condition", "condition_log", "halt")
        }

    def armed_in_the_machine(self, condition_id: int) -> None:
        """The trader has seen revision 2 of the condition and watches it."""
        columns = "(condition_id, seen_rev, arm_no, state, updated_at)"
        self.run(
            f"INSERT INTO `{self.machine}`.condition_state {columns}"
            " VALUES (:id, 2, 1, 'ARMED', NOW(6))",
            id=condition_id,
        )

    def empty(self) -> None:
        for name in ("condition", "condition_log", "halt"):
            self.run(f"DELETE FROM {self.table(name)}")
        for name in ("strike", "fill", "condition_state", "lane", "bar", "stock_day"):
            self.run(f"DELETE FROM `{self.machine}`.`{name}`")


class Visitor:
    """Somebody with a browser's cookies."""

    def __init__(self, site: Site, who: str = "", password: str | None = None) -> None:
        self.site = site
        self.http = requests.Session()
        self.http.headers["User-Agent"] = AGENT
        if who:
            self.login(who, site.password if password is None else password)

    def login(self, who: str, password: str) -> None:
        self.http.get(f"{self.site.url}/bbs/login.php", timeout=20)
        reply = self.http.post(
            f"{self.site.url}/bbs/login_check.php",
            data={"mb_id": who, "mb_password": password, "url": ""},
            allow_redirects=False,
            timeout=20,
        )
        assert reply.status_code == 302, reply.text[:300]

    def address(self, page: str) -> str:
        return f"{self.site.url}/adm/view.php?call=stockd_{page}"

    def get(self, page: str = "conditions", /, **query: Any) -> requests.Response:
        return self.http.get(self.address(page), params=query, timeout=20)

    def ask(self, ask: str, page: str = "conditions", /, **query: Any) -> Any:
        reply = self.get(page, ask=ask, **query)
        assert "json" in reply.headers["Content-Type"], reply.text[:500]
        return reply.json()

    def token(self, page: str = "conditions") -> str:
        found = re.search(r'name="stockd_token" value="([^"]+)"', self.get(page).text)
        return html.unescape(found.group(1)) if found else ""

    def post(
        self, page: str = "conditions", token: str | None = None, **form: Any
    ) -> requests.Response:
        form["stockd_token"] = self.token(page) if token is None else token
        return self.http.post(self.address(page), data=form, allow_redirects=False, timeout=20)

    def add(self, **fields: str) -> dict[str, Any]:
        """Adds a condition through the form; the new row."""
        reply = self.post(act="add", **{**GOOD, **fields})
        assert reply.status_code == 302, problem(reply)
        return self.site.conditions()[-1]


GOOD = {
    "symbol": "005930",
    "side": "BUY",
    "strike_price": "70000",
    "quantity": "3",
    "memo": "첫 조건",
}


def problem(reply: requests.Response) -> str:
    """What the page says is wrong: the core's notice, or the line under the form."""
    if NOTICE.search(reply.text):
        found = re.search(r'alert\((".*?")\)', reply.text)
        return found.group(1) if found else reply.text[:300]
    found = re.search(r'id="sd_problem" role="status">(.*?)</p>', reply.text, re.S)
    return html.unescape(found.group(1)).strip() if found else reply.text[:300]
