"""`stockd drill NAME | all`: trips one guard, or each in turn, and remembers the day (P16)."""

from __future__ import annotations

import json

import click

from db.trips import record_trip
from runtime import orders, wiring
from runtime.loop import kst_now
from trading.drills import DRILLS
from trading.drills import drill as drill_guard


@click.command()
@click.argument("name", type=click.Choice(["all", *(one.lower() for one in DRILLS)]))
@click.option("--json", "as_json", is_flag=True)
def drill(name: str, as_json: bool) -> int:
    """가드를 작동시켜 봅니다. 주문은 나가지 않습니다."""
    engine, limits = wiring.engine("orders"), orders.limits()
    results, failed = [], 0
    for code in DRILLS if name == "all" else [name.upper()]:
        now = kst_now()
        try:
            reason, ok = drill_guard(code, now, limits), True
        except ValueError as error:
            reason, ok = str(error), False
            failed += 1
        if ok:
            record_trip(engine, code, now, reason, drill=True)
        results.append({"guard": code, "tripped": ok, "reason": reason})
        if not as_json:
            click.echo(f"{'작동' if ok else '실패'} {code:<16} {reason}")
    if as_json:
        click.echo(json.dumps({"ok": failed == 0, "drills": results}, ensure_ascii=False))
    return 1 if failed else 0
