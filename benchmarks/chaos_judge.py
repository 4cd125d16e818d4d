"""The end of a chaos run: the ledger against the simulator's book."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from db.ledger import verify
from trading.lifecycle import FINAL, State


def judge(root: sa.Engine, book: dict[str, Any], stats: dict[str, Any]) -> dict[str, Any]:
    """``ok`` and every broken promise by name. ``root`` reads all tables."""
    with root.connect() as connection:
        strikes = list(connection.execute(sa.text("SELECT * FROM strike ORDER BY id")))
        fills = {
            row.order_no: int(row.shares)
            for row in connection.execute(
                sa.text("SELECT order_no, SUM(quantity) AS shares FROM fill GROUP BY order_no")
            )
        }
        twice = connection.scalar(
            sa.text(
                "SELECT COUNT(*) FROM (SELECT 1 FROM strike GROUP BY condition_id, arm_no"
                " HAVING COUNT(*) > 1) t"
            )
        )
        halted = connection.execute(
            sa.text("SELECT action, reason FROM stockd_halt ORDER BY id DESC LIMIT 1")
        ).one_or_none()
    placed = {one["odno"].lstrip("0"): one for one in book["orders"] if not one["original"]}
    ours = {row.order_no: row for row in strikes if row.order_no}
    wrong = []
    for number, order in placed.items():
        strike = ours.get(number)
        if strike is None:
            wrong.append(f"order {number} at the broker is nobody's")
        elif strike.filled != order["filled"] or fills.get(number, 0) != order["filled"]:
            words = f"strike {strike.filled}, fills {fills.get(number, 0)}"
            wrong.append(f"order {number}: broker filled {order['filled']}, {words}")
    wrong += [f"order {number} is not at the broker" for number in ours if number not in placed]
    for row in strikes:
        if State(row.state) not in FINAL:
            wrong.append(f"strike {row.id} is still {row.state} ({row.reason})")
        if row.order_no is None and State(row.state) is State.FILLED:
            wrong.append(f"strike {row.id} is FILLED without an order")
    events, fault = verify(root)
    if fault:
        wrong.append(f"chain: {fault}")
    gaps = [gap for gap in stats["min_order_gap_s"].values() if gap is not None]
    if gaps and min(gaps) < 1.0:
        wrong.append(f"order gap {min(gaps):.4f} s")
    if stats["refused_by_rate"]:
        wrong.append(f"refused by rate {stats['refused_by_rate']}")
    if halted is not None and halted.action == "HALT":
        wrong.append(f"halted: {halted.reason}")
    # an order nobody knows, beside a strike that has one, is that strike sent twice
    nobodys = sum(1 for number in placed if number not in ours)
    lost = sum(max(0, one["filled"] - fills.get(number, 0)) for number, one in placed.items())
    states: dict[str, int] = {}
    for row in strikes:
        states[row.state] = states.get(row.state, 0) + 1
    return {
        "ok": not wrong and bool(placed),
        "strikes": len(strikes),
        "states": dict(sorted(states.items())),
        "orders_at_broker": len(placed),
        "duplicate_orders": nobodys + int(twice or 0),
        "fills": sum(len(one["fills"]) for one in placed.values()),
        "lost_fills": lost,
        "min_order_gap_s": round(min(gaps), 4) if gaps else None,
        "max_connects_in_10_min": stats["max_connects_in_10_min"],
        "refused_by_rate": stats["refused_by_rate"],
        "events": events,
        "violations": wrong,
    }
