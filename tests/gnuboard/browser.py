"""A headless Chromium (Debian's packages), and screenshots kept with the test's output."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SHOTS = Path(
    os.environ.get("GNUBOARD_SHOTS", Path(__file__).parents[2] / ".stockd" / "screenshots")
)


class Browser:
    """Selenium with the few gestures the stories need. ``shot`` writes NAME.png below SHOTS."""

    def __init__(
        self, folder: str, *, width: int = 1440, height: int = 1000, dark: bool = False
    ) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        self.profile = mkdtemp(prefix="stockd-chromium-")
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--window-size={width},{height}", f"--user-data-dir={self.profile}", "--lang=ko-KR",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        ):  # fmt: skip
            options.add_argument(flag)
        if dark:
            options.add_argument("--force-dark-mode")
            options.add_argument("--blink-settings=preferredColorScheme=0")
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        self.driver = webdriver.Chrome(options=options, service=service)
        self.folder = SHOTS / folder

    def close(self) -> None:
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def find(self, css: str) -> Any:
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, css))

    def until(self, what: Callable[[], Any], seconds: float = 40) -> Any:
        """Waits until ``what`` gives something true."""
        return WebDriverWait(self.driver, seconds, 0.1, ignored_exceptions=[Exception]).until(
            lambda _: what()
        )

    def text(self, css: str) -> str:
        return str(self.find(css).text)

    def type(self, css: str, words: str) -> None:
        field = self.find(css)
        field.clear()
        field.send_keys(words)

    def click(self, css: str) -> None:
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self.find(css))
        self.find(css).click()

    def shot(self, name: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path

    def console(self) -> list[str]:
        """Errors of the page's scripts; a site without an icon is none."""
        said = [line["message"] for line in self.driver.get_log("browser") if _severe(line)]
        return [line for line in said if "favicon.ico" not in line]


def _severe(line: dict[str, str]) -> bool:
    return line["level"] == "SEVERE"


def needs_chromium() -> None:
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("chromium is not installed: apt install chromium chromium-driver fonts-nanum")
