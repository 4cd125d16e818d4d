"""`stockd bench NAME`: one benchmark of benchmarks/."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import subprocess
import time

import click

from runtime.awake import DEVICE, Awake
from runtime.loop import kst_now
from runtime.stack.machine_id import machine
from runtime.stack.place import CHECKOUT

NAMES = ("parse", "feed", "bars", "budget", "sweep", "strike", "poll", "replay", "soak", "page")


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--seconds", type=click.FloatRange(min=1), help="이만큼 잽니다")
@click.option("--rate", type=click.FloatRange(1, 200_000), help="초당 체결 수")
@click.option("--sections", type=click.IntRange(1, 200), help="웹소켓 섹션 수 (섹션당 40종목)")
@click.option("--awake", is_flag=True, help="그동안 프로세서를 재우지 않습니다 (local.awake처럼)")
@click.option("--json", "as_json", is_flag=True)
def bench(name: str, as_json: bool, awake: bool, **wish: float | None) -> None:
    """측정 하나: benchmarks/NAME.py."""
    if importlib.util.find_spec(f"benchmarks.{name}") is None:
        raise click.UsageError(f"benchmarks/{name}.py is not part of this version")
    started = time.monotonic()
    run = importlib.import_module(f"benchmarks.{name}").run
    chosen = {option: value for option, value in wish.items() if value is not None}
    for option in chosen.keys() - inspect.signature(run).parameters.keys():
        raise click.UsageError(f"--{option}: benchmark {name} has no such option")
    keeper = Awake(lambda _: awake)
    keeper.look(kst_now())
    if awake and not keeper.held:
        raise click.UsageError(f"--awake: {DEVICE} cannot be opened here")
    figures = dict(run(**chosen))
    figures |= {
        "awake": keeper.held,
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
