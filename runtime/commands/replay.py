"""`stockd replay FILE… --speed N`: recorded frames again, into bars of their own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from runtime.record.replay import Wish
from runtime.record.replay import replay as run
from runtime.settings import read_settings


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--speed", type=click.FloatRange(min=0), default=0.0, help="배속; 0 = 되는 만큼 빨리")
@click.option("--directory", type=click.Path(path_type=Path), help="기본: .stockd/replay")
@click.option("--json", "as_json", is_flag=True)
def replay(files: tuple[Path, ...], speed: float, directory: Path | None, as_json: bool) -> int:
    """기록한 하루를 시뮬레이터의 웹소켓으로 데몬에 다시 흘립니다. 봉은 bars.csv에 남습니다."""
    own = Path(read_settings(dict(os.environ)).local.directory) / "replay"
    say = (lambda line: click.echo(line, err=True)) if as_json else click.echo
    result = run(Wish(files, directory or own, speed, say))
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
    else:
        for key, value in result.items():
            click.echo(f"{key:<20} {value}")
    if not result["whole"]:
        click.echo("stockd: replay: not every record is in its bar", err=True)
    return 0 if result["whole"] else 1
