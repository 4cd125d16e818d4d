"""`stockd market` as a process: real settings, Redis, approval key and budget; SIGTERM ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import make_url

from simulator.testing import start_simulator

ROOT = Path(__file__).resolve().parents[2]


def settings_of(simulator, feed_db, redis_url: str, directory: Path) -> str:  # type: ignore[no-untyped-def]
    url = make_url(feed_db.url)
    return simulator.settings_toml.replace("[kis]", '[kis]\nenv = "real"', 1) + "\n".join(
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


def test_the_daemon_ends_within_five_seconds_and_leaves_no_ghost(
    feed_db, redis_url, tmp_path, until
) -> None:
    with start_simulator("calm", sections=2, symbols=20, rate=300.0) as simulator:
        config = tmp_path / "stockd.toml"
        config.write_text(settings_of(simulator, feed_db, redis_url, tmp_path), "utf-8")
        env = {k: v for k, v in os.environ.items() if not k.startswith("STOCKD_")}
        env |= {"STOCKD_CONFIG": str(config)}
        first, second = list(simulator.look("stocks"))[:2]

        def stockd(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "cli", *words],
                cwd=ROOT, env=env, capture_output=True, text=True, timeout=60,
            )  # fmt: skip

        added = stockd("watch", "add", first, second)
        assert added.returncode == 0, added.stderr
        log = (tmp_path / "log").open("wb")
        daemon = subprocess.Popen(
            [sys.executable, "-m", "cli", "market"], cwd=ROOT, env=env, stderr=log
        )
        try:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 2, 30)
            assert first in stockd("watch", "list").stdout
            began = time.monotonic()
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(10) == 0, (tmp_path / "log").read_text()
            assert time.monotonic() - began < 5.0
        finally:
            daemon.kill()
            log.close()
        stats = simulator.stats()
        assert stats["registrations"] == {}
        assert stats["refused"] == {}
        assert stats["approvals_issued"] == {"simkey-1": 1, "simkey-2": 1}
        text = (tmp_path / "log").read_text()
        for one in simulator.customers:
            assert one.app_key not in text
            assert one.app_secret not in text
            assert one.account[:8] not in text
        assert feed_db.one("SELECT state FROM daemon WHERE name = 'market'") == "STOPPED"
