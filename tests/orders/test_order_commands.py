"""What a person does at the command line, and what bad input gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from runtime import orders
from tests.orders.hands import fresh_trader, look, say
from trading.errors import BadInput
from workers.trader import build


def test_a_condition_is_made_off_armed_edited_and_removed(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    book.money(here.account)
    book.tick("005930", 71_000)
    made = json.loads(
        say("condition", "add", "--symbol", "005930", "--side", "BUY", "--strike-price", "70000",
            "--quantity", "3", "--valid-until", "2099-01-01 09:00", "--window-from", "00:00",
            "--json").output
    )["id"]  # fmt: skip
    assert "꺼짐" in say("condition", "list").output
    say("condition", "arm", str(made))
    trader = build()
    with trader.engine.connect() as connection:
        trader.look(connection)
        assert "켜짐" in say("condition", "list").output
        say("condition", "edit", str(made), "--quantity", "5")
        trader.look(connection)  # an edit disarms; the next look knows
        assert trader.watched == {}
    row = book.rows("SELECT * FROM stockd_condition")[0]
    assert (row.quantity, row.enabled, row.arm_no, row.rev) == (5, 0, 1, 3)
    say("condition", "remove", str(made))
    assert say("condition", "list").output.strip() == "조건이 없습니다"
    actions = [one.action for one in book.rows("SELECT * FROM stockd_condition_log ORDER BY id")]
    assert actions == ["ADD", "ARM", "EDIT", "REMOVE"]


def test_bad_input_names_the_field_and_changes_nothing(
    machine: Callable[..., Any], book: Any
) -> None:
    machine()
    with pytest.raises(BadInput) as wrong:
        say("condition", "add", "--symbol", "005930", "--side", "BUY", "--strike-price", "70,000",
            "--quantity", "3")  # fmt: skip
    assert wrong.value.field == "strike_price"
    with pytest.raises(BadInput):
        say("condition", "arm", "77")
    assert book.rows("SELECT * FROM stockd_condition") == []


def a_strike_waits(here: Any, book: Any) -> Any:
    """One condition has fired and nothing was sent yet; the trader that did it."""
    trader = fresh_trader()
    book.money(here.account)
    book.arm("005930", 70_000, order_kind="MARKET", quantity=1)
    book.tick("005930", 70_000)
    assert look(trader) == 1
    return trader


def test_halt_stops_new_orders_survives_and_only_a_person_lifts_it(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    trader = a_strike_waits(here, book)
    with trader.engine.connect() as connection:
        say("halt", "점심")
        assert orders.serve_next().what == "WAIT"  # what was waiting is denied
        assert book.strikes()[0].reason_code == "HALT"
        book.arm("005930", 70_000, order_kind="MARKET", quantity=2)
        assert trader.look(connection) == 0
        with pytest.raises(BadInput):
            say("resume", " ")
        say("resume", "점심 끝")
        book.tick("005930", 70_000, 2)
        assert trader.look(connection) == 1
    assert orders.serve_next().what == "SENT"
    assert len(here.orders_at_broker()) == 1


def test_the_stop_file_halts_as_well(machine: Callable[..., Any], book: Any) -> None:
    here = machine()
    a_strike_waits(here, book)
    orders.stop_file().write_text("집에 불이 났다", "utf-8")
    orders.serve_next()
    assert "집에 불이 났다" in book.strikes()[0].reason
    assert here.orders_at_broker() == []
    assert say("resume", "껐다").return_value == 1  # the file first
    orders.stop_file().unlink()
    say("resume", "껐다")


def test_the_loss_of_the_day_pulls_the_switch_by_itself(
    machine: Callable[..., Any], book: Any
) -> None:
    here = machine()
    trader = a_strike_waits(here, book)
    book.run("UPDATE asset_balance SET realized_profit = -1000000")
    orders.serve_next()
    assert book.strikes()[0].reason_code == "DAY_LOSS"
    (halt,) = book.rows("SELECT action, source, actor, reason FROM stockd_halt")
    assert (halt.action, halt.source, halt.actor) == ("HALT", "GUARD", "day_loss")
    assert "1,000,000" in halt.reason
    book.arm("005930", 70_000, order_kind="MARKET", quantity=2)
    book.tick("005930", 70_000, 2)
    with trader.engine.connect() as connection:
        assert trader.look(connection) == 0
    assert here.orders_at_broker() == []


def test_every_drill_leaves_its_day(machine: Callable[..., Any], book: Any) -> None:
    machine()
    shown = json.loads(say("drill", "all", "--json").output)
    assert shown["ok"]
    assert len(book.rows("SELECT * FROM guard_trip WHERE drill = 1")) == len(shown["drills"])
