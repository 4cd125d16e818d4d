"""`stockd report DATE`: the ledger, the broker, the account and data.go.kr, compared."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from runtime.report import evening
from runtime.report.words import lines
from runtime.settings import load_settings
from trading.errors import StockdError


@click.command()
@click.argument(
    "day", metavar="[DATE]", required=False, type=click.DateTime(["%Y-%m-%d", "%Y%m%d"])
)
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="한 파일로 쓴 보고서")
@click.option("--json", "as_json", is_flag=True)
def report(day: datetime | None, html: Path | None, as_json: bool) -> int:
    """저녁 대사: 원장, 증권사 체결, 계좌, 공시 종가를 견줍니다. 차이가 있으면 끝값 1."""
    # a container of the order path has its own user and no other
    role = "reader" if "reader" in load_settings().mariadb.passwords else "orders"
    found = evening.report_of(day.date() if day else evening.today(), role)
    if html is not None:
        try:
            evening.write(found, html)
        except OSError as error:
            raise StockdError(f"{html}: {error.strerror or error}") from None
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        click.echo("\n".join(lines(found)))
        if html is not None:
            click.echo(f"{html} 에 썼습니다")
    return 0 if found.ok else 1
