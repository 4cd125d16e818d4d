# ruff: noqa: DTZ001 - plain KST times, as they stand in the tables
"""The asset tables are one snapshot, and the EVENT keeps what they were, a partition a month."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from db.assets import latest_poll, read_balance, read_positions, write_snapshot
from db.history import read_asset_history, read_event_runs, read_retention
from runtime.settings import Settings, read_settings
from runtime.stack.machine import migrate_to
from trading.assets import Balance, Position
from trading.clock import KST
from trading.errors import ConfigError

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=KST)


def _balance(cash: int) -> Balance:
    return Balance(cash, cash, cash, 7_000, cash + 7_000, cash + 7_000, 6_000, 1_000, 0, 0, 12)


def _position(symbol: str, quantity: int) -> Position:
    average = Decimal("71234.5678")
    return Position(symbol, "삼성전자", quantity, quantity, average, 7, 8, 8 * quantity, 1)


def _write(engine, cash: int, quantities: dict[str, int], at: datetime) -> int:  # type: ignore[no-untyped-def]
    positions = [_position(symbol, quantity) for symbol, quantity in quantities.items()]
    return write_snapshot(engine, "main", _balance(cash), positions, cash, None, at)


def test_what_was_written_is_read_back_and_sold_stocks_are_gone(quiet_database) -> None:
    writer, trader = (
        quiet_database.engine("assets", autocommit=False),
        quiet_database.engine("trader"),
    )
    assert read_balance(trader, "main") is None
    assert latest_poll(trader) is None
    first = _write(writer, 100, {"005930": 3, "000660": 5}, NINE)
    assert read_positions(trader, "main")["000660"] == _position("000660", 5)
    second = _write(writer, 90, {"005930": 4}, NINE + timedelta(seconds=10))
    assert second > first
    stored = read_balance(trader, "main")
    assert stored is not None
    assert (stored.balance, stored.orderable_cash, stored.realized_profit) == (
        _balance(90),
        90,
        None,
    )
    assert stored.snapshot_no == second
    assert latest_poll(trader) == stored.received_at == NINE + timedelta(seconds=10)
    assert read_positions(trader, "main") == {"005930": _position("005930", 4)}


def test_a_slow_answer_of_an_earlier_poll_changes_nothing(quiet_database) -> None:
    writer = quiet_database.engine("assets", autocommit=False)
    number = _write(writer, 90, {"005930": 4}, NINE + timedelta(seconds=10))
    assert _write(writer, 100, {}, NINE) == number
    assert read_positions(writer, "main") == {"005930": _position("005930", 4)}


def test_everything_sold_leaves_no_position(quiet_database) -> None:
    writer = quiet_database.engine("assets", autocommit=False)
    _write(writer, 90, {"005930": 4}, NINE)
    _write(writer, 190, {}, NINE + timedelta(seconds=10))
    assert read_positions(writer, "main") == {}


@pytest.mark.parametrize(
    ("tick", "seconds_after", "price"),
    [
        (9, 4, 9),  # a trade between two polls
        (9, -20, 9),  # a stock that seldom trades: its last trade
        (9, -300, 8),  # the feed stood still: the poll knows better
        (0, 4, 8),  # a row without a trade yet
        (None, 0, 8),  # not watched
    ],
)
def test_value_and_profit_follow_the_ticks_between_two_polls(
    quiet_database, tick: int | None, seconds_after: int, price: int
) -> None:
    _write(quiet_database.engine("assets", autocommit=False), 90, {"005930": 4}, NINE)
    if tick is not None:
        with quiet_database.engine("market").begin() as connection:
            connection.execute(
                text("INSERT INTO market SET symbol = '005930', price = :p, received_at = :at"),
                {"p": tick, "at": (NINE + timedelta(seconds=seconds_after)).replace(tzinfo=None)},
            )
    with quiet_database.engine("reader").connect() as connection:
        row = connection.execute(text("SELECT * FROM v_asset_position")).one()
    assert (row.price, row.value, row.profit) == (price, 4 * price, 4 * price - 7)


def test_a_reader_never_sees_half_a_snapshot(quiet_database) -> None:
    """Snapshot k holds k won and k shares of each of 30 stocks; a poller looks all the time."""
    writer, trader = (
        quiet_database.engine("assets", autocommit=False),
        quiet_database.engine("trader"),
    )
    symbols = [f"{n:06}" for n in range(30)]
    halves, looks, stop = [], [0], threading.Event()

    def look() -> None:
        both = text(
            "SELECT MIN(deposit), GROUP_CONCAT(DISTINCT quantity), COUNT(*) FROM asset_balance b "
            "JOIN asset_position p USING (account) GROUP BY account"
        )
        with trader.connect() as connection:
            while not stop.is_set():
                looks[0] += 1
                for cash, quantities, count in connection.execute(both):
                    if (quantities, count) != (str(cash), 30):
                        halves.append((cash, quantities, count))
                held = {p.quantity for p in read_positions(trader, "main").values()}
                if len(held) > 1:
                    halves.append(held)

    reader = threading.Thread(target=look)
    reader.start()
    for k in range(1, 151):
        _write(writer, k, dict.fromkeys(symbols, k), NINE + timedelta(seconds=k))
    stop.set()
    reader.join()
    print(f"{looks[0]} looks")
    assert looks[0] > 20
    assert halves == []


def _copy(connection, at: datetime) -> int:  # type: ignore[no-untyped-def]
    connection.execute(
        text("CALL asset_history_copy(:now, @changed)"), {"now": at.replace(tzinfo=None)}
    )
    connection.commit()
    return int(connection.scalar(text("SELECT @changed")))


def test_history_holds_a_minute_only_when_something_new_was_polled(quiet_database) -> None:
    writer, reader = (
        quiet_database.engine("assets", autocommit=False),
        quiet_database.engine("reader"),
    )
    with quiet_database.root().connect() as connection:
        _write(writer, 100, {"005930": 3}, NINE)
        assert _copy(connection, NINE + timedelta(minutes=1, seconds=2)) == 2
        assert _copy(connection, NINE + timedelta(minutes=2)) == 0
        _write(writer, 50, {}, NINE + timedelta(minutes=2, seconds=30))
        assert _copy(connection, NINE + timedelta(minutes=3)) == 1
    points = read_asset_history(reader, "main", NINE, NINE + timedelta(hours=1))
    assert [(p.at - NINE, p.value, p.cash) for p in points] == [
        (timedelta(minutes=1), 7_100, 100),
        (timedelta(minutes=3), 7_050, 50),
    ]
    held = read_asset_history(reader, "main", NINE, NINE + timedelta(hours=1), "005930")
    assert [(p.quantity, p.average_price) for p in held] == [(3, Decimal("71234.5678"))]


def _partitions(connection, table: str) -> list[str]:  # type: ignore[no-untyped-def]
    query = (
        "SELECT PARTITION_NAME FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = DATABASE() "
        "AND TABLE_NAME = :table ORDER BY PARTITION_ORDINAL_POSITION"
    )
    return list(connection.execute(text(query), {"table": table}).scalars())


def test_months_are_made_ahead_and_dropped_after_their_time(make_database) -> None:
    database = make_database()
    database.migrate(retention={"bar": 2, "asset_history": 0})
    assert read_retention(database.engine("reader")) == {"bar": 2, "asset_history": 0}
    this = datetime.now(KST).replace(
        day=15, hour=12, minute=0, second=0, microsecond=0, tzinfo=None
    )
    months = [(this.year * 12 + this.month - 1 + n) for n in range(10)]
    names = [f"p{m // 12}{m % 12 + 1:02}" for m in months]
    with database.root().connect() as connection:
        for table in ("bar", "asset_history"):
            assert _partitions(connection, table) == [*names[:4], "p_future"]
        for month in months[:3]:
            at = datetime(month // 12, month % 12 + 1, 15)
            connection.execute(
                text("INSERT INTO bar VALUES ('005930', 1440, :at, 1,1,1,1,1,1,1,0,'EVENT', :at)"),
                {"at": at},
            )
        connection.commit()
        for ahead, kept in ((1, names[0:5]), (3, names[1:7]), (3, names[1:7])):
            day = datetime(months[ahead] // 12, months[ahead] % 12 + 1, 1).date()
            connection.execute(text("CALL roll_partitions('bar', :day, @n)"), {"day": day})
            connection.execute(
                text("CALL roll_partitions('asset_history', :day, @n)"), {"day": day}
            )
            assert _partitions(connection, "bar") == [*kept, "p_future"]
        assert connection.scalar(text("SELECT COUNT(*) FROM bar")) == 2
        assert _partitions(connection, "asset_history") == [*names[:7], "p_future"]
        assert connection.scalar(text("SELECT @n")) == 0


def test_a_retention_that_a_person_set_survives_an_upgrade(make_database) -> None:
    """A dropped month is gone: `stockd up` must not put "for ever" back to 24 months."""
    database = make_database()

    def settings(**history: str) -> Settings:
        where = {
            "STOCKD_MARIADB__ADMIN_URL": str(database.admin_url),
            "STOCKD_MARIADB__DATABASE": database.name,
            "STOCKD_MARIADB__USER_PREFIX": database.user_prefix,
        }
        told = {f"STOCKD_HISTORY__{key.upper()}": value for key, value in history.items()}
        return read_settings(where | told)

    def kept() -> dict[str, int]:
        return read_retention(database.root())

    migrate_to(settings())
    assert kept() == {"bar": 24, "asset_history": 60}
    with database.root().connect() as connection:
        connection.execute(
            text("UPDATE setting SET value = '0' WHERE name = 'retention_months_bar'")
        )
        connection.commit()
    migrate_to(settings())
    assert kept() == {"bar": 0, "asset_history": 60}
    migrate_to(settings(asset_months="3"))
    assert kept() == {"bar": 0, "asset_history": 3}
    migrate_to(settings(bar_months="120", asset_months="0"))
    assert kept() == {"bar": 120, "asset_history": 0}
    with pytest.raises(ConfigError, match=r"history\.bar_months"):
        settings(bar_months="-1")


@pytest.mark.parametrize("event", ["ev_asset_history", "ev_partitions"])
def test_the_slower_events_run_too(database, event: str) -> None:
    """Their schedule is made a second for the test; the bodies are the real ones."""
    _write(database.engine("assets", autocommit=False), 100, {"005930": 3}, NINE)
    with database.root().connect() as connection:
        connection.execute(text(f"ALTER EVENT {event} ON SCHEDULE EVERY 1 SECOND"))
    end = time.monotonic() + 15
    while (run := read_event_runs(database.root())[event]).runs < 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert run.runs >= 2
    assert run.error == ""
    if event == "ev_asset_history":
        with database.root().connect() as connection:
            assert connection.scalar(text("SELECT COUNT(*) FROM asset_history")) == 2
