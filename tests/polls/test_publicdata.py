"""3계층: whole days or none, either form of the key, and the gateway's XML told apart."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import delete, func, select

from datagokr.client import PublicData, read_page
from datagokr.parse import parse_row
from db.daily import listed_symbols, stored_days
from db.tables import daily_price, listing
from runtime.calendar import Calendar
from runtime.publicdata import fill, missing_days
from simulator.keys import DATAGOKR_KEY
from trading.errors import AuthError, BadInput, Refused, Throttled, Unavailable

FRIDAY = date(2026, 11, 13)
SUNDAY = date(2026, 11, 15)


def no_sleep(_: float) -> None:
    return None


@pytest.fixture
def shelf(tables):  # type: ignore[no-untyped-def]
    engine = tables.engine("sweep")
    root = tables.engine("admin")
    with root.begin() as connection:
        connection.execute(delete(daily_price))
        connection.execute(delete(listing))
    return engine


@pytest.mark.parametrize("key", [DATAGOKR_KEY, quote(DATAGOKR_KEY, safe="")])
def test_a_day_comes_whole_with_either_form_of_the_key(broker, key: str) -> None:  # type: ignore[no-untyped-def]
    rows = PublicData(broker().rest_url, key, sleep=no_sleep).day(FRIDAY).rows
    assert len(rows) > 2700
    assert len({row.symbol for row in rows}) == len(rows)
    assert {row.market for row in rows} <= {"KOSPI", "KOSDAQ", "KONEX"}


def test_a_holiday_has_no_rows(broker) -> None:  # type: ignore[no-untyped-def]
    assert PublicData(broker().rest_url, DATAGOKR_KEY, sleep=no_sleep).day(SUNDAY).rows == []


def test_a_wrong_key_is_refused_without_being_shown(broker) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AuthError, match="NOT_REGISTERED") as told:
        PublicData(broker().rest_url, "planted-secret", sleep=no_sleep).day(FRIDAY)
    assert "planted-secret" not in str(told.value)
    with pytest.raises(Unavailable) as unreachable:
        PublicData("http://127.0.0.1:1", "planted-secret", sleep=no_sleep).day(FRIDAY)
    assert "planted-secret" not in str(unreachable.value)


def test_a_run_that_breaks_in_the_middle_goes_on_without_doubles(  # type: ignore[no-untyped-def]
    broker, shelf, tmp_path: Path
) -> None:
    source = PublicData(broker().rest_url, DATAGOKR_KEY, sleep=no_sleep)
    calendar = Calendar(tmp_path)
    days = missing_days(shelf, calendar, FRIDAY - timedelta(days=2), SUNDAY)
    assert len(days) == 3, "Wednesday to Friday"
    run = fill(shelf, source, days)
    stocks = next(run).stocks
    run.close()  # killed after the first day
    left = missing_days(shelf, calendar, FRIDAY - timedelta(days=2), SUNDAY)
    assert left == days[1:]
    assert [one.stocks for one in fill(shelf, source, left)] == [stocks, stocks]
    list(fill(shelf, source, days))  # and all of it again
    with shelf.connect() as connection:
        count = connection.scalar(select(func.count()).select_from(daily_price))
        newest = set(connection.scalars(select(listing.c.last_day)))
    assert count == 3 * stocks
    assert newest == {FRIDAY}
    assert stored_days(shelf, days[0], FRIDAY) == set(days)
    assert len(listed_symbols(shelf)) == stocks


def test_a_row_that_cannot_be_read_costs_itself_alone(broker, shelf) -> None:  # type: ignore[no-untyped-def]
    sim = broker()
    sim.control("fault", datagokr_spoilt={f"{FRIDAY:%Y%m%d}": 2})
    got = PublicData(sim.rest_url, DATAGOKR_KEY, sleep=no_sleep).day(FRIDAY)
    assert len(got.rows) > 2700
    assert len(got.bad) == 2
    assert "mkp" in got.bad[0], "with its stock, the field and the value"
    (done,) = fill(shelf, PublicData(sim.rest_url, DATAGOKR_KEY, sleep=no_sleep), [FRIDAY])
    assert (done.stocks, done.bad) == (len(got.rows), 2)


def test_a_day_that_cannot_be_read_is_left_out_and_the_days_after_it_are_not(  # type: ignore[no-untyped-def]
    broker, shelf, tmp_path: Path
) -> None:
    """Every night would begin with it anew and none of the later days would ever come."""
    sim = broker()
    source = PublicData(sim.rest_url, DATAGOKR_KEY, sleep=no_sleep)
    thursday = FRIDAY - timedelta(days=1)
    sim.control("fault", datagokr_spoilt={f"{thursday:%Y%m%d}": 500})
    days = missing_days(shelf, Calendar(tmp_path), thursday, FRIDAY)
    unread, friday = fill(shelf, source, days)
    assert (unread.day, unread.stocks) == (thursday, 0)
    assert "mkp" in unread.unreadable
    assert friday.stocks > 2700
    assert missing_days(shelf, Calendar(tmp_path), thursday, FRIDAY) == [thursday]


def test_a_list_that_moved_between_two_pages_is_no_whole_day(broker, shelf) -> None:  # type: ignore[no-untyped-def]
    """One stock twice, another not at all, and the number of rows is right."""
    sim = broker()
    sim.control("fault", datagokr_shifted=f"{FRIDAY:%Y%m%d}")
    source = PublicData(sim.rest_url, DATAGOKR_KEY, sleep=no_sleep)
    with pytest.raises(Unavailable, match="different"):
        source.day(FRIDAY)
    sim.control("fault", datagokr_shifted="")
    assert source.day(FRIDAY).rows


GATEWAY = (
    "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg><returnAuthMsg>{0}"
    "</returnAuthMsg><returnReasonCode>{1}</returnReasonCode></cmmMsgHeader>"
    "</OpenAPI_ServiceResponse>"
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (GATEWAY.format("APPLICATION_ERROR", 1), Unavailable),
        (GATEWAY.format("HTTP_ERROR", 4), Unavailable),
        (GATEWAY.format("NO_OPENAPI_SERVICE_ERROR", 12), Refused),
        (GATEWAY.format("LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR", 22), Throttled),
        (GATEWAY.format("SERVICE_KEY_IS_NOT_REGISTERED_ERROR", 30), AuthError),
        (GATEWAY.format("DEADLINE_HAS_EXPIRED_ERROR", 31), AuthError),
        ("<html>502 Bad Gateway</html>", Unavailable),
        ("", Unavailable),
        ('{"response": {}}', Unavailable),
        ('{"response": {"header": {"resultCode": "99", "resultMsg": "?"}}}', Unavailable),
    ],
)
def test_errors_by_what_the_caller_does(text: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        read_page(200, text.encode())


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (401, "Unauthorized", AuthError),
        (403, "<html>Forbidden</html>", AuthError),
        (403, GATEWAY.format("LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR", 22), Throttled),
        (429, "API rate limit exceeded", Throttled),
    ],
)
def test_a_newer_gateway_says_it_by_its_status(
    status: int, text: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        read_page(status, text.encode())


def test_the_three_shapes_of_items() -> None:
    page = (
        '{{"response":{{"header":{{"resultCode":"00"}},"body":{{"totalCount":{0},"items":{1}}}}}}}'
    )
    assert read_page(200, page.format(0, '""').encode()) == ([], 0)
    assert read_page(200, page.format(1, '{"item": {"a": "1"}}').encode()) == ([{"a": "1"}], 1)
    assert read_page(200, page.format(9, '{"item": [{"a": "1"}]}').encode()) == ([{"a": "1"}], 9)


ROW = {
    "basDt": "20261113", "srtnCd": "005930", "isinCd": "KR7005930003", "itmsNm": "삼성전자",
    "mrktCtg": "KOSPI", "clpr": "71000", "vs": "-300", "fltRt": "-.42", "mkp": "71300",
    "hipr": "71500", "lopr": "70900", "trqu": "12345678", "trPrc": "876543210000",
    "lstgStCnt": "5969782550", "mrktTotAmt": "423854561050000",
}  # fmt: skip


def test_a_rate_may_begin_with_a_point() -> None:
    row = parse_row(ROW)
    assert row.change_rate == Decimal("-0.42")
    assert (row.day, row.close, row.price_change) == (FRIDAY, 71000, -300)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("clpr", ""),
        ("basDt", "2026-11-13"),
        ("fltRt", "NaN"),
        ("mrktCtg", "NASDAQ"),
        ("srtnCd", None),
    ],
)
def test_a_row_that_cannot_be_read_names_field_and_value(field: str, value: object) -> None:
    with pytest.raises(BadInput, match=field):
        parse_row(ROW | {field: value})
