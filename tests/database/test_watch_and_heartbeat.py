"""The watch list, with armed conditions first, and the rows that show who makes progress."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from db.heartbeat import Heartbeat, forget_daemon, read_daemons
from db.tables import condition_tables
from db.watch import add_watch, read_watch, remove_watch, wanted_symbols
from trading.clock import KST
from trading.errors import BadInput

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=KST)


def test_armed_stocks_come_before_the_list(quiet_database) -> None:
    desk, market = quiet_database.engine("desk"), quiet_database.engine("market")
    assert add_watch(desk, "000660", "me", NINE)
    assert add_watch(desk, "005930", "me", NINE + timedelta(seconds=1))
    assert not add_watch(desk, "005930", "you", NINE)
    with desk.begin() as connection:
        for symbol in ("035420", "005930"):
            connection.execute(
                text(
                    "INSERT INTO stockd_condition (owner, symbol, side, trigger_op, strike_price, "
                    "quantity, enabled, created_by, updated_by, created_at, updated_at, deleted_at)"
                    f" VALUES ('cli', '{symbol}', 'BUY', 'LE', 100, 1, 1, 'cli', 'cli', "
                    "NOW(6), NOW(6), NULL)"
                )
            )
    assert wanted_symbols(market, condition_tables()) == ["035420", "005930", "000660"]
    with desk.begin() as connection:
        connection.execute(text("UPDATE stockd_condition SET enabled = 0 WHERE symbol = '035420'"))
        connection.execute(
            text("UPDATE stockd_condition SET deleted_at = NOW(6) WHERE symbol = '005930'")
        )
    assert wanted_symbols(market, condition_tables()) == ["000660", "005930"]
    assert remove_watch(desk, "000660")
    assert not remove_watch(desk, "000660")
    assert read_watch(market) == ["005930"]


def test_what_is_no_symbol_is_not_watched(quiet_database) -> None:
    desk = quiet_database.engine("desk")
    for symbol in ("", "5930", "005930\n", "삼성전자", "005930; DROP", "A" * 10):
        with pytest.raises(BadInput, match="symbol"):
            add_watch(desk, symbol, "me", NINE)
    assert read_watch(desk) == []


def test_progress_is_seen(quiet_database) -> None:
    heart = Heartbeat(quiet_database.engine("market"), "market", NINE)
    heart.beat(NINE, "STARTING")
    heart.beat(NINE + timedelta(seconds=5), detail={"ticks": 12, "long": "가" * 700})
    (row,) = read_daemons(quiet_database.engine("reader"))
    assert (row.name, row.pid, row.state) == ("market", os.getpid(), "RUNNING")
    assert (row.started_at, row.progress_at) == (NINE, NINE + timedelta(seconds=5))
    assert row.detail == {"ticks": 12}
    with pytest.raises(BadInput, match="SLEEPY"):
        heart.beat(NINE, "SLEEPY")
    assert forget_daemon(quiet_database.root(), "market")
    assert not forget_daemon(quiet_database.root(), "market")
