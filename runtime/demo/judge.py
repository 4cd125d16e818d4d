"""The demo's JSON object, from the broker's side and from the tables."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runtime.demo import bars
from runtime.demo.broker import DAY_VOLUME, SYMBOL, records
from runtime.demo.watcher import DelaySampler
from runtime.loop import kst_now

MIN_ORDERS = 5
COPY_TAKES = timedelta(seconds=10)  # a closed minute is in `bar` after this


def percentile(values: list[float], share: float) -> float | None:
    """Nearest-rank percentile, None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def delays_ms(sampler: DelaySampler, found: list[tuple[float, list[str]]]) -> dict[str, Any]:
    """From the frame leaving the simulator to a SELECT seeing the value, ms."""
    wanted = {key: at for key, at in sampler.seen.items() if at}
    delays = [
        (wanted[key] - sent) * 1000
        for sent, fields in found
        if (key := (fields[SYMBOL], int(fields[DAY_VOLUME]))) in wanted
    ]
    shown = {"p50": percentile(delays, 0.5), "p99": percentile(delays, 0.99)}
    return {k: None if v is None else round(v, 2) for k, v in shown.items()} | {
        "samples": len(delays)
    }


def orders(book: dict[str, Any], strikes: list[Any]) -> tuple[int, int, int, int]:
    """Orders at the broker, duplicates among them, fills there, and fills our ledger holds too.

    A fill counts as held when the ledger has exactly the broker's shares of its order.
    """
    placed = [one for one in book["orders"] if not one["original"]]
    wanted = Counter(
        (row.symbol, row.side, row.quantity, row.price)
        for row in strikes
        if row.state not in ("DENIED", "EXPIRED", "NOT_SENT", "CLAIMED")
    )
    there = Counter(
        (one["symbol"], _side(one["side"]), one["quantity"], one["price"]) for one in placed
    )
    duplicates = sum((there - wanted).values())
    known = {row.order_no: row.filled for row in strikes if row.order_no}
    fills = sum(len(one["fills"]) for one in placed)
    held = sum(
        len(one["fills"]) for one in placed if known.get(one["odno"].lstrip("0")) == one["filled"]
    )
    return len(placed), duplicates, fills, held


def _side(side: str) -> str:
    return {"02": "BUY", "01": "SELL"}.get(side, side.upper())


def judge(
    engine: sa.Engine,
    stats: dict[str, Any],
    book: dict[str, Any],
    log: Path,
    sampler: DelaySampler,
    *,
    seconds: float,
    symbols: int,
    armed: int,
    faults: list[str],
) -> dict[str, Any]:
    """The object. ``engine``: role reader. The feed has been stopped for a moment already."""
    found = list(records(log))
    with engine.connect() as connection:

        def one(query: str) -> int:
            return int(connection.scalar(sa.text(query)) or 0)

        strikes = list(connection.execute(sa.text("SELECT * FROM strike")).all())
        order_fills = {
            row.order_no: row.shares
            for row in connection.execute(
                sa.text("SELECT order_no, SUM(quantity) AS shares FROM fill GROUP BY order_no")
            )
        }
        received = one(
            "SELECT COALESCE(SUM(JSON_VALUE(detail, '$.ticks')), 0) FROM daemon"
            " WHERE name LIKE 'market%'"
        )
        market_rows = one("SELECT COUNT(*) FROM market WHERE price > 0")
        asset_rows = one("SELECT COUNT(*) FROM asset_balance") + one(
            "SELECT COUNT(*) FROM asset_position"
        )
        halted = connection.scalar(
            sa.text("SELECT action FROM stockd_halt ORDER BY id DESC LIMIT 1")
        )
    bars_1m, wrong = bars.compare(
        engine,
        bars.fold(found),
        (kst_now() - COPY_TAKES).replace(second=0, microsecond=0, tzinfo=None),
    )
    ledger = [_with_fills(row, order_fills) for row in strikes]
    placed, duplicates, fills, held = orders(book, ledger)
    gaps = [gap for gap in stats["min_order_gap_s"].values() if gap is not None]
    result: dict[str, Any] = {
        "ok": False,
        "seconds": round(seconds, 1),
        "symbols": symbols,
        "ticks_sent": stats["ticks_sent"],
        "ticks_received": received,
        "ticks_per_s": round(stats["ticks_sent"] / seconds, 1) if seconds else 0.0,
        "tick_to_table_ms": delays_ms(sampler, found),
        "market_rows": market_rows,
        "asset_rows": asset_rows,
        "bars_1m": bars_1m,
        "bars_wrong": len(wrong),
        "conditions_armed": armed,
        "strikes": len(strikes),
        "orders_at_broker": placed,
        "duplicate_orders": duplicates,
        "min_order_gap_s": round(min(gaps), 4) if gaps else None,
        "fills": fills,
        "fills_in_ledger": held,
        "max_calls_in_any_second": stats["max_calls_in_any_second"],
        "refused_by_rate": stats["refused_by_rate"],
        "halted": halted == "HALT",
    }
    result["faults"] = [*faults, *_faults(result), *wrong[:5]]
    result["ok"] = not result["faults"]
    return result


class _Strike:
    """A strike with the shares the table of fills has of it."""

    def __init__(self, row: Any, filled: int) -> None:
        self.symbol, self.side, self.quantity = row.symbol, row.side, row.quantity
        self.price, self.state, self.order_no = row.price, row.state, row.order_no
        self.filled = filled


def _with_fills(row: Any, shares: dict[str, Any]) -> _Strike:
    return _Strike(row, int(shares.get(row.order_no, 0)))


def _faults(found: dict[str, Any]) -> list[str]:
    """What the demo promises, each line one broken promise."""
    gap = found["min_order_gap_s"]
    checks = {
        f"market_rows {found['market_rows']} of {found['symbols']}": found["market_rows"]
        == found["symbols"],
        f"ticks_received {found['ticks_received']} of {found['ticks_sent']}": found[
            "ticks_received"
        ]
        == found["ticks_sent"],
        "no asset row": found["asset_rows"] > 0,
        f"bars_wrong {found['bars_wrong']}": found["bars_wrong"] == 0,
        f"orders_at_broker {found['orders_at_broker']}, at least {MIN_ORDERS} expected": found[
            "orders_at_broker"
        ]
        >= MIN_ORDERS,
        f"duplicate_orders {found['duplicate_orders']}": found["duplicate_orders"] == 0,
        f"min_order_gap_s {gap}": gap is not None and gap >= 1.0,
        f"fills_in_ledger {found['fills_in_ledger']} of {found['fills']}": 0
        < found["fills"]
        == found["fills_in_ledger"],
        f"refused_by_rate {found['refused_by_rate']}": found["refused_by_rate"] == 0,
        "halted": not found["halted"],
    }
    return [line for line, good in checks.items() if not good]
