"""`stockd condition …`: what the page does, for people without Gnuboard."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable
from typing import Any

import click

from db.conditions import TYPED, ConditionBook, typed
from runtime import orders, wiring
from runtime.loop import kst_now
from trading.conditions import Condition, validate
from trading.words import OPS, SIDES

HELP = {
    "symbol": "종목코드", "side": "BUY 또는 SELL", "trigger_op": "LE 이하, GE 이상",
    "strike_price": "타격 가격, 원", "order_kind": "LIMIT MARKET BEST …",
    "limit_price": "지정가 (비우면 타격 가격)", "venue": "KRX NXT SOR", "quantity": "수량",
    "amount": "금액 (수량 대신)", "valid_from": "유효 시작", "valid_until": "유효 끝",
    "window_from": "하루 중 시작", "window_until": "하루 중 끝", "max_age_ms": "체결가의 최대 나이",
    "day_amount_cap": "하루 금액 한도", "day_strike_cap": "하루 횟수 한도",
    "trail_percent": "트레일링 스톱 %", "arms_after": "이 조건이 체결된 뒤에만",
    "oco_group": "묶음 번호", "memo": "메모",
}  # fmt: skip


def _fields(command: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(TYPED):
        command = click.option(f"--{name.replace('_', '-')}", name, help=HELP[name])(command)
    return command


def _book() -> ConditionBook:
    return ConditionBook(wiring.engine("desk"), orders.site(), "cli")


def _judge(book: ConditionBook, row: dict[str, str | None]) -> Condition:
    mock = wiring.kis_env() is wiring.Env.MOCK
    context = book.context(row.get("symbol") or "", orders.account(), kst_now(), mock=mock)
    return validate(row, context)


@click.group()
def condition() -> None:
    """매매 조건."""


@condition.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """모든 조건과 기계가 본 상태."""
    rows = _book().list()
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        click.echo(_line(row))
    if not rows:
        click.echo("조건이 없습니다")


def _line(row: dict[str, Any]) -> str:
    side, way = SIDES[row["side"]], OPS[row["trigger_op"]]
    size = f"{row['quantity']:,}주" if row["quantity"] else f"{row['amount']:,}원어치"
    on = "켜짐" if row["enabled"] else "꺼짐"
    seen = " ".join(filter(None, (row["machine_state"], row["machine_reason"])))
    return (
        f"{row['id']:>4} {on} {row['symbol']} {row['strike_price']:,}원 {way} {side} {size}"
        f" {row['order_kind']} {row['memo']} {seen}".rstrip()
    )


@condition.command()
@_fields
@click.option("--arm", "arm_now", is_flag=True, help="바로 켭니다")
@click.option("--json", "as_json", is_flag=True)
def add(arm_now: bool, as_json: bool, **row: str | None) -> None:
    """새 조건 (꺼진 채로)."""
    book = _book()
    made = book.add(_judge(book, row))
    if arm_now:
        book.arm(made)
    _done(made, "켰습니다" if arm_now else "만들었습니다 (꺼짐)", as_json)


@condition.command()
@click.argument("condition_id", type=int)
@_fields
@click.option("--json", "as_json", is_flag=True)
def edit(condition_id: int, as_json: bool, **row: str | None) -> None:
    """고칩니다. 켜져 있었으면 꺼집니다."""
    book = _book()
    old = book.get(condition_id)
    changed = {name: value for name, value in row.items() if value is not None}
    book.edit(condition_id, _judge(book, {**typed(old), **changed}), old["rev"])
    _done(condition_id, "고쳤습니다 (꺼짐)", as_json)


@condition.command()
@click.argument("condition_id", type=int)
@click.option("--json", "as_json", is_flag=True)
def arm(condition_id: int, as_json: bool) -> None:
    """켭니다: 한 번의 장전은 많아야 한 주문."""
    book = _book()
    row = book.get(condition_id)
    _judge(book, dict(typed(row)))  # what was right when it was made may not be today
    book.arm(condition_id, row["rev"])
    _done(condition_id, "켰습니다", as_json)


@condition.command()
@click.argument("condition_id", type=int)
@click.option("--json", "as_json", is_flag=True)
def disarm(condition_id: int, as_json: bool) -> None:
    """끕니다."""
    _book().disarm(condition_id)
    _done(condition_id, "껐습니다", as_json)


@condition.command()
@click.argument("condition_id", type=int)
@click.option("--json", "as_json", is_flag=True)
def remove(condition_id: int, as_json: bool) -> None:
    """지웁니다 (이력은 남습니다)."""
    _book().remove(condition_id)
    _done(condition_id, "지웠습니다", as_json)


def _done(condition_id: int, words: str, as_json: bool) -> None:
    said = json.dumps({"id": condition_id}) if as_json else f"조건 {condition_id}: {words}"
    click.echo(said)


def who() -> str:
    """The person at this machine, for the stop switch."""
    try:
        return getpass.getuser()[:20]
    except (KeyError, OSError):
        return "cli"
