"""``stockd bench page``: does looking cost the machine anything? The feed at a fixed rate, in
rounds without and with 20 open tabs of 현황, each asking for the live JSON once a second.

The real PHP pages on the real MariaDB of the same run; all of it shares the machine's cores.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from shutil import which
from typing import Any

import psutil
from sqlalchemy import URL, Engine, make_url, text

from benchmarks.feed import ROOT, one_rate
from benchmarks.feed_sender import STOCKS, symbol_of
from db.engines import make_engine
from db.grants import ROLES, user_name
from db.migrate import migrate
from runtime.servers import MariaDBServer, free_port
from runtime.stack.programs import PHP
from trading.errors import ConfigError, Unavailable

HOST = ROOT / "gnuboard" / "devhost"
PHP_WORKERS = 4  # as in the demo
QUIET_S = 5.0  # tabs alone, nothing moves: what an unchanged answer costs


def run(
    seconds: float = 12.0, rate: float = 5_000, rounds: int = 3, tabs: int = 20, sections: int = 5
) -> dict[str, Any]:
    """``without`` and ``with_tabs``: medians over the rounds of tick_to_row_ms_p50 and _p99;
    ``answer_ms`` as a tab waits for it, ``server_ms`` as PHP spent it; ``share_304`` of the answers
    while the feed moves and (``quiet_``) while nothing does. ConfigError without PHP.
    """
    if which(PHP) is None:
        raise ConfigError("php", "is not installed: apt install php-cli php-mysql")
    with tempfile.TemporaryDirectory(prefix="stockd-bench-") as scratch:
        folder = Path(scratch)
        server = MariaDBServer(folder / "db")
        server.start(bound=True)
        server.wait_ready()
        try:
            passwords = dict.fromkeys(ROLES, secrets.token_urlsafe(9))
            migrate(make_engine(server.admin_url("mysql")), database="stockd", passwords=passwords)
            user = make_url(server.admin_url("stockd")).set(
                username=user_name("market"), password=passwords["market"]
            )
            _name_the_stocks(make_engine(server.admin_url("stockd")), sections)
            with _pages(server, passwords["site"], folder) as (php, url, password):
                cookie = _log_in(url, password)
                paced = (int(rate), seconds, sections, server, user, folder)
                began = _cpu_s(php)
                seen = _rounds(rounds, tabs, url, cookie, paced)
                # of PHP alone: what a busy machine does to the clock does not count
                spent = 1e3 * (_cpu_s(php) - began) / max(1, seen["asked"])
                return seen | {"php_cpu_ms_per_answer": round(spent, 2)}
        finally:
            server.stop()


def _rounds(
    rounds: int, tabs: int, url: str, cookie: str, paced: tuple[int, float, int, Any, URL, Path]
) -> dict[str, Any]:
    without, with_tabs, answers = [], [], []
    failed, asked, stocks, size = 0, 0, [], 0
    for _ in range(rounds):
        without.append(one_rate(*paced))
        with _tabs(tabs, url, cookie) as seen:
            with_tabs.append(one_rate(*paced))
        # the tabs are open before the first tick and after the last: what counts is in between
        sent = json.loads((paced[-1] / "truth.json").read_text("utf-8"))["sent_at"]
        answers += [one for one in seen["answers"] if sent[0] < one[0] < sent[-1]]
        failed, size = failed + seen["failed"], max(size, seen["bytes"])
        asked += seen["asked"]
        stocks.append(seen["stocks"])
    with _tabs(tabs, url, cookie) as quiet:
        time.sleep(QUIET_S)
    both = {"without": _medians(without), "with_tabs": _medians(with_tabs)}
    return {
        "ticks_per_s_in": both["with_tabs"]["ticks_per_s_in"],
        "tabs": tabs,
        "rounds": rounds,
        **both,
        **{
            f"ratio_{name}": round(both["with_tabs"][key] / both["without"][key], 3)
            for name, key in (("p50", "tick_to_row_ms_p50"), ("p99", "tick_to_row_ms_p99"))
        },
        "each_without": [_short(one) for one in without],
        "each_with_tabs": [_short(one) for one in with_tabs],
        "asked": asked + quiet["asked"],
        "answers_failed": failed + quiet["failed"],
        "stocks_in_answer": min(stocks),
        "answer_bytes": size,
        **_answers("", answers),
        **_answers("quiet_", quiet["answers"]),
    }


def _answers(prefix: str, answers: list[list[float]]) -> dict[str, Any]:
    waited, spent = (sorted(one[at] for one in answers) for at in (1, 2))
    return {
        f"{prefix}answers": len(answers),
        f"{prefix}answer_ms_p50": _at(waited, 0.50),
        f"{prefix}answer_ms_p99": _at(waited, 0.99),
        f"{prefix}server_ms_p50": _at(spent, 0.50),
        f"{prefix}server_ms_p99": _at(spent, 0.99),
        f"{prefix}share_304": round(sum(one[3] for one in answers) / max(1, len(answers)), 3),
    }


KEYS = ("tick_to_row_ms_p50", "tick_to_row_ms_p99", "cores_daemon", "cores_mariadb", "lost_latest")


def _short(one: dict[str, Any]) -> dict[str, Any]:
    return {key: one[key] for key in KEYS}


def _medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    # the median of the rounds: one disturbed by the machine does not speak for all
    return {
        key: round(statistics.median(one[key] for one in runs), 3)
        for key in ("ticks_per_s_in", *KEYS)
    }


def _at(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 2) if ordered else None


def _cpu_s(php: psutil.Process) -> float:
    """CPU of the pages' server and its workers so far."""
    times = [one.cpu_times() for one in (php, *php.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def _name_the_stocks(engine: Engine, sections: int) -> None:
    rows = [
        {"symbol": symbol_of(section, number), "name": f"종목{section}-{number:02d}"}
        for section in range(1, sections + 1)
        for number in range(STOCKS)
    ]
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO listing (symbol, isin, name, market, last_day)"
                " VALUES (:symbol, '', :name, 'KOSPI', CURDATE())"
            ),
            rows,
        )
    engine.dispose()


