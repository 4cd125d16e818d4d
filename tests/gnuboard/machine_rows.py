"""Rows of the machine's own tables, as the daemons write them, for pages that show them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

STOCKS = [
    ("005930", "삼성전자", 71_500, 500),
    ("000660", "SK하이닉스", 178_000, -2_500),
    ("035420", "NAVER", 192_300, 0),
    ("035720", "카카오", 41_250, 850),
    ("0001A0", "덕양에너젠", 9_870, -130),
]
NOW = sa.text("NOW(6)")


def put(connection: sa.Connection, table: str, *, verb: str = "REPLACE", **values: Any) -> None:
    """One row; a value that is SQL text goes in as it is."""
    plain = {k: v for k, v in values.items() if not isinstance(v, sa.TextClause)}
    marks = (f":{k}" if k in plain else str(values[k]) for k in values)
    columns = ", ".join(values)
    connection.execute(
        sa.text(f"{verb} INTO {table} ({columns}) VALUES ({', '.join(marks)})"), plain
    )


def market_rows(connection: sa.Connection, machine: str, extra: int = 0) -> None:
    """The stocks above and ``extra`` more, listed and priced."""
    more = [
        (f"{900000 + n}", f"시험종목{n:03d}", 10_000 + n * 10, (n % 7 - 3) * 50)
        for n in range(extra)
    ]
    for symbol, name, price, change in STOCKS + more:
        put(
            connection, f"`{machine}`.listing",
            symbol=symbol, name=name, market="KOSPI", last_day=sa.text("CURDATE()"),
        )  # fmt: skip
        put(
            connection, f"`{machine}`.market", symbol=symbol, section=1, seq=1, price=price,
            price_change=change, day_open=price, day_high=price, day_low=price, ask=price,
            bid=price, last_volume=10, day_volume=1_234_567, day_turnover=98_765_432_100,
            traded_at=NOW, received_at=NOW,
        )  # fmt: skip


def asset_rows(connection: sa.Connection, machine: str, cash: int = 50_000_000) -> None:
    put(
        connection, f"`{machine}`.asset_balance", account="main", deposit=cash, deposit_d1=cash,
        deposit_d2=cash, orderable_cash=cash, securities_value=7_150_000, total_value=57_150_000,
        net_assets=57_150_000, cost=7_000_000, profit=150_000, realized_profit=32_000,
        bought_today=0, sold_today=0, fees_today=0, snapshot_no=1, received_at=NOW,
    )  # fmt: skip
    for symbol, name, quantity, average in [
        ("005930", "삼성전자", 100, 70_000),
        ("035720", "카카오", 50, 43_000),
    ]:
        put(
            connection, f"`{machine}`.asset_position", account="main", symbol=symbol, name=name,
            quantity=quantity, sellable=quantity, average_price=average, cost=quantity * average,
            price=average, value=quantity * average, profit=0, snapshot_no=1, received_at=NOW,
        )  # fmt: skip


def bar_rows(
    connection: sa.Connection, machine: str, symbol: str, price: int, count: int = 80
) -> None:
    """``count`` minute bars up to the last full minute."""
    value = price
    now = connection.scalar(sa.text("SELECT NOW()"))  # once: the minute may turn over meanwhile
    for n in range(count, 0, -1):
        opened, value = value, price + ((n * 37) % 11 - 5) * 100
        put(
            connection, f"`{machine}`.bar", symbol=symbol, minutes=1, open=opened,
            at=now.replace(second=0) - timedelta(minutes=n),
            high=max(opened, value) + 100, low=min(opened, value) - 100, close=value,
            volume=300 + (n * 53) % 400, turnover=1, ticks=10, gap=0, source="EVENT",
            updated_at=NOW,
        )  # fmt: skip


def daemon_rows(connection: sa.Connection, machine: str) -> None:
    for name, state in [
        ("market", "RUNNING"),
        ("trader", "RUNNING"),
        ("orders", "WAITING"),
        ("assets", "RUNNING"),
        ("beat", "RUNNING"),
    ]:
        put(
            connection, f"`{machine}`.daemon", name=name, host="localhost", pid=1,
            started_at=NOW, progress_at=NOW, state=state,
        )  # fmt: skip


def lane_rows(connection: sa.Connection, machine: str, label: str = "main") -> None:
    """The lanes of one app key at its work: the sweep waits, an order never did."""
    for lane, places, used, waiting, granted, refused in [
        ("all", 18, 9, 2, 1204, 3),
        ("order", 1, 1, 0, 12, 0),
        ("confirm", 1, 0, 0, 301, 0),
        ("assets", 4, 4, 0, 480, 0),
        ("spare", 2, 0, 0, 6, 0),
        ("sweep", 10, 4, 2, 405, 3),
    ]:
        put(
            connection, f"`{machine}`.lane", label=label, lane=lane, places=places, used=used,
            waiting=waiting, granted=granted, refused=refused, updated_at=NOW,
        )  # fmt: skip


def struck(
    connection: sa.Connection, machine: str, condition: dict[str, Any], state: str, filled: int
) -> None:
    """The condition fired and its order is in ``state`` with ``filled`` shares."""
    order_no, price = str(1000 + condition["id"]), condition["strike_price"]
    common = {"account": "main", "symbol": condition["symbol"], "side": condition["side"]}
    put(
        connection, f"`{machine}`.strike", verb="INSERT", condition_id=condition["id"],
        arm_no=condition["arm_no"], condition_rev=condition["rev"], order_kind="LIMIT", venue="KRX",
        quantity=condition["quantity"], price=price, trigger_op=condition["trigger_op"],
        strike_price=price, tick_price=price, tick_seq=2, tick_received_at=NOW, fired_at=NOW,
        deadline=NOW, assets="{}", state=state, order_no=order_no, order_day=sa.text("CURDATE()"),
        filled=filled, filled_amount=filled * price, updated_at=NOW, **common,
    )  # fmt: skip
    if filled:
        put(
            connection, f"`{machine}`.fill", verb="INSERT", order_day=sa.text("CURDATE()"),
            order_no=order_no, quantity=filled, price=price, at=NOW, source="NOTICE",
            recorded_at=NOW, **common,
        )  # fmt: skip
