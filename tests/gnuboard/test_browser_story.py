"""The story in a real browser: log in, find a stock, arm, watch it strike, press 정지."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.gnuboard.browser import Browser, needs_chromium
from tests.gnuboard.machine_rows import bar_rows, daemon_rows, lane_rows, market_rows, struck
from tests.gnuboard.site import Site


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    needs_chromium()
    made = Browser(site.label)
    yield made
    made.close()


@contextmanager
def daemons_alive(site: Site) -> Iterator[None]:
    """Writes the daemons' progress every half second, as they do."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.5):
            with site.db.begin() as connection:
                daemon_rows(connection, site.machine)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


def log_in(browser: Browser, site: Site) -> None:
    browser.open(f"{site.url}/bbs/login.php")
    browser.type("[name=mb_id]", "admin")
    browser.type("[name=mb_password]", site.password + Keys.ENTER)
    browser.until(lambda: "login" not in browser.driver.current_url)


def arm_a_stock_found_by_name(browser: Browser, site: Site) -> None:
    """Finds 삼성전자 by name, adds a buy at 70,000 and arms it through the dialog."""
    browser.open(f"{site.url}/adm/view.php?call=stockd_conditions")
    browser.type("#sd_symbol", "삼성")
    browser.until(lambda: "삼성전자" in browser.text("#sd_found"))
    browser.find("#sd_symbol").send_keys(Keys.ENTER)
    assert browser.find("#sd_symbol").get_attribute("value") == "005930"
    browser.until(lambda: "71,500원" in browser.text("#sd_quote"))
    browser.type("#sd_strike_price", "70050")
    browser.type("#sd_quantity", "3")
    browser.until(lambda: "호가단위" in browser.text("#sd_problem"))
    browser.shot("2-typing-a-wrong-step")
    browser.type("#sd_strike_price", "70000")
    browser.until(lambda: "좋습니다" in browser.text("#sd_problem"))
    browser.click("#sd_form button[type=submit]")
    browser.until(lambda: "추가했습니다" in browser.text(".sd-alert-good"))
    browser.click("form[data-act=arm] button")
    browser.until(lambda: browser.find("#sd_arm").is_displayed())
    assert "삼성전자 매수 70,000원 이하 3주" in browser.text("#sd_arm [data-what]")
    browser.shot("3-arming")
    browser.click("#sd_arm [data-yes]")
    browser.until(lambda: "장전했습니다" in browser.text(".sd-alert-good"))


def press_stop(browser: Browser) -> None:
    browser.type("[data-halt-form] [name=reason]", "이상하면 멈춘다")
    browser.click(".sd-stop")
    browser.until(lambda: "정지했습니다" in browser.text(".sd-alert-good"))
    browser.until(lambda: "이상하면 멈춘다" in browser.text("[data-halted]"))


def test_from_login_to_stop(browser: Browser, site: Site) -> None:
    with site.db.begin() as connection:
        market_rows(connection, site.machine, extra=195)
        bar_rows(connection, site.machine, "005930", 71_000)
        lane_rows(connection, site.machine)
    log_in(browser, site)
    browser.shot("1-logged-in")
    arm_a_stock_found_by_name(browser, site)
    condition = site.conditions()[0]
    assert (condition["enabled"], condition["symbol"], condition["strike_price"]) == (
        1,
        "005930",
        70_000,
    )

    # the trader saw it, the price fell, the order went out and was filled
    site.armed_in_the_machine(condition["id"])
    browser.until(lambda: "지켜보는 중" in browser.text("[data-machine]"))
    with site.db.begin() as connection:
        struck(connection, site.machine, condition, "FILLED", 3)
    browser.until(lambda: "체결 3주" in browser.text("[data-machine]"))
    browser.shot("4-struck-and-filled")
    browser.click("[data-history]")
    browser.until(lambda: "장전" in browser.text("#sd_history"))
    browser.shot("5-history")

    with daemons_alive(site):
        look_at_the_market(browser, site)
        press_stop(browser)
    browser.shot("7-halted")
    assert site.rows(f"SELECT action FROM {site.table('halt')}") == [{"action": "HALT"}]
    browser.open(f"{site.url}/adm/view.php?call=stockd_settings")
    browser.shot("8-settings")
    browser.open(f"{site.url}/adm/view.php?call=stockd_orders")
    browser.shot("9-orders")
    assert browser.console() == []
    site.run(f"DELETE FROM `{site.machine}`.market WHERE symbol LIKE '900%'")
    site.run(f"DELETE FROM `{site.machine}`.listing WHERE symbol LIKE '900%'")


