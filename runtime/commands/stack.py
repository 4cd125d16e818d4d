"""`stockd up`, `down`, `status`: the stack of this machine, in the background."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from runtime.settings import load_settings, read_settings
from runtime.stack.machine import Stack
from runtime.stack.machine import status as status_of
from runtime.stack.place import Place
from runtime.stack.supervisor import Supervisor
from trading.errors import BadInput, ConfigError, Unavailable


def here() -> Place:
    """The place the settings name."""
    return Place(Path(load_settings().local.directory).absolute())


@click.command()
@click.argument("part", default="")
def up(part: str) -> None:
    """전체를 켭니다: 서버, 데몬, Celery. 이름을 주면 (예: market) 꺼 둔 그 하나만."""
    if part:
        _one(part).start(part)
        click.echo(f"켰습니다: {part}")
        return
    settings = read_settings(dict(os.environ))  # ours, not those of a stack that runs already
    if not settings.kis.sections:
        raise ConfigError("kis.sections (STOCKD_KIS__SECTIONS)", "is empty: no app key")
    stack = Stack(Place(Path(settings.local.directory).absolute()), settings, say=click.echo)
    stack.up()
    user, port, password = stack.flower
    click.echo(f"켜졌습니다. 상태: stockd status, 끄기: stockd down, 기록: {stack.place.logs}")
    click.echo(f"Flower: http://127.0.0.1:{port}/ ({user} / {password})")


@click.command()
@click.argument("part", default="")
def down(part: str) -> None:
    """모두 끕니다. 이름을 주면 (예: market) 그 하나만 끄고 나머지는 둡니다."""
    place = here()
    if part:
        _one(part).stop(part)
        click.echo(f"껐습니다: {part}. 다시 켜기: stockd up {part}")
        return
    if not place.is_running():
        click.echo("돌고 있는 것이 없습니다")
        return
    Supervisor(place).end()
    click.echo("모두 껐습니다")


def _one(part: str) -> Supervisor:
    """The running stack's supervisor. BadInput when it has no such part, Unavailable without it."""
    place = here()
    if not place.is_running():
        raise Unavailable("nothing runs here: `stockd up` starts it")
    supervisor = Supervisor(place)
    names = [one["name"] for one in supervisor.processes()]
    if part not in names:
        raise BadInput("PART", part, f"one of {', '.join(names)}")
    return supervisor


@click.command()
@click.option("--json", "as_json", is_flag=True, help="한 줄 JSON")
def status(as_json: bool) -> int:
    """무엇이 돌고 있는지. 모두 돌고 있으면 0, 아니면 1."""
    found = status_of(here())
    whole = found["running"] and all(one["state"] == "RUNNING" for one in found["processes"])
    if as_json:
        click.echo(json.dumps({"whole": whole, **found}, ensure_ascii=False))
        return 0 if whole else 1
    if not found["running"]:
        raise Unavailable("nothing runs here: `stockd up` starts it")
    for one in found["processes"]:
        click.echo(
            f"{one['name']:<16}{one['state']:<10}{one['pid'] or '-':>8}{one['seconds']:>8} s"
        )
    return 0 if whole else 1
