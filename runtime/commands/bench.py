"""`stockd bench NAME`: one benchmark of benchmarks/."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import time

import click

from runtime.loop import kst_now
from runtime.stack.machine_id import machine
from runtime.stack.place import CHECKOUT

NAMES = ("parse", "feed", "bars", "budget", "sweep", "strike", "poll", "replay")


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--json", "as_json", is_flag=True)
def bench(name: str, as_json: bool) -> None:
    """측정 하나: benchmarks/NAME.py."""
    if importlib.util.find_spec(f"benchmarks.{name}") is None:
        raise click.UsageError(f"benchmarks/{name}.py is not part of this version")
    started = time.monotonic()
    figures = dict(importlib.import_module(f"benchmarks.{name}").run())
    figures |= {
        "machine": machine(),
        "commit": _commit(),
        "at": kst_now().isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 1),
    }
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
        return
    for key, value in figures.items():
        click.echo(f"{key:<28} {value}")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "unknown"
