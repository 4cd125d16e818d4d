"""A session whose host was cut off lives on at the server; its locks must not stop the others."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa

from db.engines import make_engine
from db.notices import fill_lock
from trading.errors import StockdError, Transient

LET_GO_S = 30.0


def test_who_says_nothing_loses_the_lock_of_the_fills_it_was_counting(servers: Any) -> None:
    one, other = (make_engine(servers.url("orders")) for _ in range(2))
    silent, next_one = one.connect(), other.connect()
    holds = fill_lock(silent, "section-1", "77")
    holds.__enter__()
    silent.commit()  # nothing is open: the lock alone is left
    ends = time.monotonic() + LET_GO_S
    while True:
        try:
            with fill_lock(next_one, "section-1", "77"):
                break
        except Transient:
            assert time.monotonic() < ends, "the lock of a silent session is still held"
    with pytest.raises((StockdError, sa.exc.DBAPIError)):
        holds.__exit__(None, None, None)
    patience = next_one.scalar(sa.text("SELECT @@session.wait_timeout = @@global.wait_timeout"))
    assert patience == 1, "without a lock a session may be silent for long"
    silent.invalidate()
    for connection, engine in ((silent, one), (next_one, other)):
        connection.close()
        engine.dispose()


def test_a_transaction_that_stops_in_the_middle_lets_the_order_gate_go(
    servers: Any, admin_engine: sa.Engine
) -> None:
    gate = sa.text("UPDATE order_gate SET token = :t WHERE account = 'silent'")
    with admin_engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO order_gate (account, next_at) VALUES"
                                   " ('silent', NOW(6))"))  # fmt: skip
    one, other = (make_engine(servers.url("orders")) for _ in range(2))
    silent = one.connect()
    silent.execute(gate, {"t": "cut off"})
    ends = time.monotonic() + LET_GO_S
    while True:
        try:
            with other.begin() as connection:
                connection.execute(gate, {"t": "next"})
            break
        except sa.exc.OperationalError:  # the lock wait's five seconds
            assert time.monotonic() < ends, "the row of a silent transaction is still locked"
    with pytest.raises(sa.exc.DBAPIError):
        silent.execute(gate, {"t": "back again"})
    silent.invalidate()
    silent.close()
    with admin_engine.begin() as connection:
        token = connection.scalar(sa.text("SELECT token FROM order_gate WHERE account = 'silent'"))
        connection.execute(sa.text("DELETE FROM order_gate WHERE account = 'silent'"))
    assert token == "next", "what was not committed is as if it had not been"
    one.dispose()
    other.dispose()
