"""Who sees little or has no mouse: every control has a name, the keyboard reaches all of it, and
the page is dark where its site is, however the theme says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.gnuboard.browser import Browser, needs_chromium
from tests.gnuboard.machine_rows import bar_rows, lane_rows
from tests.gnuboard.site import Site, Visitor
from tests.gnuboard.test_browser_story import daemons_alive, log_in

KINDS = ("input:not([type=hidden])", "select", "button", "a", "table.sd-table")
CONTROLS = ", ".join(f".stockd {one}" for one in KINDS)
STOCKS = "[data-market] button"


@pytest.fixture
def browser(site: Site) -> Iterator[Browser]:
    needs_chromium()
    made = Browser(site.label)
    yield made
    made.close()


def open_page(browser: Browser, site: Site, name: str) -> None:
    browser.open(f"{site.url}/adm/view.php?call=stockd_{name}")


def press(browser: Browser, *keys: str) -> None:
    for key in keys:
        ActionChains(browser.driver).send_keys(key).perform()


def tab_to(browser: Browser, css: str, most: int = 120) -> None:
    """Tab until the control has the focus: a control that is never reached is a fault."""
    wanted = browser.find(css)
    for _ in range(most):
        if browser.driver.switch_to.active_element == wanted:
            return
        press(browser, Keys.TAB)
    pytest.fail(f"the keyboard does not reach {css}")


def test_every_control_has_a_name_that_can_be_read_out(
    browser: Browser, site: Site, admin: Visitor
) -> None:
    admin.add()
    with site.db.begin() as connection:
        lane_rows(connection, site.machine)
    log_in(browser, site)
    for name in ("conditions", "live", "orders", "settings"):
        open_page(browser, site, name)
        if name == "live":
            browser.until(lambda: browser.driver.find_elements(By.CSS_SELECTOR, STOCKS))
        controls = browser.driver.find_elements(By.CSS_SELECTOR, CONTROLS)
        nameless = [
            one.get_attribute("outerHTML")[:120]
            for one in controls
            if one.is_displayed() and not one.accessible_name.strip()
        ]
        assert (name, nameless) == (name, [])
        ids = browser.driver.execute_script(
            "return [...document.querySelectorAll('.stockd [id]')].map(one => one.id)"
        )
        assert len(ids) == len(set(ids))


def test_a_condition_is_added_and_armed_without_a_mouse(browser: Browser, site: Site) -> None:
    log_in(browser, site)
    open_page(browser, site, "conditions")
    tab_to(browser, "#sd_symbol")
    press(browser, *"삼성")
    browser.until(lambda: "삼성전자" in browser.text("#sd_found"))
    assert browser.find("#sd_symbol").get_attribute("aria-expanded") == "true"
    press(browser, Keys.ENTER)  # the focus goes on to the price
    press(browser, *"70000")
    tab_to(browser, "#sd_quantity")
    press(browser, *"3", Keys.ENTER)
    browser.until(lambda: "추가했습니다" in browser.text(".sd-alert-good"))
    tab_to(browser, "form[data-act=arm] button")
    press(browser, Keys.ENTER)
    browser.until(lambda: browser.find("#sd_arm").is_displayed())
    inside = "return document.getElementById('sd_arm').contains(document.activeElement)"
    assert browser.driver.execute_script(inside), "the focus is not in the dialog"
    press(browser, Keys.ESCAPE)
    browser.until(lambda: not browser.find("#sd_arm").is_displayed())
    assert site.conditions()[0]["enabled"] == 0
    assert browser.driver.switch_to.active_element.text == "장전", "the focus came back"
    press(browser, Keys.ENTER)
    browser.until(lambda: browser.find("#sd_arm").is_displayed())
    tab_to(browser, "#sd_arm [data-yes]", 5)
    press(browser, Keys.ENTER)
    browser.until(lambda: "장전했습니다" in browser.text(".sd-alert-good"))
    assert site.conditions()[0]["enabled"] == 1


def test_enter_after_the_password_arms(browser: Browser, site: Site, admin: Visitor) -> None:
    admin.post("settings", act="options", password_on_arm="1", password=site.password)
    admin.add()
    log_in(browser, site)
    open_page(browser, site, "conditions")
    browser.click("form[data-act=arm] button")
    browser.type("#sd_password", site.password + Keys.ENTER)
    browser.until(lambda: "장전했습니다" in browser.text(".sd-alert-good"))
    assert site.conditions()[0]["enabled"] == 1


def test_the_focus_stays_on_a_stock_that_moves_up_and_down_the_list(
    browser: Browser, site: Site
) -> None:
    with site.db.begin() as connection:
        bar_rows(connection, site.machine, "035720", 41_000)
    log_in(browser, site)
    with daemons_alive(site):
        open_page(browser, site, "live")
        browser.until(lambda: browser.driver.find_elements(By.CSS_SELECTOR, STOCKS))
        browser.click("[data-sort='3']")  # by 등락률, the biggest first
        tab_to(browser, "tr[data-symbol='035720'] button")
        press(browser, Keys.ENTER)
        browser.until(lambda: "카카오" in browser.text("[data-chart-name]"))
        browser.until(lambda: "카카오" in browser.find("[data-chart]").accessible_name)
        assert browser.find("tr[data-symbol='035720']").get_attribute("aria-current") == "true"
        for change, place in ((-9_000, "last"), (9_000, "first")):
            site.run(
                f"UPDATE `{site.machine}`.market SET price_change = {change}"
                " WHERE symbol = '035720'"
            )
            browser.find(f"tr[data-symbol='035720']:{place}-child")
            assert browser.driver.switch_to.active_element.text == "카카오"


@pytest.mark.parametrize(
    "theme",
    [
        "document.documentElement.dataset.bsTheme = 'dark'",
        "document.body.style.backgroundColor = '#10141c'",
        "document.body.classList.add('dark')",
    ],
)
def test_the_page_is_dark_where_the_theme_is(browser: Browser, site: Site, theme: str) -> None:
    log_in(browser, site)
    open_page(browser, site, "conditions")
    browser.driver.execute_script(
        "const style = document.createElement('style');"
        "style.textContent = 'html[data-bs-theme=dark] body, body.dark { background: #10141c }"
        " #wrapper, #container, .container_wr { background: transparent !important }';"
        "document.head.append(style)"
    )
    ground = "return getComputedStyle(document.querySelector('.stockd .sd-card')).backgroundColor"
    light = browser.driver.execute_script(ground)
    browser.driver.execute_script(theme)
    browser.until(lambda: browser.driver.execute_script(ground) != light)
    browser.shot("14-dark-theme")
    red, green, blue = browser.driver.execute_script(
        ground + ".match(/\\d+/g).slice(0, 3).map(Number)"
    )
    assert max(red, green, blue) < 90
