"""What the plugin shares with machine and core: one DDL, one corpus, one list of names."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from db.script import sql_file
from tests.gnuboard.site import GNUBOARD, Site
from trading.lifecycle import State
from trading.words import OPS, SIDES, STATES

PLUGIN = GNUBOARD / "plugin" / "stockd"
HERE = Path(__file__).parent
CORPUS = HERE.parent / "payloads" / "conditions.json"
SOURCES = sorted([*PLUGIN.rglob("*.php"), *(GNUBOARD / "extend").glob("*.php")])
pytestmark = pytest.mark.skipif(
    shutil.which("php") is None, reason="php is not installed: apt install php-cli php-mysql"
)


def php(script: str, given: str = "") -> str:
    done = subprocess.run(
        ["php", str(HERE / script)], input=given, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_plugin_carries_the_ddl_byte_for_byte() -> None:
    source = (
        Path(sql_file("condition.sql").path)
        if hasattr(sql_file("condition.sql"), "path")
        else GNUBOARD.parent / "db" / "sql" / "condition.sql"
    )
    assert (PLUGIN / "sql" / "condition.sql").read_bytes() == source.read_bytes()


def test_php_judges_each_condition_of_the_corpus_as_written() -> None:
    cases = json.loads(CORPUS.read_text("utf-8"))
    verdicts = json.loads(php("judge.php", CORPUS.read_text("utf-8")))
    wrong = [
        (case["name"], case["verdict"], said)
        for case, said in zip(cases, verdicts, strict=True)
        if said != case["verdict"]
    ]
    assert wrong == []


def test_page_and_machine_call_a_thing_by_the_same_word() -> None:
    told = json.loads(php("words.php"))
    assert told == {"states": STATES, "sides": SIDES, "ops": OPS}
    assert set(STATES) == set(State)


def test_every_php_file_parses_and_uses_nothing_newer_than_7_4() -> None:
    files = [*SOURCES, *(GNUBOARD / "devhost").glob("*.php")]
    for file in files:
        done = subprocess.run(["php", "-l", str(file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    assert json.loads(php("newer.php", "\n".join(map(str, SOURCES)))) == []


def test_the_plugin_uses_no_core_name_outside_the_manifest() -> None:
    manifest = json.loads((GNUBOARD / "devhost" / "manifest.json").read_text("utf-8"))
    used = json.loads(php("names.php", "\n".join(map(str, SOURCES))))
    for kind in ("functions", "constants", "globals", "hooks"):
        assert used[kind] == sorted(manifest[kind]), kind


def test_no_code_of_the_plugin_runs_when_its_files_are_opened_directly(site: Site) -> None:
    for file in SOURCES:
        if file.name in ("index.php", "_common.php"):
            continue
        done = subprocess.run(
            ["php", "-d", "display_errors=1", str(file)], capture_output=True, text=True
        )
        assert done.stdout == "", file


def test_nothing_of_the_plugin_comes_from_elsewhere_or_holds_a_secret() -> None:
    for file in [
        *PLUGIN.rglob("*.php"),
        *(PLUGIN / "assets").glob("*.js"),
        *(PLUGIN / "assets").glob("*.css"),
    ]:
        text = file.read_text("utf-8")
        assert not re.search(r"(src|href|url\()\s*=?\s*[\"'(]?https?://", text), file
        assert not re.search(r"app_?secret|app_?key|access_token", text, re.I), file
    assert "Apache License" in (
        PLUGIN / "assets" / "vendor" / "lightweight-charts.LICENSE"
    ).read_text("utf-8")


def test_each_folder_of_the_plugin_shows_no_listing() -> None:
    for folder in [PLUGIN, *(one for one in PLUGIN.rglob("*") if one.is_dir())]:
        assert (folder / "index.html").exists() or (folder / "index.php").exists(), folder
