"""Two messages a trading day: in the morning whether all is ready, in the evening what happened."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import Engine, text

from db.alarms import alarms_since, reported
from db.errors import mapped
from runtime.alarms.book import Book
from runtime.calendar import Calendar
from runtime.doctor.apart import examine_apart
from trading.clock import KST

LATE = timedelta(minutes=30)  # a watchdog started later than this leaves the report out


def due(at: str, now: datetime) -> bool:
    """Whether ``now`` lies in the half hour from ``at`` ("HH:MM", KST)."""
    start = datetime.combine(now.date(), time.fromisoformat(at), tzinfo=KST)
    return start <= now < start + LATE


class Reports:
    """Sends each once a day; the rows of `alarm` remember it over a restart."""

    def __init__(
        self, engine: Engine, book: Book, calendar: Calendar, morning: str, evening: str
    ) -> None:
        self._engine, self._book, self._calendar = engine, book, calendar
        self._at = {"morning": morning, "evening": evening}

    def look(self, now: datetime) -> None:
        """Send what is due. StockdError without MariaDB; the next look is the retry."""
        for name, at in self._at.items():
            if not due(at, now) or self._calendar.day(now.date()) is None:
                continue
            if reported(self._engine, name, now.date()):
                continue
            title, body = morning() if name == "morning" else evening(self._engine, now)
            self._book.report(name, title, body, now)


def morning() -> tuple[str, str]:
    """(title, body): go or no-go, from the doctor."""
    faults = [one for one in examine_apart() if not one.ok]
    if not faults:
        return "[stockd 아침] 준비됨", "점검에서 문제를 찾지 못했습니다"
    lines = "\n".join(f"- {one.said}" for one in faults)
    return f"[stockd 아침] 문제 {len(faults)}개: 열지 마십시오", lines


_TODAY = {
    "ticked": "SELECT COUNT(*) FROM market WHERE received_at >= CURDATE()",
    "bars": "SELECT COUNT(*) FROM bar WHERE minutes = 1 AND at >= CURDATE()",
    "gaps": "SELECT COUNT(*) FROM bar WHERE minutes = 1 AND at >= CURDATE() AND gap = 1",
    "strikes": "SELECT COUNT(*) FROM strike WHERE fired_at >= CURDATE()",
    "orders": "SELECT COUNT(*) FROM strike WHERE order_day = CURDATE()",
    "open": "SELECT COUNT(*) FROM strike WHERE state IN"
    " ('CLAIMED', 'SENDING', 'ACCEPTED', 'UNKNOWN', 'PART_FILLED')",
    "bought": "SELECT COALESCE(SUM(quantity * price), 0) FROM fill"
    " WHERE order_day = CURDATE() AND side = 'BUY'",
    "sold": "SELECT COALESCE(SUM(quantity * price), 0) FROM fill"
    " WHERE order_day = CURDATE() AND side = 'SELL'",
    "realized": "SELECT COALESCE(SUM(realized_profit), 0) FROM asset_balance",
    "total": "SELECT COALESCE(SUM(total_value), 0) FROM asset_balance",
    "trips": "SELECT COUNT(*) FROM guard_trip WHERE at >= CURDATE() AND drill = 0",
}


def evening(engine: Engine, now: datetime) -> tuple[str, str]:
    """(title, body): the day in figures, KRW."""
    with mapped(), engine.connect() as connection:
        day = {name: int(connection.scalar(text(q)) or 0) for name, q in _TODAY.items()}
    start = datetime.combine(now.date(), time(0), tzinfo=KST)
    raised = [one.fault for one in alarms_since(engine, start) if one.what == "RAISED"]
    body = "\n".join(
        (
            f"타격 {day['strikes']}, 주문 {day['orders']}, 아직 열린 것 {day['open']}",
            f"매수 {day['bought']:,}원, 매도 {day['sold']:,}원, 실현 {day['realized']:+,}원",
            f"총평가 {day['total']:,}원",
            f"체결 종목 {day['ticked']}, 1분봉 {day['bars']:,} (공백 {day['gaps']:,})",
            f"가드 {day['trips']}번, 경보 {len(raised)}번 {' '.join(sorted(set(raised)))}".strip(),
        )
    )
    return f"[stockd 저녁] {now:%m-%d} 마감", body
