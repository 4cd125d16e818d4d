"""`stockd demo`: the whole machine against the simulator."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from runtime.settings import read_settings


@click.command()
@click.option("--seconds", type=click.FloatRange(min=1), help="이만큼 돌고 스스로 끝냅니다")
@click.option("--sections", type=click.IntRange(1, 5), default=5, show_default=True)
@click.option("--rate", type=click.FloatRange(1, 20000), default=1000.0, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--keep", is_flag=True, help="끝난 뒤 테이블과 기록을 남깁니다")
@click.option("--json", "as_json", is_flag=True, help="마지막 줄에 JSON 하나")
def demo(**wish: Any) -> int:
    """시뮬레이터로 전체를 돌려 보여 줍니다. Ctrl-C 로 끝냅니다."""
    from runtime.demo.run import Wish, run  # noqa: PLC0415

    directory = Path(read_settings(dict(os.environ)).local.directory) / "demo"
    result = run(Wish(directory=directory, **wish))
    interrupted = result.pop("interrupted")
    if wish["as_json"]:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        _summary(result)
    if interrupted and wish["seconds"] is None:
        return 0  # a person has seen enough
    if not result["ok"]:
        click.echo(f"stockd: demo: {'; '.join(result['faults'])}", err=True)
    return 0 if result["ok"] else 1


def _summary(result: dict[str, Any]) -> None:
    for key, value in result.items():
        click.echo(f"{key:<26} {json.dumps(value, ensure_ascii=False)}")
