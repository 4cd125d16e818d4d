"""`stockd backup DIR|FILE`, `stockd restore FILE`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from runtime import backup as backups


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--bars", is_flag=True, help="봉도 함께 (큽니다)")
@click.option("--json", "as_json", is_flag=True)
def backup(target: Path, bars: bool, as_json: bool) -> None:
    """조건, 원장, 체결, 설정을 파일 하나에 둡니다. 도는 중에 해도 됩니다."""
    made = backups.backup(target, bars=bars)
    if as_json:
        click.echo(json.dumps({"file": str(made.path), "schema": made.schema, "rows": made.rows}))
        return
    size = made.path.stat().st_size
    click.echo(f"{made.path}: {sum(made.rows.values()):,}행, {size:,} 바이트")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True)
def restore(file: Path, as_json: bool) -> None:
    """빈 데이터베이스에 되돌립니다. 끝나면 주문은 멈춰 있고 조건은 모두 해제되어 있습니다."""
    made, events = backups.restore(file)
    if as_json:
        click.echo(json.dumps({"at": made.at, "rows": made.rows, "events_verified": events}))
        return
    click.echo(f"{made.at} 의 {sum(made.rows.values()):,}행을 되돌렸습니다")
    click.echo(f"원장 사건 {events:,}개: 이상 없음. HTS 와 견준 뒤 stockd resume 이유")
