"""The whole story on the running machine, in a real browser: a stock is found, armed, struck,
filled and in the assets; 정지, and what is armed fires no more until a person resumes."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from runtime.demo.script import away
from tests.gnuboard.browser import Browser, needs_chromium
from tests.gnuboard.machine import Machine

LONG_S = 90.0  # orders go out one a second, the account is asked every ten, and the machine is busy
FREE = """
    SELECT m.symbol, l.name, m.price FROM market m JOIN listing l USING (symbol)
     WHERE m.price BETWEEN 5000 AND 100000 AND m.halted = 0
       AND m.symbol NOT IN (SELECT symbol FROM asset_position)
       AND m.symbol NOT IN (SELECT symbol FROM stockd_condition)
     ORDER BY m.day_turnover DESC LIMIT 1"""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if shutil.which("php") is None:
        pytest.skip("php is not installed: apt install php-cli php-mysql")
    needs_chromium()
    made = Machine(tmp_path, "--sections", "1", "--rate", "200")
    try:
        made.wait_up()
        # the demo's own conditions fire first, so that no stock of ours becomes one of theirs
        made.until(lambda: made.rows("SELECT 1 FROM strike LIMIT 1"))
        yield made
    finally:
        try:
            made.stop()
            port = int(made.url.rpartition(":")[2] or 0)
            with socket.socket() as door:  # PHP's workers have ended with it
                assert door.connect_ex(("127.0.0.1", port)) != 0
        finally:
            for process in psutil.process_iter(["cmdline"]):  # only what a failed run has left
                if str(tmp_path) in " ".join(process.info["cmdline"] or ()):
                    process.kill()


@pytest.fixture
def browser(machine: Machine) -> Iterator[Browser]:
    made = Browser("machine")
    yield made
    made.close()


def page(machine: Machine, name: str) -> str:
    return f"{machine.url}/adm/view.php?call=stockd_{name}"


def of_condition(browser: Browser, symbol: str) -> str:
    """The row of the stock's condition, as a selector."""
    for row in browser.driver.find_elements(By.CSS_SELECTOR, "tr[data-id]"):
        if symbol in row.text:
            return f"tr[data-id='{row.get_attribute('data-id')}']"
    return ""


def add(browser: Browser, machine: Machine, stock: Any, strike: int) -> str:
    """Find the stock by its name and add a buy; the row of the new condition."""
    browser.open(page(machine, "conditions"))
    browser.type("#sd_symbol", stock.name)
    browser.click(f"#sd_found li[data-symbol='{stock.symbol}']")
    browser.type("#sd_strike_price", str(strike))
    browser.type("#sd_quantity", "2")
    # the machine of this test is busy with more than trading: a tick may be older than 3 s
    browser.click(".sd-more summary")
    browser.type("#sd_max_age_ms", "60000")
    browser.until(lambda: "2주" in browser.text("#sd_problem"), LONG_S)
    browser.click("#sd_form button[type=submit]")
    browser.until(lambda: "추가했습니다" in browser.text(".sd-alert-good"), LONG_S)
    return str(browser.until(lambda: of_condition(browser, stock.symbol)))


def arm(browser: Browser, row: str) -> None:
    browser.click(f"{row} form[data-act=arm] button")
    browser.click("#sd_arm [data-yes]")
    browser.until(lambda: "장전했습니다" in browser.text(".sd-alert-good"), LONG_S)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_arm_strike_fill_assets_and_stop(browser: Browser, machine: Machine) -> None:
    browser.open(page(machine, "live"))
    browser.driver.switch_to.alert.accept()  # not signed in: the site says so and shows the door
    browser.type("[name=mb_password]", machine.password + Keys.ENTER)
    browser.until(lambda: "실시간" in browser.text("[data-pulse]"), LONG_S)
    browser.shot("1-live")

    # a buy whose strike price the market has already: it says so, strikes, and is filled
    stock = machine.rows(FREE)[0]
    row = add(browser, machine, stock, away(stock.price, 20))
    browser.until(lambda: browser.find(row).get_attribute("data-fires") == "1", LONG_S)
    browser.click(f"{row} form[data-act=arm] button")
    browser.until(lambda: "지금 발동됩니다" in browser.text("#sd_arm"))
    browser.shot("2-fires-now")
    browser.click("#sd_arm [data-yes]")
    browser.until(lambda: "체결 2주" in browser.text(f"{row} [data-machine]"), LONG_S)
    browser.shot("3-filled")

    # the page of the market: its order, its fill, and the position once the account was asked
    browser.open(page(machine, "live"))
    browser.until(lambda: stock.name in browser.text("[data-fills]"), LONG_S)
    browser.until(lambda: stock.symbol in browser.text("[data-positions]"), LONG_S)
    browser.until(lambda: "주문" in browser.text("[data-lanes]"), LONG_S)
    for name in ("market", "trader", "orders", "assets", "beat", "watchdog"):
        browser.until(lambda name=name: name in browser.text("[data-daemons]"), LONG_S)
    browser.shot("4-in-the-assets")
    browser.driver.execute_script("document.querySelector('[data-daemons]').scrollIntoView()")
    browser.shot("4-lanes-and-daemons")

    # another one waits below the market; 정지; the price falls through it
    second = machine.rows(FREE)[0]
    strike = away(second.price, -15)
    row = add(browser, machine, second, strike)
    arm(browser, row)
    row = of_condition(browser, second.symbol)
    browser.until(lambda: "지켜보는 중" in browser.text(f"{row} [data-machine]"), LONG_S)
    browser.open(page(machine, "live"))
    browser.until(lambda: browser.find(".sd-stop").is_displayed(), LONG_S)
    browser.type("[data-halt-form] [name=reason]", "이상하면 멈춘다")
    browser.click(".sd-stop")
    browser.until(lambda: "이상하면 멈춘다" in browser.text("[data-halted]"), LONG_S)

    fallen = {"prices": {second.symbol: away(strike, -2)}, "hold_s": 600}
    machine.broker.post("price", fallen)
    seen = {"s": second.symbol, "p": strike}
    below = "SELECT seq FROM market WHERE symbol = :s AND price <= :p"
    first = machine.until(lambda: machine.rows(below, **seen), LONG_S)[0].seq
    machine.until(lambda: machine.rows(f"{below} AND seq > {first + 10}", **seen), LONG_S)
    struck = "SELECT state FROM strike WHERE symbol = :s"
    assert machine.rows(struck, s=second.symbol) == []
    assert second.symbol not in {one["symbol"] for one in machine.broker.get("book")["orders"]}
    browser.shot("5-halted")

    # and it was the halt that held it: a person resumes, and it fires
    browser.open(page(machine, "settings"))
    browser.type("#sd_reason", "점검 끝")
    browser.find("#sd_reason").send_keys(Keys.ENTER)
    browser.until(lambda: "다시 시작했습니다" in browser.text(".sd-alert-good"), LONG_S)
    machine.broker.post("price", fallen)
    machine.until(lambda: machine.rows(struck, s=second.symbol), LONG_S)
    browser.open(page(machine, "orders"))
    browser.until(lambda: second.symbol in browser.text("[data-stockd=orders]"))
    browser.shot("6-orders")
    assert browser.console() == []
