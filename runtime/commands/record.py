"""`stockd record [on|off|status]`: the raw frames of the day, written by the running daemon."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from runtime.record.place import directory, switch
from runtime.record.recorder import recordings

FRESH_S = 10.0  # a file that was written this lately is being written


@click.command()
@click.argument("action", type=click.Choice(["on", "off", "status"]), default="status")
@click.option("--json", "as_json", is_flag=True)
def record(action: str, as_json: bool) -> None:
    """받은 전문을 그대로 기록합니다: on, off, status. 도는 시장 데몬이 1초 안에 따릅니다."""
    if action != "status":
        switch().turn(action == "on")
    seen = look()
    if as_json:
        click.echo(json.dumps(seen, ensure_ascii=False))
        return
    click.echo(f"기록 {'켬' if seen['on'] else '끔'}: {seen['directory']}")
    for one in seen["files"]:
        writing = "  기록 중" if one["writing"] else ""
        click.echo(f"{one['file']:<28}{one['bytes'] / 1e6:>10.1f} MB{writing}")


def look() -> dict[str, Any]:
    """on, directory, and of each file its name, bytes, and whether it grows now."""
    now = time.time()
    files = []
    for path in recordings(directory()):
        seen = path.stat()
        writing = now - seen.st_mtime < FRESH_S
        files.append({"file": path.name, "bytes": seen.st_size, "writing": writing})
    return {"on": switch().is_on(), "directory": str(directory()), "files": files}
