"""`stockd budget` and `stockd publicdata`, typed by a person, on real servers."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, func, select

from budget.lanes import Lanes
from budget.plan import plan
from db.tables import daily_price, listing
from kis.keys import KisKey
from runtime.loop import kst_now
from simulator.testing import wait_for

pytestmark = pytest.mark.timeout(300)  # several commands, each a process
WEDNESDAY, FRIDAY, SUNDAY = date(2026, 11, 11), date(2026, 11, 13), date(2026, 11, 15)


@pytest.fixture
def shelf(tables):  # type: ignore[no-untyped-def]
    """Empty tables of tier 3."""
    with tables.engine("admin").begin() as connection:
        connection.execute(delete(daily_price))
        connection.execute(delete(listing))
    return tables.engine("reader")


def test_budget_shows_each_keys_lanes_as_they_are(broker, desk) -> None:  # type: ignore[no-untyped-def]
    sim = broker()
    sections = sim.settings["kis"]["sections"]
    here = desk(
        sim, sections=[one | {"label": f"key-{n}"} for n, one in enumerate(sections, start=1)]
    )
    one = sim.customers[0]
    key_id = KisKey("test", one.app_key, "", one.account).key_id
    lanes = Lanes(here.state, key_id, plan(18), hold_s=120.0)  # longer than the commands take
    held = [lanes.acquire("assets", 0.0) for _ in range(3)] + [lanes.acquire("order", 0.0)]
    done = here.stockd("budget", "--json")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert list(seen) == ["key-1", "key-2"]
    assert (seen["key-1"]["ceiling"], seen["key-1"]["used"], seen["key-2"]["used"]) == (18, 4, 0)
    by_lane = {lane["lane"]: lane for lane in seen["key-1"]["lanes"]}
    assert {name: lane["limit"] for name, lane in by_lane.items()} == {
        "order": 1, "confirm": 1, "assets": 4, "spare": 2, "sweep": 10,
    }  # fmt: skip
    assert (by_lane["assets"]["used"], by_lane["order"]["used"]) == (3, 1)
    assert (by_lane["assets"]["granted"], by_lane["assets"]["refused"]) == (3, 0)
    assert seen["key-1"]["connects"] == {"left": 4, "wait_s": 0.0, "open": False}
    shown = here.stockd("budget", "--once").stdout
    assert "key-1: 초당 4 / 18" in shown
    assert "체결확인" in shown
    for secret in (one.app_key, one.app_secret, one.account[:8]):
        assert secret not in shown + done.stdout
    for permit in held:
        permit.done()


def test_budget_without_redis_or_without_a_key_says_so(broker, desk) -> None:  # type: ignore[no-untyped-def]
    here = desk(broker())
    gone = here.stockd("budget", "--json", STOCKD_REDIS__URL="redis://127.0.0.1:1")
    assert gone.returncode == 1
    assert "Redis" in gone.stderr
    nobody = desk(broker(), sections=[]).stockd("budget", "--json")
    assert nobody.returncode == 2
    assert "kis.sections" in nobody.stderr
    for done in (gone, nobody):
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_publicdata_fills_the_days_asked_for_and_only_what_is_missing(  # type: ignore[no-untyped-def]
    broker, desk, shelf
) -> None:
    here = desk(broker())
    asked = ("publicdata", "--from", str(WEDNESDAY), "--to", str(SUNDAY), "--json")
    first = here.stockd(*asked)
    assert first.returncode == 0, first.stderr
    done = json.loads(first.stdout.splitlines()[-1])
    with shelf.connect() as connection:
        rows = connection.scalar(select(func.count()).select_from(daily_price))
        days = set(connection.scalars(select(daily_price.c.day).distinct()))
    assert (done["days_asked"], done["days_stored"], done["days_left"]) == (3, 3, 0)
    assert done["rows"] == rows > 3 * 2700
    assert days == {WEDNESDAY, WEDNESDAY + timedelta(days=1), FRIDAY}

    again = json.loads(here.stockd(*asked).stdout.splitlines()[-1])
    assert (again["days_asked"], again["rows"]) == (0, 0), "nothing is fetched twice"

    with shelf.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(daily_price)) == rows


def test_publicdata_killed_in_the_middle_left_whole_days_and_goes_on(  # type: ignore[no-untyped-def]
    broker, desk, shelf
) -> None:
    sim = broker()
    here = desk(sim)
    words = ("publicdata", "--from", str(FRIDAY - timedelta(days=9)), "--to", str(FRIDAY))

    def stored() -> dict[date, int]:
        counted = select(daily_price.c.day, func.count()).group_by(daily_price.c.day)
        with shelf.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    killed = here.start(*words)
    wait_for(stored, 60.0)
    killed.kill()
    killed.wait(20)
    before, asked = stored(), len(sim.lines("calls"))
    assert 0 < len(before) < 8, "it was in the middle"
    done = here.stockd(*words)
    assert done.returncode == 0, done.stderr
    after = stored()
    assert len(after) == 8, "Wednesday to Friday of the next week"
    assert len({*before.values(), *after.values()}) == 1, "each day whole, no stock twice"
    pages = len(sim.lines("calls")) - asked
    assert pages == 3 * (len(after) - len(before)), "what was there was not asked for again"


def test_publicdata_names_what_is_wrong(broker, desk, shelf) -> None:  # type: ignore[no-untyped-def]
    sim = broker()
    here = desk(sim)
    wrong = {
        ("--from", "soon"): "soon",
        ("--from", str(SUNDAY), "--to", str(FRIDAY)): "--from",
        ("--to", str(kst_now().date())): "--to",
    }
    for words, named in wrong.items():
        done = here.stockd("publicdata", *words)
        assert done.returncode == 2, (words, done.stderr)
        assert named in done.stderr
        assert "Traceback" not in done.stderr
    day = ("publicdata", "--from", str(FRIDAY), "--to", str(FRIDAY))
    refused = here.stockd(*day, STOCKD_DATAGOKR__SERVICE_KEY="planted-secret")
    assert refused.returncode == 1
    assert "planted-secret" not in refused.stdout + refused.stderr
    assert "NOT_REGISTERED" in refused.stderr
    assert "남은 날 1" in refused.stdout, "what is left is said, also when it breaks"
    with shelf.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(daily_price)) == 0
