"""`stockd market` as a process: real settings, Redis, approval key and budget; SIGTERM ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from sqlalchemy import make_url

from simulator.keys import customer, settings_toml
from simulator.testing import start_simulator

ROOT = Path(__file__).resolve().parents[2]


def settings_of(kis: str, feed_db, redis_url: str, directory: Path) -> str:  # type: ignore[no-untyped-def]
    url = make_url(feed_db.url)
    return kis.replace("[kis]", '[kis]\nenv = "real"', 1) + "\n".join(
        [
            "[mariadb]",
            f'socket = "{url.query["unix_socket"]}"',
            f'database = "{feed_db.name}"',
            f'user_prefix = "{feed_db.users}"',
            "[mariadb.passwords]",
            'market = "pw-market"',
            'desk = "pw-desk"',
            "[redis]",
            f'url = "{redis_url.rsplit("/", 1)[0]}"',
            "[local]",
            f'directory = "{directory / "local"}"',
            "",
        ]
    )


@dataclass
class Shell:
    """`stockd …` as a person types it, with the settings of one file."""

    directory: Path
    env: dict[str, str]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cli", *words],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=110,
        )  # fmt: skip

    @contextmanager
    def daemon(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """`stockd market …` in the foreground of its own; its log is ``log_of(*words)``."""
        with self.log_of(*words).open("ab") as log:
            command = [sys.executable, "-m", "cli", "market", *words]
            process = subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=log)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def log_of(self, *words: str) -> Path:
        return self.directory / f"log{''.join(words)}"


@pytest.fixture
def shell(feed_db, redis_url: str, tmp_path: Path):  # type: ignore[no-untyped-def]
    """``shell(kis)``: ``kis`` is the broker's part of the settings. No key was ever used."""
    redis.Redis.from_url(redis_url).flushall()  # approval keys and connects of another simulator

    def make(kis: str) -> Shell:
        config = tmp_path / "stockd.toml"
        config.write_text(settings_of(kis, feed_db, redis_url, tmp_path), "utf-8")
        env = {k: v for k, v in os.environ.items() if not k.startswith("STOCKD_")}
        return Shell(tmp_path, env | {"STOCKD_CONFIG": str(config)})

    return make


