"""PHP 7.4 to 8.4, each for real: every file of the plugin is compiled by it, the corpus judged.

Debian has one PHP; the others come as WebAssembly: ``npm install @php-wasm/node@2.0.22
@php-wasm/universal@2.0.22`` anywhere, and PHP_WASM names its node_modules.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.gnuboard.site import GNUBOARD

HERE = Path(__file__).parent
CORPUS = HERE.parent / "payloads" / "conditions.json"
VERSIONS = ("7.4", "8.0", "8.1", "8.2", "8.3", "8.4")


@cache
def answers() -> dict[str, Any]:
    """What each PHP said, by version; skipped without Node or the WebAssembly builds."""
    folder = os.environ.get("PHP_WASM", "")
    if shutil.which("node") is None or not (Path(folder) / "@php-wasm" / "node").is_dir():
        pytest.skip("PHP_WASM names no node_modules with @php-wasm/node: one PHP was tried alone")
    ours = [*GNUBOARD.glob("extend/*.php"), *GNUBOARD.rglob("plugin/**/*.php")]
    place = {
        one: f"/repo/{one.relative_to(GNUBOARD.parent)}" for one in [*ours, HERE / "judge.php"]
    }
    # these two begin with the site's own files
    includes = [place[one] for one in ours if one.name not in ("_common.php", "index.php")]
    asked = {
        "files": {path: one.read_text("utf-8") for one, path in place.items()},
        "include": includes,
        "run": place[HERE / "judge.php"],
        "input": CORPUS.read_text("utf-8"),
    }
    done = subprocess.run(
        ["node", str(HERE / "other_php.mjs"), *VERSIONS],
        input=json.dumps(asked), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert len(includes) > 30
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_file_compiles_without_a_word_and_the_verdicts_are_the_same(version: str) -> None:
    said = answers()[version]
    assert said["php"].startswith(version + ".")
    assert said["wrong"] == []
    verdicts = json.loads(said["said"])
    assert verdicts == [case["verdict"] for case in json.loads(CORPUS.read_text("utf-8"))]
