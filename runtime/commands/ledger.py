"""`stockd ledger verify`, `ledger settle`, `stockd explain ORDER`: what happened and why."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from db.explain import explain as explain_order
from db.ledger import verify as verify_chain
from db.ledger_person import settle_by_person, unknown_day
from runtime import wiring
from runtime.commands.condition import who
from trading.clock import KST
from trading.errors import BadInput
from trading.words import OPS, SIDES, STATES


@click.group()
def ledger() -> None:
    """원장."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True)
def verify(as_json: bool) -> int:
    """주문 사건의 사슬을 처음부터 끝까지 검사합니다."""
    count, fault = verify_chain(wiring.engine("desk"))
    if as_json:
        click.echo(json.dumps({"events": count, "fault": fault}, ensure_ascii=False))
    else:
        click.echo(fault or f"사건 {count:,}개: 이상 없음")
    return 1 if fault else 0


@ledger.command()
@click.argument("strike_id", type=int)
@click.option("--order", default="", help="이 타격의 주문번호 (증권사 목록에서)")
@click.option("--not-sent", is_flag=True, help="증권사에 이 타격의 주문은 없습니다")
@click.option("--reason", required=True, help="어떻게 알았는지")
def settle(strike_id: int, order: str, not_sent: bool, reason: str) -> int:
    """결과 불명으로 남은 타격을 사람이 정리합니다. 다시 보내지는 않습니다."""
    if bool(order) == not_sent:
        raise BadInput("order", order, "--order 번호와 --not-sent 중 하나를 적습니다")
    engine = wiring.engine("orders")
    day = unknown_day(engine, strike_id)
    listed = wiring.orders_of_day(datetime(day.year, day.month, day.day, tzinfo=KST))
    word = f"{who()}: {reason}" if reason.strip() else ""
    state = settle_by_person(engine, strike_id, order, listed, word)
    click.echo(f"타격 {strike_id}: {STATES[state]}")
    return 0


@click.command()
@click.argument("order")
@click.option("--json", "as_json", is_flag=True)
def explain(order: str, as_json: bool) -> int:
    """주문번호(또는 #타격번호)의 주문이 왜 나갔는지."""
    found = explain_order(wiring.engine("desk"), order)
    if found is None:
        click.echo(f"{order}: 그런 주문이 원장에 없습니다", err=True)
        return 1
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
        return 0
    for line in story(found):
        click.echo(line)
    return 0


def story(found: dict[str, Any]) -> list[str]:
    """The strike's life in Korean lines."""
    s = found["strike"]
    side, way = SIDES[s["side"]], OPS[s["trigger_op"]]
    cash = (found["strike"]["assets"].get("balance") or {}).get("orderable_cash")
    lines = [
        f"타격 {s['id']}: 조건 {s['condition_id']}의 {s['arm_no']}번째 장전",
        f"  {s['symbol']} {s['strike_price']:,}원 {way} → {side} {s['quantity']:,}주"
        f" {s['order_kind']} {s['price']:,}원 ({s['venue']})",
        f"  발동 체결 {s['tick_price']:,}원 (수신 {s['tick_received_at']}, 순번 {s['tick_seq']})",
        f"  그때 주문가능금액 {cash}원" if cash is not None else "  그때 계좌 기록 없음",
    ]
    for event in found["events"]:
        state = STATES.get(event["to_state"], event["to_state"])
        words = json.dumps(event["detail"], ensure_ascii=False)
        lines.append(f"  {event['at']:%H:%M:%S.%f} {state} {words}")
    lines += [
        f"  체결 {one['at']:%H:%M:%S} {one['quantity']:,}주 {one['price']:,}원 ({one['source']})"
        for one in found["fills"]
    ]
    if s["reason"]:
        lines.append(f"  이유: {s['reason']}")
    return lines