def look_at_the_market(browser: Browser, site: Site) -> None:
    """200 stocks, the chart of one, its position moving with the tick, its order and fill."""
    browser.open(f"{site.url}/adm/view.php?call=stockd_live")
    browser.until(lambda: "실시간" in browser.text("[data-pulse]"))
    browser.until(lambda: "200" in browser.text("[data-count=market]"))
    browser.type("[data-filter]", "삼성")
    browser.click("[data-market] tbody tr")
    browser.until(lambda: "삼성전자" in browser.text("[data-chart-name]"))
    browser.until(lambda: browser.driver.find_elements(By.CSS_SELECTOR, "[data-chart] canvas"))
    browser.find("[data-filter]").clear()
    browser.find("[data-filter]").send_keys(" " + Keys.BACKSPACE)
    assert "삼성전자" in browser.text("[data-positions]")
    assert "체결" in browser.text("[data-strikes]")
    assert "70,000" in browser.text("[data-fills]")
    assert "4 / 10" in browser.text("[data-lanes]")
    site.run(
        f"UPDATE `{site.machine}`.market SET price = 72000, price_change = 1000"
        " WHERE symbol = '005930'"
    )
    browser.until(lambda: "+200,000" in browser.text("[data-positions]"))
    browser.shot("6-live")


def test_the_page_warns_before_what_fires_at_once(browser: Browser, site: Site) -> None:
    log_in(browser, site)
    browser.open(f"{site.url}/adm/view.php?call=stockd_conditions")
    browser.type("#sd_symbol", "005930")
    browser.type("#sd_strike_price", "71600")
    browser.type("#sd_quantity", "1")
    browser.until(lambda: "지금 발동됩니다" in browser.text("#sd_problem"))
    browser.click("#sd_form button[type=submit]")
    browser.until(lambda: "추가했습니다" in browser.text(".sd-alert-good"))
    browser.until(lambda: browser.find("tr[data-id]").get_attribute("data-fires") == "1")
    browser.click("form[data-act=arm] button")
    browser.until(lambda: "지금 발동됩니다" in browser.text("#sd_arm"))
    browser.shot("10-fires-now")
    browser.click("#sd_arm [data-no]")
    assert site.conditions()[0]["enabled"] == 0


def test_a_tab_nobody_looks_at_asks_nothing(browser: Browser, site: Site) -> None:
    """Counted by the browser itself: questions of the tab that went out while it was hidden."""
    log_in(browser, site)
    browser.open(f"{site.url}/adm/view.php?call=stockd_live")
    browser.until(lambda: browser.text("[data-pulse]") != "불러오는 중…")
    browser.driver.execute_script(
        "window.hidden_questions = 0; window.questions = 0; const real = window.fetch;"
        "document.addEventListener('visibilitychange', () => { window.was_hidden = true; });"
        "window.fetch = function () { window.questions++;"
        " if (document.hidden) { window.hidden_questions++; } return real.apply(this, arguments); }"
    )
    asked = "return window.questions"
    browser.until(lambda: browser.driver.execute_script(asked) >= 2)
    tab = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    time.sleep(4)  # several turns of a tab in sight
    browser.driver.close()
    browser.driver.switch_to.window(tab)
    before = browser.driver.execute_script(asked)
    assert browser.driver.execute_script("return window.was_hidden") is True
    assert browser.driver.execute_script("return window.hidden_questions") == 0
    browser.until(lambda: browser.driver.execute_script(asked) > before)


def test_the_live_page_says_when_it_is_stale(browser: Browser, site: Site) -> None:
    log_in(browser, site)
    browser.open(f"{site.url}/adm/view.php?call=stockd_live")
    browser.until(lambda: "실시간" in browser.text("[data-pulse]"))
    site.run(f"UPDATE `{site.machine}`.daemon SET progress_at = NOW(6) - INTERVAL 40 SECOND")
    browser.until(lambda: "시세가 멈췄습니다" in browser.text("[data-pulse]"))
    browser.until(lambda: "멈춘 듯" in browser.text("[data-daemons]"))
    browser.shot("11-stale")


@pytest.mark.parametrize(
    ("name", "width", "height", "dark"), [("phone", 400, 860, False), ("dark", 1440, 1000, True)]
)
def test_the_pages_fit_a_phone_and_the_dark(
    site: Site, name: str, width: int, height: int, dark: bool
) -> None:
    needs_chromium()
    if site.real:
        pytest.skip("the core's admin screen has no phone layout and no dark mode")
    with site.db.begin() as connection:
        bar_rows(connection, site.machine, "005930", 71_000)
    browser = Browser(site.label, width=width, height=height, dark=dark)
    try:
        log_in(browser, site)
        arm_a_stock_found_by_name(browser, site)
        browser.shot(f"12-{name}-conditions")
        with daemons_alive(site):
            browser.open(f"{site.url}/adm/view.php?call=stockd_live")
            browser.until(lambda: "실시간" in browser.text("[data-pulse]"))
            browser.until(
                lambda: browser.driver.find_elements(By.CSS_SELECTOR, "[data-chart] canvas")
            )
            browser.shot(f"13-{name}-live")
        wide = browser.driver.execute_script(
            "return document.documentElement.scrollWidth - window.innerWidth"
        )
        assert wide <= 1, f"the page is {wide} px wider than the window"
        theme = browser.driver.execute_script("return document.documentElement.dataset.theme || ''")
        assert theme == ("dark" if dark else "")
    finally:
        browser.close()
