"""The house stays easy to see: imports only go down, and nothing is opened at import."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("workers", "tasks", "runtime", "kis", "datagokr", "budget", "db", "trading", "simulator")
FRONT_DOORS = {
    # the two single files at the top stand above every floor, and this is all they may know
    "cli": {"runtime"},
    "beat_schedule": {"trading"},
}

# every way out of the process raises; a module that needs one at import cannot be imported
GUARD = """
import builtins, os, socket, subprocess, sys
def refuse(*a, **k):
    raise AssertionError("opened something at import")
socket.socket.connect = refuse
socket.create_connection = refuse
subprocess.Popen.__init__ = refuse
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def modules() -> list[str]:
    names = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.name == "__main__.py":
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return [*names, *FRONT_DOORS]


def test_every_module_imports_with_an_empty_environment_and_no_network(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GUARD, *modules()],
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert list(tmp_path.iterdir()) == [], "an import left a file behind"


@pytest.mark.parametrize("door", sorted(FRONT_DOORS))
def test_the_two_files_at_the_top_know_only_the_floor_below(door: str) -> None:
    tree = ast.parse((ROOT / f"{door}.py").read_text(encoding="utf-8"))
    seen = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            seen |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            seen.add(node.module.split(".")[0])
    assert seen & set(ROOMS) <= FRONT_DOORS[door]


def test_whoever_sends_an_order_past_the_ledger_breaks_the_import_rule(tmp_path: Path) -> None:
    """The rule is tried, not read: a task that builds a broker of its own must be caught."""
    for room in (*ROOMS, "benchmarks"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    def rule() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--contract", "orders"],
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            cwd=tmp_path, capture_output=True, text=True, timeout=90,
        )  # fmt: skip

    kept = rule()
    assert kept.returncode == 0, kept.stdout
    (tmp_path / "tasks" / "quick.py").write_text("from kis.broker import KisBroker\n", "utf-8")
    broken = rule()
    assert broken.returncode == 1
    assert "tasks.quick" in broken.stdout


def test_the_wheel_carries_every_room() -> None:
    """setuptools' own discovery leaves tasks/ out without a word, so the rooms are named."""
    import tomllib
    from fnmatch import fnmatch

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = listed["tool"]["setuptools"]["packages"]["find"]["include"]
    on_disk = {
        str(path.parent.relative_to(ROOT)).replace("/", ".")
        for room in (*ROOMS, "benchmarks")
        for path in (ROOT / room).rglob("*.py")
    }
    assert [name for name in sorted(on_disk) if not any(fnmatch(name, one) for one in named)] == []
    assert [
        name for name in on_disk if not (ROOT / name.replace(".", "/") / "__init__.py").exists()
    ] == []


def test_no_module_is_a_maze() -> None:
    """Small files: about 400 lines is the longest a reader should meet."""
    long = {
        str(path.relative_to(ROOT)): lines
        for room in (*ROOMS, "benchmarks")
        for path in (ROOT / room).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert long == {}


def test_the_repository_speaks_of_the_project_alone() -> None:
    """No path of a developer's machine stands in a tracked text."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=30
    ).stdout.split("\0")
    offenders = []
    for name in filter(None, tracked):
        path = ROOT / name
        if path == Path(__file__) or not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        text = path.read_bytes()
        if b"/work/" in text or b"/root/" in text:
            offenders.append(name)
    assert offenders == []
