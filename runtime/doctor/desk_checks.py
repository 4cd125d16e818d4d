"""What the person set: stocks that fit, conditions that can fire, a ledger that is whole."""

from __future__ import annotations

import sqlalchemy as sa

from db.conditions import ConditionBook, typed
from db.errors import mapped
from db.halt import current_halt
from db.ledger import verify
from kis.keys import Env
from runtime import orders, wiring
from runtime.doctor.findings import Fault, raise_any
from runtime.loop import kst_now
from runtime.market_parts import condition_place, wanted
from runtime.settings import load_settings
from trading.conditions import BadCondition, validate
from trading.watch_plan import plan_watch


def watch() -> str:
    """All stocks wanted (armed, table `watch`, settings) have a place in a section."""
    known = load_settings()
    engine = wiring.engine("reader")
    stocks = wanted(engine, condition_place(), known.watch.symbols)
    numbers = range(1, len(known.kis.sections) + 1)
    refused = plan_watch(stocks, {}, numbers).refused
    if refused:
        first, why = next(iter(refused.items()))
        raise Fault(f"{len(refused)}종목을 감시하지 못함 ({first} …)", why)
    if not stocks:
        return "감시할 종목이 없음"
    return f"{len(stocks)}종목"


def conditions() -> str:
    """Every armed condition that has not fired could fire as things stand."""
    engine, now = wiring.engine("reader"), kst_now()
    book = ConditionBook(engine, orders.site())
    armed = [row for row in book.list() if row["enabled"] and row["machine_state"] != "STRUCK"]
    faults = []
    for row in armed:
        context = book.context(
            row["symbol"], orders.account(), now, mock=wiring.kis_env() is Env.MOCK
        )
        try:
            validate(typed(row), context)
        except BadCondition as wrong:
            faults.append(
                Fault(
                    f"조건 {row['id']} ({row['symbol']}) 은 발동할 수 없음: {wrong.reason}",
                    f"{wrong.field} 를 고치거나 stockd condition disarm {row['id']}",
                )
            )
    raise_any(faults)
    return f"장전된 조건 {len(armed)}개"


def ledger() -> str:
    """The chain of order events is whole, and no order's outcome is unknown."""
    engine = wiring.engine("reader")
    events, fault = verify(engine)
    if fault:
        raise Fault(f"원장: {fault}", "stockd halt 로 멈추고 백업과 견주십시오 (docs/runbook.md)")
    with mapped(), engine.connect() as connection:
        unknown = connection.execute(
            sa.text("SELECT id FROM strike WHERE state IN ('UNKNOWN', 'SENDING')")
        ).scalars()
        raise_any(
            [
                Fault(f"타격 {one} 의 주문 결과를 모름", f"stockd explain '#{one}', HTS 에서 확인")
                for one in unknown
            ]
        )
    return f"사건 {events:,}개 이상 없음"


def halt() -> str:
    """New orders are not stopped."""
    reason = orders.read_stop_file()
    if reason is not None:
        raise Fault(f"정지 파일: {reason}", f"{orders.stop_file()} 을 지우십시오")
    found = current_halt(wiring.engine("reader"), orders.site())
    if found is not None:
        raise Fault(f"멈춰 있음: {found.reason} ({found.actor})", "stockd resume 이유")
    return "주문이 열려 있음"
