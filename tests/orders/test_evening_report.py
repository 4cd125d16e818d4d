"""The evening reconciliation: a clean day has no difference, and each planted one is found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import stockd
from runtime import orders, polls, wiring
from runtime.loop import kst_now
from runtime.report import evening
from tasks.report import write
from tests.orders.hands import fresh_trader, look
from trading.errors import BadInput

SYMBOL = "005930"
MORE = ("asset_history", "bar", "daily_price")


@pytest.fixture
def day(machine: Callable[..., Any], book: Any) -> Iterator[Any]:
    """A day on which the machine bought three shares; the account polled before and after."""
    for table in MORE:
        book.run(f"DELETE FROM {table}")
    here = machine("calm", cash=1_000_000_000)
    for cached in (polls.asset_poll, polls.calendar):
        cached.cache_clear()
    polls.asset_poll().cycle()
    book.run(
        "INSERT INTO asset_history (account, symbol, at, value, profit, cash, snapshot_no)"
        " SELECT account, '', CURDATE() - INTERVAL 9 HOUR, total_value, profit, deposit_d2,"
        " snapshot_no FROM asset_balance"
    )
    price = here.simulator.look("stocks")[SYMBOL]["price"]
    orders.agree()
    trader = fresh_trader()
    book.arm(SYMBOL, price, quantity=3, order_kind="MARKET", max_age_ms=60_000)
    book.tick(SYMBOL, price)
    assert look(trader) == 1
    assert orders.serve_next().what == "SENT"
    until = time.monotonic() + 30
    while book.states() != ["FILLED"] and time.monotonic() < until:
        orders.settle()
    assert book.states() == ["FILLED"]
    polls.asset_poll().cycle()
    for minute, close in (("15:29", price), ("15:30", price + 100), ("17:00", price + 900)):
        book.run(
            "INSERT INTO bar (symbol, minutes, at, open, high, low, close, volume, turnover, ticks,"
            " gap, source, updated_at) VALUES (:s, 1, CONCAT(CURDATE(), ' ', :m), :c, :c, :c, :c,"
            " 1, :c, 1, 0, 'EVENT', NOW(6))",
            s=SYMBOL, m=minute, c=close,
        )  # fmt: skip
    publish(book, price + 100)
    yield here
    for table in MORE:
        book.run(f"DELETE FROM {table}")


def publish(book: Any, close: int) -> None:
    book.run(
        "REPLACE INTO daily_price VALUES (CURDATE(), :s, :c, :c, :c, :c, 0, 0, 1, 1, 1, 1)",
        s=SYMBOL, c=close,
    )  # fmt: skip


def report(*more: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(stockd, ["report", *more, "--json"], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, json.loads(done.output.splitlines()[-1])


def test_a_clean_day_differs_in_nothing_and_makes_a_page(day: Any, tmp_path: Path) -> None:
    code, found = report("--html", str(tmp_path / "day.html"))
    assert found["differences"] == []
    assert found["left_out"] == []
    assert (code, found["ok"], found["orders"], found["by_hand"]) == (0, True, 1, 0)
    page = (tmp_path / "day.html").read_text("utf-8")
    assert "차이 없음" in page
    assert day.account in page
    assert "http" not in page.replace("http-equiv", "")  # nothing is fetched
    account = wiring.kis_key().account
    assert account not in page
    text = CliRunner().invoke(stockd, ["report"], standalone_mode=False).output
    assert "차이 없음" in text
    assert "005930 매수 3주 시장가 체결 3주" in text


PLANTED = {
    "a fill the ledger lost": ("UPDATE strike SET filled = 2", "FILLS"),
    "a fill row too many": (
        "INSERT INTO fill (account, order_day, order_no, symbol, side, quantity, price, at, source,"
        " recorded_at) SELECT account, order_day, order_no, symbol, side, 1, 1, at, source, NOW(6)"
        " FROM fill LIMIT 1",
        "FILLS",
    ),
    "an order the broker never had": ("UPDATE strike SET order_no = '9999999'", "ORDER"),
    "an order still open at night": ("UPDATE strike SET state = 'ACCEPTED'", "STATE"),
    "a share that nobody bought": ("UPDATE asset_position SET quantity = quantity + 1", "HOLDING"),
    "cash that went somewhere": (
        "UPDATE asset_balance SET deposit_d2 = deposit_d2 - 10000",
        "CASH",
    ),
    "a fee nobody was charged": ("UPDATE asset_balance SET fees_today = fees_today + 1", "CASH"),
    "money that nobody spent": ("UPDATE asset_balance SET bought_today = 1", "TURNOVER"),
    "a close that was not ours": ("UPDATE daily_price SET close = close + 50", "CLOSE"),
}


def test_every_planted_difference_is_found_and_named(day: Any, book: Any, tmp_path: Path) -> None:
    kept = {}
    for table in ("strike", "fill", "asset_position", "asset_balance", "daily_price"):
        book.run(f"CREATE OR REPLACE TABLE kept_{table} LIKE {table}")
        book.run(f"INSERT INTO kept_{table} SELECT * FROM {table}")
        kept[table] = f"kept_{table}"
    try:
        for name, (spoil, kind) in PLANTED.items():
            book.run(spoil)
            code, found = report("--html", str(tmp_path / "day.html"))
            assert code == 1, name
            assert kind in {one["kind"] for one in found["differences"]}, (name, found)
            assert "확인하십시오" in (tmp_path / "day.html").read_text("utf-8")
            for table, copy in kept.items():
                book.run(f"DELETE FROM {table}")
                book.run(f"INSERT INTO {table} SELECT * FROM {copy}")
        assert report()[0] == 0
    finally:
        for copy in kept.values():
            book.run(f"DROP TABLE {copy}")


def test_what_is_not_there_is_said_and_is_no_difference(day: Any, book: Any) -> None:
    book.run("DELETE FROM daily_price")
    book.run("DELETE FROM asset_history")
    code, found = report()
    assert code == 0
    assert any("data.go.kr" in one for one in found["left_out"])
    assert any("전날" in one for one in found["left_out"])


def test_the_owners_own_order_is_seen_and_left_alone(day: Any, book: Any) -> None:
    book.run("DELETE FROM order_event")
    book.run("DELETE FROM fill")
    book.run("DELETE FROM strike")  # as if a person had bought it in the HTS
    code, found = report()
    assert (code, found["by_hand"], found["differences"]) == (0, 1, [])


def test_the_evening_task_writes_the_page_and_remembers_a_difference(day: Any, book: Any) -> None:
    book.run("UPDATE daily_price SET close = close + 50")
    wiring.redis().flushdb()  # the slot of the day
    wiring.lanes().vouch()
    today = kst_now().date()
    assert f"{today}: 1" in write()
    assert (evening.folder() / f"{today}.html").exists()
    trips = book.rows("SELECT * FROM guard_trip WHERE guard = 'REPORT'")
    assert len(trips) == 1
    assert write() == "not our turn"


def test_a_day_to_come_and_a_date_that_is_none_are_refused(day: Any) -> None:
    tomorrow = kst_now().date() + timedelta(days=1)
    with pytest.raises(BadInput, match=str(tomorrow)):
        evening.report_of(tomorrow)
    done = CliRunner().invoke(stockd, ["report", "yesterday"])
    assert done.exit_code == 2
    assert "yesterday" in done.output
