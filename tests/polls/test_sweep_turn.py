"""2계층: the whole list in one turn, oldest first, and what does not come back is said so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select

from budget.plan import plan
from db.heartbeat import Heartbeat, read_daemons
from db.sweep import ages, on_websocket
from db.tables import market, sweep_quote
from kis.quotes import KisQuotes
from runtime.sweep import Key, Sweep
from trading.clock import KST

UNKNOWN = "Q999999"


def now() -> datetime:
    return datetime.now(KST)


@pytest.fixture
def swept(tables):  # type: ignore[no-untyped-def]
    engine = tables.engine("sweep")
    with engine.begin() as connection:
        connection.execute(delete(sweep_quote))
    return engine


def test_every_stock_gets_its_price_and_an_unknown_code_is_reported(  # type: ignore[no-untyped-def]
    broker, client_of, swept
) -> None:
    sim = broker()
    stocks = sim.look("stocks")
    listed = list(stocks)[:100]
    keys = [Key(KisQuotes(client_of(sim, number)), 2) for number in (0, 1)]
    sweep = Sweep(keys, swept, Heartbeat(swept, "sweep", now()), now)
    turn = sweep.turn([*listed, UNKNOWN], {})
    assert (turn.asked, turn.written, turn.missing, turn.left) == (101, 100, 1, 0)
    with swept.connect() as connection:
        rows = {row.symbol: row for row in connection.execute(select(sweep_quote))}
    assert set(rows) == set(listed)
    assert all(rows[code].base_price == stocks[code]["base"] for code in listed)
    assert all(rows[code].missing_since is None for code in listed)
    assert read_daemons(swept)[-1].detail["written"] == 100
    asked = [line["key"] for line in sim.lines("calls") if line["path"].endswith("multprice")]
    assert set(asked) == {one.label for one in sim.customers}, "each key on its own surplus"
    assert len(asked) == 4


def test_a_stock_that_vanishes_keeps_its_old_price_and_says_since_when(  # type: ignore[no-untyped-def]
    broker, client_of, swept
) -> None:
    sim = broker()
    code = next(iter(sim.look("stocks")))
    old = now() - timedelta(minutes=5)
    row = {name: 0 for name in sweep_quote.c.keys() if name not in ("symbol", "name")}  # noqa: SIM118
    with swept.begin() as connection:
        connection.execute(
            insert(sweep_quote).values(
                row | {"symbol": UNKNOWN, "price": 777, "received_at": old, "missing_since": None}
            )
        )
    sweep = Sweep([Key(KisQuotes(client_of(sim)), 1)], swept, Heartbeat(swept, "sweep", now()), now)
    sweep.turn([UNKNOWN, code], ages(swept))
    with swept.connect() as connection:
        kept = connection.execute(select(sweep_quote).where(sweep_quote.c.symbol == UNKNOWN)).one()
    assert kept.price == 777
    assert kept.missing_since is not None
    assert abs((kept.received_at - old).total_seconds()) < 0.001


def test_what_a_short_turn_leaves_comes_first_in_the_next(broker, client_of, swept) -> None:  # type: ignore[no-untyped-def]
    sim = broker()
    listed = list(sim.look("stocks"))
    quotes = KisQuotes(client_of(sim))
    heartbeat = Heartbeat(swept, "sweep", now())
    first = Sweep([Key(quotes, 1)], swept, heartbeat, now, turn_s=0.01).turn(listed, {})
    assert 0 < first.asked < len(listed)
    assert first.left == len(listed) - first.asked
    second = Sweep([Key(quotes, 2)], swept, heartbeat, now).turn(listed, ages(swept))
    assert second.left == 0
    assert len(ages(swept)) == len(listed)


def test_refusals_and_broken_answers_cost_age_and_nothing_else(broker, client_of, swept) -> None:  # type: ignore[no-untyped-def]
    sim = broker(spurious_rate=0.1, http_500=0.1, broken_json=0.1)
    listed = list(sim.look("stocks"))
    keys = [Key(KisQuotes(client_of(sim)), plan(18).limits["sweep"])]
    turn = Sweep(keys, swept, Heartbeat(swept, "sweep", now()), now).turn(listed, {})
    assert turn.asked + turn.left == len(listed)
    assert turn.written == turn.asked
    assert turn.written >= len(listed) * 0.8


def test_stocks_of_the_websocket_are_known(tables, swept) -> None:  # type: ignore[no-untyped-def]
    writer = tables.engine("market")
    with writer.begin() as connection:
        connection.execute(insert(market).values(symbol="005930"))
    assert on_websocket(swept) == {"005930"}
    with writer.begin() as connection:
        connection.execute(delete(market))
