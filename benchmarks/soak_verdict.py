"""The figures of a soak from the broker's side and from the tables, and what they must be."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from benchmarks.soak_samples import not_flat
from budget.profiles import DEFAULT, profile
from runtime.demo import judge as demo_judge

GAP_P99_S = 10.5
TOKEN_REFUSED = ("EGW00121", "EGW00123")
DROP_LOSES_S = 0.5  # of the rate: what may be in the sockets when a section is cut off


def at_broker(stats: dict[str, Any]) -> dict[str, Any]:
    """What the simulator counted."""
    gaps = [gap for gap in stats["min_order_gap_s"].values() if gap is not None]
    return {
        "ticks_sent": stats["ticks_sent"],
        "calls": stats["calls"],
        "max_calls_in_any_second": stats["max_calls_in_any_second"],
        "max_ledger_calls_in_any_second": stats["max_ledger_calls_in_any_second"],
        "refused": stats["refused"],
        "order_calls": stats["order_calls"],
        "min_order_gap_s": round(min(gaps), 4) if gaps else None,
        "tokens_issued": stats["tokens_issued"],
        "approvals_issued": stats["approvals_issued"],
        "connects": stats["connects"],
        "max_connects_in_10_min": stats["max_connects_in_10_min"],
    }


def in_tables(engine: sa.Engine, stats: dict[str, Any], book: dict[str, Any]) -> dict[str, Any]:
    """What a reader of the tables finds, and how it fits the broker's book."""
    with engine.connect() as connection:
        received = connection.scalar(
            sa.text(
                "SELECT COALESCE(SUM(JSON_VALUE(detail, '$.ticks')), 0) FROM daemon"
                " WHERE name LIKE 'market%'"
            )
        )
        strikes = list(
            connection.execute(
                sa.text(
                    "SELECT s.symbol, s.side, s.quantity, s.price, s.state, s.order_no,"
                    " (SELECT COALESCE(SUM(f.quantity), 0) FROM fill f"
                    "   WHERE f.order_no = s.order_no) AS filled FROM strike s"
                )
            )
        )
        alarms = connection.execute(
            sa.text("SELECT at, fault, text FROM alarm WHERE what = 'RAISED' ORDER BY id")
        )
        raised = [f"{row.at:%H:%M:%S} {row.fault}: {row.text}"[:200] for row in alarms]
        halted = connection.scalar(
            sa.text("SELECT action FROM stockd_halt ORDER BY id DESC LIMIT 1")
        )
    placed, duplicates, fills, held = demo_judge.orders(book, strikes)
    states: dict[str, int] = {}
    for row in strikes:
        states[row.state] = states.get(row.state, 0) + 1
    return {
        "ticks_received": int(received),
        "tick_loss": stats["ticks_sent"] - int(received),
        "strikes": states,
        "orders_at_broker": placed,
        "duplicate_orders": duplicates,
        "fills": fills,
        "fills_in_ledger": held,
        "alarms": raised,
        "halted": halted == "HALT",
    }


def judge(found: dict[str, Any], errors: list[str], down: list[str]) -> None:
    """Puts ``faults`` (a line for each broken promise) and ``ok`` into ``found``."""
    ceiling = profile(DEFAULT).ceiling
    tokens = 1 + found["token_expiries"]
    # what is measured over the disturbed gaps as well stands beside it, as `gap_s_p99`
    steady = found["undisturbed_gap_s_p99"]
    allowed_loss = found["sections_dropped"] * found["rate"] * DROP_LOSES_S
    gap = found["min_order_gap_s"]
    expired = _refused_with(found, *TOKEN_REFUSED)
    checks = {
        f"missed_in_a_row {found['missed_in_a_row']}": found["missed_in_a_row"] <= 1,
        f"undisturbed_gap_s_p99 {steady}": found["undisturbed_gaps"] > 0 and steady <= GAP_P99_S,
        f"tokens_issued {found['tokens_issued']}": max(found["tokens_issued"].values()) <= tokens,
        "a token asked for twice in a minute": "EGW00133" not in found["refused"],
        f"max_calls_in_any_second {found['max_calls_in_any_second']} over {ceiling}": max(
            found["max_calls_in_any_second"].values()
        )
        <= ceiling,
        "two ledger calls in one second": max(
            found["max_ledger_calls_in_any_second"].values(), default=0
        )
        <= 1,
        f"max_connects_in_10_min {found['max_connects_in_10_min']}": max(
            found["max_connects_in_10_min"].values()
        )
        <= 4,
        f"tick_loss {found['tick_loss']}": 0 <= found["tick_loss"] <= allowed_loss,
        "no order": found["orders_at_broker"] > 0,
        f"duplicate_orders {found['duplicate_orders']}": found["duplicate_orders"] == 0,
        f"min_order_gap_s {gap}": gap is None or gap >= 1.0,
        f"fills_in_ledger {found['fills_in_ledger']} of {found['fills']}": found["fills"]
        == found["fills_in_ledger"],
        f"{expired} orders with a token known to be refused": expired <= found["token_expiries"],
        "halted": not found["halted"],
    }
    faults = [line for line, good in checks.items() if not good]
    faults += [f"alarm {line}" for line in _unexpected(found)]
    found["faults"] = [*faults, *not_flat(found["processes"]), *sorted(set(down)), *errors[:20]]
    found["ok"] = not found["faults"]


def _refused_with(found: dict[str, Any], *codes: str) -> int:
    return sum(n for name, n in found["spoilt_orders"].items() if name.endswith(codes))


def _unexpected(found: dict[str, Any]) -> list[str]:
    """Alarms without a fault of the timetable behind them: a drop, an order refused on purpose."""
    rest, drops = [], found["sections_dropped"]
    refused = _refused_with(found, "EGW00201") + found["token_expiries"]
    rejected_rightly = found["strikes"].get("REJECTED", 0) <= refused
    for line in found["alarms"]:
        kind = line.split(" ", 1)[1].partition(":")[0]
        if kind == "sections" and drops:
            drops -= 1
        elif kind != "rejected" or not rejected_rightly:
            rest.append(line)
    return rest
