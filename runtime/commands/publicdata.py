"""`stockd publicdata [--from --to]`: tier 3 by hand, a year in one go."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import click
from click.exceptions import Exit
from rich.console import Console
from rich.progress import track

from runtime import wiring
from runtime.loop import kst_now
from runtime.polls import calendar, public_data
from runtime.publicdata import LOOK_BACK_DAYS, DayDone, fill, missing_days
from trading.errors import BadInput

DAY = click.DateTime(["%Y-%m-%d", "%Y%m%d"])


@click.command()
@click.option("--from", "first", type=DAY, help="첫 날 (기본: 2주 전)")
@click.option("--to", "last", type=DAY, help="마지막 날 (기본: 어제)")
@click.option("--json", "as_json", is_flag=True)
def publicdata(first: datetime | None, last: datetime | None, as_json: bool) -> None:
    """3계층: data.go.kr의 전종목 일별 시세. 이미 있는 날은 건너뛰고, 끊겨도 다시 이어집니다."""
    yesterday = kst_now().date() - timedelta(days=1)
    until = last.date() if last else yesterday
    since = first.date() if first else until - timedelta(days=LOOK_BACK_DAYS)
    _check(since, until, yesterday)
    engine = wiring.engine("sweep")
    days = missing_days(engine, calendar(), since, until)
    done: list[DayDone] = []
    bar = track(
        fill(engine, public_data(), days),
        "data.go.kr",
        total=len(days),
        console=Console(stderr=True),
        disable=as_json,
    )
    try:
        for one in bar:
            done.append(one)
    finally:  # what was stored stays, also when the quota ends in the middle
        _tell(days, done, as_json)
    if any(one.unreadable for one in done):
        raise Exit(1)


def _check(since: date, until: date, yesterday: date) -> None:
    if since > until:
        raise BadInput("--from", str(since), f"after --to {until}")
    if until > yesterday:
        raise BadInput("--to", str(until), f"data.go.kr has nothing after {yesterday}")


def _tell(days: list[date], done: list[DayDone], as_json: bool) -> None:
    stocks, stored = sum(one.stocks for one in done), sum(1 for one in done if one.stocks)
    unreadable = {str(one.day): one.unreadable for one in done if one.unreadable}
    empty = [one.day for one in done if not one.stocks and not one.unreadable]
    bad = sum(one.bad for one in done)
    figures = {
        "days_asked": len(days),
        "days_stored": stored,
        "rows": stocks,
        "rows_unreadable": bad,
        "days_empty": [str(day) for day in empty],
        "days_unreadable": unreadable,
        "days_left": len(days) - len(done),
    }
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False))
        return
    click.echo(f"{stored}일 {stocks}행 저장, 남은 날 {len(days) - len(done)}")
    if bad:
        click.echo(f"읽지 못한 행 {bad} (로그에 종목과 값)")
    for day, why in unreadable.items():
        click.echo(f"읽지 못한 날 {day}: {why}")
    if empty:
        click.echo("아직 자료가 없는 날: " + ", ".join(map(str, empty)))