@contextmanager
def _pages(
    server: MariaDBServer, db_password: str, folder: Path
) -> Iterator[tuple[psutil.Process, str, str]]:
    """The plugin on its small host: (process, address, password of ``admin``)."""
    port, password = free_port(), secrets.token_urlsafe(9)
    environment = {
        "PHP_CLI_SERVER_WORKERS": str(PHP_WORKERS),
        "DEVHOST_PASSWORD": password,
        "DEVHOST_DB_SOCKET": server.socket,
        "DEVHOST_DB_USER": user_name("site"),
        "DEVHOST_DB_PASSWORD": db_password,
        "DEVHOST_DATA": str(folder / "site"),
    }
    argv = [PHP, "-S", f"127.0.0.1:{port}", "-t", str(HOST), str(HOST / "router.php")]
    with (folder / "php.log").open("wb") as log:
        php = subprocess.Popen(
            argv, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/bbs/login.php")
        yield psutil.Process(php.pid), url, password
    finally:
        os.killpg(php.pid, signal.SIGTERM)  # its workers too
        php.wait(10)


def _wait_for(url: str, seconds: float = 20.0) -> None:
    ends = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own loopback
                return
        except OSError as error:
            if time.monotonic() > ends:
                raise Unavailable(f"{url}: {error}") from None
            time.sleep(0.05)


def _log_in(url: str, password: str) -> str:
    """The cookie of one browser: all tabs share it, as they do."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    form = urllib.parse.urlencode({"mb_id": "admin", "mb_password": password}).encode()
    opener.open(f"{url}/bbs/login.php", timeout=10).close()
    opener.open(f"{url}/bbs/login_check.php", form, timeout=10).close()
    return "; ".join(f"{one.name}={one.value}" for one in jar)


@contextmanager
def _tabs(count: int, url: str, cookie: str) -> Iterator[dict[str, Any]]:
    """``count`` open tabs while entered; what they saw stands in the dict afterwards."""
    seen: dict[str, Any] = {}
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.page_tabs", url, str(count)],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the tabs have no pipes")
    try:
        print(cookie, file=process.stdin, flush=True)  # not on the command line
        process.stdout.readline()  # every tab has its first answer
        yield seen
        process.stdin.close()
        seen.update(json.loads(process.stdout.readline()))
        process.wait(10)
    finally:
        process.kill()
        process.wait(10)
