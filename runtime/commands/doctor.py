"""`stockd doctor`: one line a check, exit 1 when one finds a fault."""

from __future__ import annotations

import dataclasses
import json

import click

from runtime.doctor.checks import examine
from runtime.settings import load_settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="한 줄 JSON")
def doctor(as_json: bool) -> int:
    """장 시작 전에 모든 것을 점검합니다. 문제가 있으면 한 줄에 하나씩 할 일과 함께, 끝값 1."""
    load_settings()  # a wrong setting is not a finding: it ends with 2 like everywhere
    findings = examine()
    ok = all(one.ok for one in findings)
    if as_json:
        lines = [dataclasses.asdict(one) for one in findings]
        click.echo(json.dumps({"ok": ok, "checks": lines}, ensure_ascii=False))
        return 0 if ok else 1
    for one in findings:
        click.echo(f"{'좋음' if one.ok else '문제'}  {one.name:<10} {one.said}", err=not one.ok)
    return 0 if ok else 1
