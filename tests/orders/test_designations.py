"""지정: what the exchange has put under watch is not bought, and can always be sold."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any

import pytest

from kis.quotes import KisQuotes
from runtime import orders, polls, wiring
from runtime.loop import kst_now
from runtime.stock_days import AGAIN_AFTER_S, FROM, StockDays
from tests.orders.hands import fresh_trader, look, say
from trading.conditions import BadCondition
from trading.designations import NO_BUY

SYMBOL, OTHER, NOBODY = "005930", "000660", "Q999999"
LIMITS = "SELECT symbol, designations, no_buy, lower_limit, base_price, upper_limit FROM stock_day"


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def days(
    no_buy: tuple[str, ...] = NO_BUY,
    clock: Clock | None = None,
    now: Callable[[], datetime] = kst_now,
    read_from: tuple[time_of_day, ...] = (time_of_day(0),),
) -> StockDays:
    """The reader of the sweep worker, new."""
    quotes = KisQuotes(wiring.kis_rest())
    return StockDays(
        quotes, wiring.engine("sweep"), orders.site(), no_buy, now, read_from, clock or Clock()
    )


def asked(here: Any) -> list[str]:
    """Stocks whose day was asked for at the broker."""
    calls = here.simulator.lines("calls")
    return [one["path"] for one in calls if one["path"].endswith("inquire-price")]


def designated(book: Any, symbol: str, names: str) -> None:
    book.run(
        "REPLACE INTO stock_day VALUES (:s, CURDATE(), 70000, 91000, 49000, :n, :n, NOW(6))",
        s=symbol, n=names,
    )  # fmt: skip


def served() -> str:
    """What became of the strike that is due, once it is its turn."""
    until = time.monotonic() + 30
    while (turn := orders.serve_next()).state is None and time.monotonic() < until:
        time.sleep(0.1)
    return str(turn.state)


def test_the_stocks_with_conditions_are_read_once_a_day_and_only_they(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine(designations={SYMBOL: "53"})
    book.arm(SYMBOL, 70_000)
    book.arm(OTHER, 70_000, enabled=0)
    reader = days()
    assert reader.turn() == "2 of 2"
    assert reader.turn() == "0 of 0"
    assert len(asked(here)) == 2
    rows = {row.symbol: row for row in book.rows(LIMITS)}
    assert set(rows) == {SYMBOL, OTHER}
    assert (rows[SYMBOL].designations, rows[SYMBOL].no_buy) == ("투자경고", "투자경고")
    assert (rows[OTHER].designations, rows[OTHER].no_buy) == ("", "")
    for code, row in rows.items():
        assert row.base_price == here.simulator.look("stocks")[code]["base"]
        assert 0 < row.lower_limit < row.base_price < row.upper_limit
    book.run("UPDATE stock_day SET received_at = received_at - INTERVAL 1 DAY")
    assert reader.turn() == "2 of 2"


def test_yesterdays_limits_do_not_bound_today(machine: Callable[..., Any], book: Any) -> None:
    """Not before 08:00, and once more at 08:45: a broker may be late with the new day."""
    machine()
    book.arm(SYMBOL, 70_000)
    at = {"now": kst_now()}
    reader = days(now=lambda: at["now"], read_from=FROM)
    told = []
    for hour, minute in ((7, 50), (8, 0), (8, 10), (8, 45), (8, 46), (15, 0)):
        at["now"] = at["now"].replace(hour=hour, minute=minute, second=0)
        told.append(reader.turn())
    assert told == ["too early", "1 of 1", "0 of 0", "1 of 1", "0 of 0", "0 of 0"]


def test_a_stock_that_cannot_be_read_waits_and_costs_the_others_nothing(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    for symbol in (NOBODY, SYMBOL):
        book.arm(symbol, 70_000)
    clock = Clock()
    reader = days(clock=clock)
    assert reader.turn() == "1 of 2"
    assert reader.turn() == "0 of 0"
    before = len(asked(here))
    clock.s += AGAIN_AFTER_S
    assert reader.turn() == "0 of 1"
    assert len(asked(here)) == before + 1


def test_the_owner_changes_his_mind_and_todays_rows_follow(
    machine: Callable[..., Any], book: Any
) -> None:
    machine(designations={SYMBOL: "59"})
    book.arm(SYMBOL, 70_000)
    days().turn()
    assert [row.no_buy for row in book.rows(LIMITS)] == ["단기과열"]
    days(no_buy=("관리종목",)).turn()
    assert [(row.designations, row.no_buy) for row in book.rows(LIMITS)] == [("단기과열", "")]
    days().turn()
    assert [row.no_buy for row in book.rows(LIMITS)] == ["단기과열"]


def test_an_unknown_state_is_no_designation_and_is_said(
    machine: Callable[..., Any], book: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    machine(designations={SYMBOL: "77"})
    book.arm(SYMBOL, 70_000)
    assert days().turn() == "1 of 1"
    (row,) = book.rows(LIMITS)
    assert (row.designations, row.no_buy) == (None, "")
    assert row.upper_limit > 0
    assert "모르는 종목 상태 코드" in capsys.readouterr().out + capsys.readouterr().err


def test_a_designated_stock_is_not_bought_and_is_sold(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine(holdings={SYMBOL: [10, 60_000]})
    orders.agree()
    book.money(here.account, 1_000_000_000, **{f"_{SYMBOL}": 10})
    designated(book, SYMBOL, "관리종목")
    buy = book.arm(SYMBOL, 70_000)
    sale = book.arm(SYMBOL, 60_000, side="SELL", trigger_op="GE", order_kind="MARKET")
    trader = fresh_trader()
    book.tick(SYMBOL, 69_000)
    assert look(trader) == 1, "the sale alone"
    assert [row.condition_id for row in book.strikes()] == [sale]
    (told,) = book.rows("SELECT * FROM condition_state WHERE condition_id = :i", i=buy)
    assert (told.state, told.reason) == ("WAITING", "관리종목 종목은 사지 않습니다")
    assert served() == "ACCEPTED"
    # the next day it is no longer one, and the condition is still armed
    book.run("UPDATE stock_day SET no_buy = '', designations = ''")
    trader._days_at = trader._days_at and trader._days_at - timedelta(seconds=6)
    assert look(trader) == 1, "the price is still there"


def test_a_stock_designated_between_firing_and_sending_is_denied_with_its_reason(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    orders.agree()
    book.money(here.account, 1_000_000_000)
    book.arm(SYMBOL, 70_000)
    book.tick(SYMBOL, 70_000)
    assert look(fresh_trader()) == 1
    designated(book, SYMBOL, "투자경고, 단기과열")
    orders.serve_next()
    (strike,) = book.strikes()
    assert (strike.state, strike.reason_code) == ("DENIED", "DESIGNATION")
    assert strike.reason == "투자경고, 단기과열 종목은 사지 않습니다"
    assert here.orders_at_broker() == []


def test_the_command_line_refuses_it_and_knows_the_days_limits(
    machine: Callable[..., Any], book: Any
) -> None:
    machine()
    designated(book, SYMBOL, "투자위험")
    book.run("INSERT INTO market (symbol, section, seq, price, hour_class)"
             " VALUES (:s, 1, 1, 70000, '0')", s=SYMBOL)  # fmt: skip

    def add(price: str) -> BadCondition:
        words = ("--symbol", SYMBOL, "--side", "BUY", "--strike-price", price, "--quantity", "1")
        with pytest.raises(BadCondition) as refused:
            say("condition", "add", *words)
        return refused.value

    assert (add("70000").field, add("70000").code) == ("symbol", "no_buy")
    book.run("UPDATE stock_day SET no_buy = ''")
    assert add("92000").code == "above_upper_limit"


def test_the_timetables_turn_reads_them(machine: Callable[..., Any], book: Any) -> None:
    machine()
    book.arm(SYMBOL, 70_000)
    polls.stock_days.cache_clear()
    try:
        assert polls.read_stock_days() == "1 of 1"
    finally:
        polls.stock_days.cache_clear()
    assert [row.symbol for row in book.rows(LIMITS)] == [SYMBOL]
