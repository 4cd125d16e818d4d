"""The site: builds without a warning, needs nothing from elsewhere, speaks the page's language."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.docs import site

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = re.compile(
    r"<(?:script|img|iframe)[^>]+src=\"?(?:https?:)?//[^\s\">]+"
    r"|<link[^>]+rel=\"?(?:stylesheet|preconnect)[^>]+href=\"?(?:https?:)?//[^\s\">]+"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed (dependency group docs)")
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(target)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_nothing_is_fetched_from_elsewhere(built: Path) -> None:
    for page in built.rglob("*.html"):
        assert ELSEWHERE.findall(page.read_text("utf-8")) == [], page.name
    for sheet in built.rglob("*.css"):
        assert not re.search(r"url\(\"?https?:", sheet.read_text("utf-8")), sheet.name


def test_each_page_speaks_its_language(built: Path) -> None:
    for name, language in (("index.html", "ko"), ("ko/faq.html", "ko"), ("en/faq.html", "en")):
        assert re.search(rf"<html[^>]* lang=\"?{language}\b", (built / name).read_text("utf-8"))


def test_the_search_knows_korean(built: Path) -> None:
    index = json.loads((built / "search" / "search_index.json").read_text("utf-8"))
    assert "ko" in index["config"]["lang"]
    assert any("체결통보" in entry["text"] for entry in index["docs"])


def test_a_drawing_becomes_arrows() -> None:
    drawing = (
        "```mermaid\nflowchart LR\n  A[page] --> B[(table)] -- EVENT --> C[[queue x]]\n"
        "  B -. wake-up .-> D[other]\n```\n"
    )
    assert site.on_page_markdown(drawing) == (
        "```text\npage → table ─(EVENT)→ queue x\ntable ─(wake-up)→ other\n```\n"
    )
