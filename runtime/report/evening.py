"""The evening's turn: the report of today, and once more of the day whose close came out today."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import structlog

from db.trips import record_trip
from runtime import orders, wiring
from runtime.loop import kst_now
from runtime.report.day import Report, make_report
from runtime.report.page import page
from runtime.report.words import verdict
from runtime.settings import load_settings
from trading.clock import KST
from trading.errors import BadInput
from trading.hours import TradingDay

log = structlog.get_logger(__name__)

LOOK_BACK_DAYS = 12  # the longest row of holidays, and space


def folder() -> Path:
    """Where the pages are kept."""
    return Path(load_settings().local.directory) / "reports"


def report_of(day: date, role: str = "orders") -> Report:
    """The report of one day. BadInput for a day that is no trading day or still to come."""
    now, today = kst_now(), orders.trading_day(day)
    if day > now.date():
        raise BadInput("DATE", str(day), "아직 오지 않은 날입니다")
    if today is None:
        raise BadInput("DATE", str(day), "휴장일입니다")
    return make_report(
        wiring.engine(role), orders.account(), today, wiring.kis_account().executions, now
    )


def evening(day: date) -> str:
    """Write the pages of ``day`` and of the trading day before it; a word for the log."""
    if orders.trading_day(day) is None:
        return "휴장일"
    said = []
    for one in (_before(day), day):
        if one is None:
            continue
        report = report_of(one)
        write(report, folder() / f"{one}.html")
        said.append(f"{one}: {len(report.differences)}")
        if not report.ok:
            log.error("저녁 대사에 차이가 있습니다", day=str(one), count=len(report.differences))
            record_trip(wiring.engine("orders"), "REPORT", kst_now(), f"{one} {verdict(report)}")
    return ", ".join(said)


def write(report: Report, path: Path) -> None:
    """The page as a file, replaced as a whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(page(report), "utf-8")
    new.replace(path)


def _before(day: date) -> date | None:
    found: TradingDay | None = None
    for back in range(1, LOOK_BACK_DAYS):
        found = orders.trading_day(day - timedelta(days=back))
        if found is not None:
            break
    return found.day if found else None


def today() -> date:
    """The day whose evening it is, KST."""
    return kst_now().astimezone(KST).date()
