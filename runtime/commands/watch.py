"""`stockd watch`: which stocks the sections watch. Taken up while the market daemon runs."""

from __future__ import annotations

import getpass
import json

import click

from db.watch import add_watch, armed_symbols, read_watch, remove_watch
from runtime import wiring
from runtime.loop import kst_now
from runtime.market_parts import condition_place, wanted
from runtime.settings import load_settings
from trading.errors import BadInput
from trading.watch_plan import STOCKS_A_SECTION, plan_watch


@click.group()
def watch() -> None:
    """관심 종목: 섹션이 감시하는 종목 (장전된 조건의 종목은 언제나 먼저)."""


@watch.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_command(as_json: bool) -> None:
    """감시 중인 종목과 그 까닭."""
    engine, configured = wiring.engine("desk", autocommit=True), load_settings().watch.symbols
    armed = set(armed_symbols(engine, condition_place()))
    added = set(read_watch(engine))
    symbols = wanted(engine, condition_place(), configured)
    refused = plan_watch(symbols, {}, _numbers()).refused
    rows = [
        {
            "symbol": symbol,
            "why": "조건" if symbol in armed else "추가" if symbol in added else "설정",
            "watched": symbol not in refused,
            "reason": refused.get(symbol, ""),
        }
        for symbol in symbols
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['symbol']:<9} {row['why']}  {row['reason']}".rstrip())
    click.echo(f"{len(rows) - len(refused)} / {len(_numbers()) * STOCKS_A_SECTION} 종목")


@watch.command()
@click.argument("symbols", nargs=-1, required=True)
def add(symbols: tuple[str, ...]) -> None:
    """종목을 더합니다. 자리가 없으면 거절합니다."""
    engine = wiring.engine("desk", autocommit=True)
    for symbol in symbols:
        there = wanted(engine, condition_place(), load_settings().watch.symbols)
        if symbol not in there:
            beyond = plan_watch([*there, symbol], {}, _numbers()).refused
            if symbol in beyond:
                raise BadInput("symbol", symbol, beyond[symbol])
        done = add_watch(engine, symbol, getpass.getuser()[:20], kst_now())
        click.echo(f"{symbol} {'추가' if done else '이미 있음'}")


@watch.command()
@click.argument("symbols", nargs=-1, required=True)
def remove(symbols: tuple[str, ...]) -> None:
    """종목을 뺍니다. 장전된 조건이나 설정의 종목은 남습니다."""
    engine = wiring.engine("desk", autocommit=True)
    for symbol in symbols:
        done = remove_watch(engine, symbol)
        left = symbol in wanted(engine, condition_place(), load_settings().watch.symbols)
        note = " (조건이나 설정이 계속 감시)" if left else ""
        click.echo(f"{symbol} {'뺌' if done else '목록에 없음'}{note}")


def _numbers() -> list[int]:
    return list(range(1, len(load_settings().kis.sections) + 1))