def end(process: subprocess.Popen[bytes], log: Path) -> None:
    """SIGTERM, and a tidy end within five seconds."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0, log.read_text("utf-8")
    assert time.monotonic() - began < 5.0


def test_the_daemon_ends_within_five_seconds_and_leaves_no_ghost(feed_db, shell, until) -> None:
    with start_simulator("calm", sections=2, symbols=20, rate=300.0) as simulator:
        stockd = shell(simulator.settings_toml)
        first, second = list(simulator.look("stocks"))[:2]
        added = stockd("watch", "add", first, second)
        assert added.returncode == 0, added.stderr
        with stockd.daemon() as daemon:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 2, 60)
            assert first in stockd("watch", "list").stdout
            end(daemon, stockd.log_of())
        stats = simulator.stats()
        assert stats["registrations"] == {}
        assert stats["refused"] == {}
        assert stats["approvals_issued"] == {"simkey-1": 1, "simkey-2": 1}
        text = stockd.log_of().read_text("utf-8")
        for one in simulator.customers:
            assert one.app_key not in text
            assert one.app_secret not in text
            assert one.account[:8] not in text
        assert feed_db.one("SELECT state FROM daemon WHERE name = 'market'") == "STOPPED"


@pytest.mark.timeout(300)  # eight commands, each a process
def test_the_201st_stock_is_refused_and_told_why(feed_db, shell) -> None:
    customers = [customer(number) for number in range(1, 6)]
    # nothing is asked of the broker for this
    stockd = shell(settings_toml("http://127.0.0.1:9", "ws://127.0.0.1:9", customers))
    symbols = [f"{number:06d}" for number in range(1, 203)]
    full = stockd("watch", "add", *symbols[:200])
    assert full.returncode == 0, full.stderr

    refused = stockd("watch", "add", symbols[200])
    assert refused.returncode != 0
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert symbols[200] in line
    assert "200종목(5섹션 × 40)" in line
    assert "섹션(앱키)을 더하세요" in line
    assert feed_db.one("SELECT COUNT(*) FROM watch") == 200
    assert "이미 있음" in stockd("watch", "add", symbols[0]).stdout, "one that is in is no 201st"

    assert "뺌" in stockd("watch", "remove", symbols[7]).stdout
    taken = stockd("watch", "add", symbols[200], symbols[201])
    assert "추가" in taken.stdout, "the first of the two has the free place"
    assert symbols[201] in taken.stderr
    assert taken.returncode != 0
    assert stockd("watch", "list").stdout.splitlines()[-1] == "200 / 200 종목"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_sections_spread_over_two_processes(feed_db, shell, until) -> None:
    """As on two machines: each takes its share of one watch list, and no stock is left out."""
    with start_simulator("calm", sections=2, symbols=24, rate=400.0) as simulator:
        stockd = shell(simulator.settings_toml)
        symbols = list(simulator.look("stocks"))[:24]
        assert stockd("watch", "add", *symbols[:20]).returncode == 0

        def homes() -> dict[str, int]:
            rows = feed_db.rows("SELECT symbol, section FROM market WHERE price > 0")
            return {row.symbol: row.section for row in rows}

        def each_once(stocks: list[str]) -> bool:
            """The broker's own word: both sections together hold each stock once."""
            held = simulator.stats()["registrations"]  # with a fill notice a section
            return sum(held.values()) == len(stocks) + 2 and set(stocks) <= homes().keys()

        one, two = ("--section", "1"), ("--section", "2")
        with stockd.daemon(*one) as first:
            until(lambda: len(homes()) == 10, 60, "half of the list is ours")
            assert set(homes().values()) == {1}
            with stockd.daemon(*two) as second:
                until(lambda: each_once(symbols[:20]), 60)
                assert sorted(homes().values()) == [1] * 10 + [2] * 10
                assert simulator.stats()["registrations"] == {"simkey-1": 11, "simkey-2": 11}
                # the list changes under both: still each stock once, and few have moved
                before = homes()
                assert stockd("watch", "remove", symbols[3], symbols[4]).returncode == 0
                assert stockd("watch", "add", *symbols[20:]).returncode == 0
                now = [s for s in symbols if s not in (symbols[3], symbols[4])]
                until(lambda: each_once(now), 30)
                time.sleep(2.5)  # two more looks at the list
                assert each_once(now)
                after = homes()
                assert {s: after[s] for s in now if s in before} == {
                    s: before[s] for s in now if s in before
                }
                names = feed_db.rows("SELECT name FROM daemon WHERE state = 'RUNNING'")
                assert {row.name for row in names} == {"market-1", "market-2"}
                end(second, stockd.log_of(*two))
            assert simulator.stats()["registrations"].keys() == {"simkey-1"}
            end(first, stockd.log_of(*one))
        assert simulator.stats()["registrations"] == {}
        assert simulator.stats()["refused"] == {}


def test_a_process_started_anew_agrees_with_the_one_that_runs(feed_db, shell, until) -> None:
    """Two processes, one of them started anew, then a shorter list: the same plan in both."""
    with start_simulator("calm", sections=2, symbols=12, rate=400.0) as simulator:
        stockd = shell(simulator.settings_toml)
        symbols = list(simulator.look("stocks"))[:12]
        assert stockd("watch", "add", *symbols).returncode == 0

        def homes() -> dict[str, int]:
            rows = feed_db.rows("SELECT symbol, section FROM market WHERE price > 0")
            return {row.symbol: row.section for row in rows}

        def held() -> dict[str, int]:
            return dict(simulator.stats()["registrations"])  # with a fill notice a section

        one, two = ("--section", "1"), ("--section", "2")
        with stockd.daemon(*one), stockd.daemon(*two) as second:
            until(lambda: len(homes()) == 12 and sum(held().values()) == 14, 30)
            before = homes()
            end(second, stockd.log_of(*two))
            with stockd.daemon(*two):
                until(lambda: sum(held().values()) == 14, 60)
                gone = symbols[2]
                assert stockd("watch", "remove", gone).returncode == 0
                until(lambda: sum(held().values()) == 13, 20)
                time.sleep(2.5)  # two more looks at the list
                assert sum(held().values()) == 13, "a stock in both sections, or in none"
                after = homes()
                moved = [s for s in symbols if s != gone and after[s] != before[s]]
                assert moved == [], "a change moves few"
