"""The account in the tables is the account at the broker, and a bad answer changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
import redis
from sqlalchemy import delete, select

from db.assets import read_balance, read_positions
from db.heartbeat import Heartbeat, read_daemons
from db.tables import asset_balance, asset_position, guard_trip
from kis.account import KisAccount
from kis.rest import KisRest
from runtime.asset_store import DbAssetStore
from runtime.assets import AssetPoll
from simulator.testing import RunningSimulator
from trading.clock import KST
from trading.errors import Transient

HOLDINGS = {"005930": [120, 70100], "035720": [50, 57300], "105560": [30, 96200]}
ACCOUNT = "main"


def now() -> datetime:
    return datetime.now(KST)


@pytest.fixture
def poll_of(tables) -> Callable[[KisRest], AssetPoll]:  # type: ignore[no-untyped-def]
    engine = tables.engine("assets")
    with engine.begin() as connection:
        connection.execute(delete(asset_balance))
        connection.execute(delete(asset_position))

    def make(rest: KisRest) -> AssetPoll:
        heartbeat = Heartbeat(engine, "assets", now())
        store = DbAssetStore(engine, ACCOUNT, heartbeat)
        return AssetPoll(ACCOUNT, KisAccount(rest), store)

    return make


def test_a_cycle_writes_the_account_as_one_snapshot(  # type: ignore[no-untyped-def]
    broker, client_of, poll_of, tables
) -> None:
    sim: RunningSimulator = broker(holdings=HOLDINGS, cash=30_000_000)
    poll = poll_of(client_of(sim))
    first = poll.cycle()
    engine = tables.engine("reader")
    balance, positions = read_balance(engine, ACCOUNT), read_positions(engine, ACCOUNT)
    assert balance is not None
    assert {s: (p.quantity, int(p.average_price)) for s, p in positions.items()} == {
        symbol: tuple(held) for symbol, held in HOLDINGS.items()
    }
    assert balance.orderable_cash is not None
    assert balance.realized_profit == 0
    second = poll.cycle()
    assert first is not None
    assert second is not None
    assert second > first
    row = next(one for one in read_daemons(engine) if one.name == "assets")
    assert row.detail == {"account": ACCOUNT, "snapshot": second, "positions": 3}
    calls = [line for line in sim.lines("calls") if line["tr_id"].startswith(("TTTC", "CTRP"))]
    assert len(calls) == 8, "four calls a cycle"
    assert {line["msg_cd"] for line in calls}.isdisjoint({"EGW00201", "EGW00215"})


def test_holdings_on_many_pages_are_counted_once(broker, client_of, poll_of, tables) -> None:  # type: ignore[no-untyped-def]
    sim = broker(holdings=HOLDINGS, page_balance=1)
    assert poll_of(client_of(sim)).cycle() is not None
    engine = tables.engine("reader")
    assert len(read_positions(engine, ACCOUNT)) == 3
    balance = read_balance(engine, ACCOUNT)
    assert balance is not None
    pages = [line["wall"] for line in sim.lines("calls") if "inquire-balance" in line["path"]]
    read_at = balance.received_at.timestamp()
    assert pages[0] < read_at < pages[1], "as old as its first page: the others wait for the pace"


def test_refusals_slowness_and_broken_answers_cost_at_most_a_cycle(  # type: ignore[no-untyped-def]
    broker, client_of, poll_of, tables
) -> None:
    sim = broker(
        holdings=HOLDINGS, spurious_rate=0.1, http_500=0.1, broken_json=0.1, slow=0.1, slow_s=0.5
    )
    poll = poll_of(client_of(sim))
    missed = 0
    for _ in range(3):
        try:
            assert poll.cycle() is not None
        except Transient:
            missed += 1
        positions = read_positions(tables.engine("reader"), ACCOUNT)
        assert {s: p.quantity for s, p in positions.items()} in (
            {},
            {s: h[0] for s, h in HOLDINGS.items()},
        )
    assert missed <= 1
    stats = [line["msg_cd"] for line in sim.lines("calls")]
    assert "EGW00215" not in stats


def test_an_empty_account_out_of_nowhere_is_not_believed(  # type: ignore[no-untyped-def]
    broker, client_of, poll_of, tables, store: redis.Redis
) -> None:
    sim = broker(holdings=HOLDINGS)
    poll = poll_of(client_of(sim))
    assert poll.cycle() is not None
    other = AssetPoll(  # the same tables, told by an account without stocks
        ACCOUNT, _Emptied(poll.source), poll.store, has_realised_profit=False
    )
    assert other.cycle() is None
    engine = tables.engine("reader")
    assert len(read_positions(engine, ACCOUNT)) == 3
    row = next(one for one in read_daemons(engine) if one.name == "assets")
    assert row.state == "WAITING"
    with engine.connect() as connection:
        trips = connection.execute(select(guard_trip)).all()
    assert [trip.guard for trip in trips][-1] == "ASSET_GATE"


class _Emptied:
    """The account of ``source`` with its rows left out, as a broker's bad night answers."""

    def __init__(self, source) -> None:  # type: ignore[no-untyped-def]
        self._source = source

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._source, name)

    def holdings(self):  # type: ignore[no-untyped-def]
        return replace(self._source.holdings(), positions=[])
