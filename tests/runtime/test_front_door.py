"""The front door: exit codes, one line of error, nothing loaded that was not called for (P15)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def stockd(tmp_path: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `stockd …` in an empty directory with nothing set but ``environ``."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *args],
        cwd=tmp_path,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)} | environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("args", "environ", "code", "said"),
    [
        (("nonsense",), {}, 2, "nonsense"),
        (("demo", "--seconds", "soon"), {}, 2, "soon"),
        (("demo", "--sections", "9"), {}, 2, "9"),
        (("market",), {}, 2, "kis.sections"),
        (("up",), {}, 2, "STOCKD_KIS__SECTIONS"),
        (("config", "show"), {"STOCKD_KIS__CEILING": "x"}, 2, "STOCKD_KIS__CEILING"),
        (("db", "url", "--role", "boss"), {}, 2, "boss"),
        (("db", "url", "--role", "reader"), {}, 2, "mariadb.passwords.reader"),
        (("status",), {}, 1, "stockd up"),
        (("bench", "speed"), {}, 2, "speed"),
        (("bench", "budget", "--sections", "9"), {}, 2, "--sections"),
        (("bench", "feed", "--sections", "50", "--rate", "900"), {}, 2, "2000 stocks"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    args: tuple[str, ...], environ: dict[str, str], code: int, said: str, tmp_path: Path
) -> None:
    done = stockd(tmp_path, *args, **environ)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_config_show_masks_secrets(tmp_path: Path) -> None:
    secret = "PSveryverysecret"
    done = stockd(
        tmp_path, "config", "show", "--json",
        STOCKD_KIS__SECTIONS__0__APP_KEY=secret,
        STOCKD_KIS__SECTIONS__0__APP_SECRET=secret,
        STOCKD_KIS__SECTIONS__0__ACCOUNT="12345678-01",
        STOCKD_REDIS__URL="redis://:hidden@127.0.0.1:6379",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kis"]["sections"][0]["label"] == "section-1"
    for hidden in (secret, "12345678", "hidden"):
        assert hidden not in done.stdout


def test_help_loads_no_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli", "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "stockd" in done.stdout
    for heavy in ("celery", "sqlalchemy", "rich.live"):
        assert f" {heavy}\n" not in done.stderr
