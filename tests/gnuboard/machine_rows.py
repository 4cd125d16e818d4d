"""Rows of the machine's own tables, as the daemons write them, for pages that show them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

STOCKS = [("005930", "삼성전자", 71_500, 500), ("000660", "SK하이닉스", 178_000, -2_500),
          ("035420", "NAVER", 192_300, 0), ("035720", "카카오", 41_250, 850), ("0001A0", "덕양에너젠", 9_870, -130)]  # fmt: skip


def market_rows(connection: sa.Connection, machine: str, extra: int = 0) -> None:
    """The stocks above and ``extra`` more, listed and priced."""
    stocks = STOCKS + [
        (f"{900000 + n}", f"시험종목{n:03d}", 10_000 + n * 10, (n % 7 - 3) * 50)
        for n in range(extra)
    ]
    for symbol, name, price, change in stocks:
        connection.execute(
            sa.text(
                f"REPLACE INTO `{machine}`.listing (symbol, name, market, last_day) VALUES (:s, :n, 'KOSPI', CURDATE())"
            ),
            {"s": symbol, "n": name},
        )
        connection.execute(
            sa.text(
                f"REPLACE INTO `{machine}`.market (symbol, section, seq, price, price_change, day_open, day_high, day_low,"
                " ask, bid, last_volume, day_volume, day_turnover, traded_at, received_at)"
                " VALUES (:s, 1, 1, :p, :c, :p, :p, :p, :p, :p, 10, 1234567, 98765432100, NOW(6), NOW(6))"
            ),
            {"s": symbol, "p": price, "c": change},
        )


def asset_rows(connection: sa.Connection, machine: str, cash: int = 50_000_000) -> None:
    connection.execute(
        sa.text(
            f"REPLACE INTO `{machine}`.asset_balance (account, deposit, deposit_d1, deposit_d2, orderable_cash, securities_value,"
            " total_value, net_assets, cost, profit, realized_profit, bought_today, sold_today, fees_today, snapshot_no, received_at)"
            " VALUES ('main', :c, :c, :c, :c, 7150000, 57150000, 57150000, 7000000, 150000, 32000, 0, 0, 0, 1, NOW(6))"
        ),
        {"c": cash},
    )
    for symbol, name, quantity, average in [
        ("005930", "삼성전자", 100, 70_000),
        ("035720", "카카오", 50, 43_000),
    ]:
        connection.execute(
            sa.text(
                f"REPLACE INTO `{machine}`.asset_position (account, symbol, name, quantity, sellable, average_price, cost, price, value, profit, snapshot_no, received_at)"
                " VALUES ('main', :s, :n, :q, :q, :a, :q * :a, :a, :q * :a, 0, 1, NOW(6))"
            ),
            {"s": symbol, "n": name, "q": quantity, "a": average},
        )


def bar_rows(
    connection: sa.Connection, machine: str, symbol: str, price: int, count: int = 80
) -> None:
    value = price
    for n in range(count, 0, -1):
        opened, value = value, price + ((n * 37) % 11 - 5) * 100
        connection.execute(
            sa.text(
                f"REPLACE INTO `{machine}`.bar (symbol, minutes, at, open, high, low, close, volume, turnover, ticks, gap, source, updated_at)"
                " VALUES (:s, 1, DATE_FORMAT(NOW() - INTERVAL :n MINUTE, '%Y-%m-%d %H:%i:00'), :o, :h, :l, :v, 500, 1, 10, 0, 'EVENT', NOW(6))"
            ),
            {
                "s": symbol,
                "n": n,
                "o": opened,
                "h": max(opened, value) + 100,
                "l": min(opened, value) - 100,
                "v": value,
            },
        )


def daemon_rows(connection: sa.Connection, machine: str) -> None:
    for name, state in [
        ("market", "RUNNING"),
        ("trader", "RUNNING"),
        ("orders", "WAITING"),
        ("assets", "RUNNING"),
        ("beat", "RUNNING"),
    ]:
        connection.execute(
            sa.text(
                f"REPLACE INTO `{machine}`.daemon (name, host, pid, started_at, progress_at, state) VALUES (:n, 'localhost', 1, NOW(6), NOW(6), :s)"
            ),
            {"n": name, "s": state},
        )


def struck(
    connection: sa.Connection, machine: str, condition: dict[str, Any], state: str, filled: int
) -> None:
    """The condition fired and its order is in ``state`` with ``filled`` shares."""
    order_no = str(1000 + condition["id"])
    connection.execute(
        sa.text(
            f"INSERT INTO `{machine}`.strike (condition_id, arm_no, condition_rev, account, symbol, side, order_kind, venue, quantity, price, trigger_op,"
            " strike_price, tick_price, tick_seq, tick_received_at, fired_at, deadline, assets, state, order_no, order_day, filled, filled_amount, updated_at)"
            " VALUES (:id, :arm, :rev, 'main', :symbol, :side, 'LIMIT', 'KRX', :q, :p, :op, :p, :p, 2, NOW(6), NOW(6), NOW(6), '{}', :state, :no, CURDATE(), :filled, :filled * :p, NOW(6))"
        ),
        {
            "id": condition["id"], "arm": condition["arm_no"], "rev": condition["rev"], "symbol": condition["symbol"], "side": condition["side"],
            "q": condition["quantity"], "p": condition["strike_price"], "op": condition["trigger_op"], "state": state, "no": order_no, "filled": filled,
        },
    )  # fmt: skip
    if filled:
        connection.execute(
            sa.text(
                f"INSERT INTO `{machine}`.fill (account, order_day, order_no, symbol, side, quantity, price, at, source, recorded_at)"
                " VALUES ('main', CURDATE(), :no, :symbol, :side, :q, :p, NOW(6), 'NOTICE', NOW(6))"
            ),
            {
                "no": order_no,
                "symbol": condition["symbol"],
                "side": condition["side"],
                "q": filled,
                "p": condition["strike_price"],
            },
        )
