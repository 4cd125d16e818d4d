# ruff: noqa: DTZ001 - plain KST times, as they stand in the tables
"""P3: bars made by MariaDB out of the overwritten row equal bars made from the raw ticks."""

from __future__ import annotations

import random
import secrets
import threading
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from db.bars import read_bars, repair_bars
from db.errors import error_code
from db.history import read_event_runs, silent_events
from tests.database import daemon_stand_in as stand_in
from tests.database.daemon_stand_in import Print, Row
from trading.bars import LENGTHS, Bar
from trading.clock import KST
from trading.errors import BadInput

OPEN = datetime(2026, 11, 20, 9, 0)
SYMBOLS = ("005930", "000660", "0001A0", "Q500001")


def _day_of_prints(dice: random.Random, minutes: int) -> list:  # type: ignore[type-arg]
    """Random trades, each stock in its own order, arriving late by up to 8 s now and then; quiet
    stretches of several minutes; the call auctions' prints at 09:00:00 and 15:30:00."""
    prints = []
    for symbol in SYMBOLS:
        at, arrival, price = OPEN, OPEN, dice.randint(1_000, 500_000)
        while at < OPEN + timedelta(minutes=minutes):
            late = dice.choice((0.02, 0.05, 0.2, 1.5, 8.0)) * dice.random()
            arrival = max(arrival, at + timedelta(seconds=late))
            price = max(1, price + dice.randint(-300, 300))
            prints.append(Print(symbol, at, arrival, price, dice.randint(1, 5_000)))
            pause = dice.choice((0, 0, 1, 3, 7, 20)) if dice.random() < 0.99 else 400
            at += timedelta(seconds=pause)
        close = datetime(2026, 11, 20, 15, 30)
        prints.append(Print(symbol, close, close, price, 77_000))
    return sorted(prints, key=lambda p: p.arrives)


def _run(connection, now: datetime) -> int | None:  # type: ignore[no-untyped-def]
    connection.execute(text("CALL bar_copy(:now, @changed)"), {"now": now})
    changed = connection.scalar(text("SELECT @changed"))
    connection.commit()
    return changed


def _as_bar(symbol: str, minute: datetime, prints: list) -> Bar:  # type: ignore[type-arg]
    at = minute.replace(tzinfo=KST)
    return Bar(symbol, 1, at, *stand_in.bar_of(prints), gap=False)


@pytest.mark.parametrize("fault", ["none", "runs skipped", "out for minutes"])
def test_every_bar_of_every_length_is_the_bar_of_the_raw_ticks(quiet_database, fault) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    prints = _day_of_prints(dice, minutes=25)
    rows = {symbol: Row() for symbol in SYMBOLS}
    now, skip_until = OPEN, OPEN
    with quiet_database.root().connect() as connection:
        for one in prints:
            while now < one.arrives:  # the EVENT, every second, unless it is delayed or away
                step = 60 if one.arrives - now > timedelta(minutes=10) else 1
                if now >= skip_until:
                    _run(connection, now)
                    if fault == "runs skipped" and dice.random() < 0.05:
                        skip_until = now + timedelta(seconds=dice.uniform(1, 10))
                    if fault == "out for minutes" and dice.random() < 0.005:
                        skip_until = now + timedelta(seconds=dice.uniform(60, 400))
                now += timedelta(seconds=step)
            rows[one.symbol].take(one)
            stand_in.write_row(connection, one.symbol, rows[one.symbol])
            connection.commit()
        _run(connection, datetime(2026, 11, 20, 15, 31))

        if fault == "out for minutes":  # the daemon gives what left its rows unseen
            gone = [
                _as_bar(symbol, minute, held)
                for symbol, row in rows.items()
                for minute, held in row.gone.items()
            ]
            lost = stand_in.exact_bars(prints, [1]).keys() - stand_in.stored_bars(connection).keys()
            print(f"{len(lost)} minutes unseen by the EVENT")
            connection.commit()
            market = quiet_database.engine("market", autocommit=False)
            repair_bars(market, dice.sample(gone, len(gone)))
            assert repair_bars(market, gone) == 0  # idempotent
        stored = stand_in.stored_bars(connection)
        exact = stand_in.exact_bars(prints, LENGTHS)
        wrong = {key for key in exact.keys() | stored.keys() if exact.get(key) != stored.get(key)}
        print(f"{len(exact)} bars, {len(wrong)} wrong")
        assert wrong == set()
        assert connection.scalar(text("SELECT COUNT(*) FROM bar WHERE gap <> 0")) == 0
        assert _run(connection, datetime(2026, 11, 20, 15, 40)) == 0


def test_a_part_never_overwrites_the_whole(quiet_database) -> None:
    """A daemon restarted in the minute after has only a late tick of it."""
    whole = [Print("005930", OPEN + timedelta(seconds=s), OPEN, 100 + s, 1) for s in range(5)]
    with quiet_database.root().connect() as connection:
        stand_in.write_row(connection, "005930", Row(running=whole))
        assert _run(connection, OPEN + timedelta(seconds=61)) == 1
        before = stand_in.stored_bars(connection)
        stand_in.write_row(connection, "005930", Row(running=whole[-1:]))
        assert _run(connection, OPEN + timedelta(seconds=63)) == 0
        assert stand_in.stored_bars(connection) == before
        more = [*whole, Print("005930", OPEN + timedelta(seconds=59), OPEN, 9, 1)]
        stand_in.write_row(connection, "005930", Row(running=more))
        assert _run(connection, OPEN + timedelta(seconds=64)) == 1
        key = ("005930", 1440, datetime(2026, 11, 20))
        assert stand_in.stored_bars(connection)[key] == stand_in.bar_of(more)


def test_a_minute_still_running_is_not_a_bar(quiet_database) -> None:
    with quiet_database.root().connect() as connection:
        stand_in.write_row(connection, "005930", Row(running=[Print("005930", OPEN, OPEN, 1, 1)]))
        assert _run(connection, OPEN + timedelta(seconds=59.9)) == 0
        assert _run(connection, OPEN + timedelta(seconds=60)) == 1


def test_bars_with_a_hole_say_so_and_only_those(quiet_database) -> None:
    """Section 1 was dark from 09:02:10 to 09:03:20, noticed only afterwards; section 2 was not."""
    with quiet_database.root().connect() as connection:
        for symbol, section in (("005930", 1), ("000660", 2)):
            row = Row()
            for minute in (0, 1, 2, 6):
                at = OPEN + timedelta(minutes=minute)
                row.take(Print(symbol, at, at, 100, 1))
                stand_in.write_row(connection, symbol, row, section)
                _run(connection, at + timedelta(seconds=61))
        assert connection.scalar(text("SELECT COUNT(*) FROM bar WHERE gap = 1")) == 0
        connection.execute(
            text(
                "INSERT INTO feed_gap (section, from_at, until_at, reason) VALUES "
                "(1, '2026-11-20 09:02:10', '2026-11-20 09:03:20', '끊김')"
            )
        )
        _run(connection, OPEN + timedelta(minutes=7, seconds=5))
        found = connection.execute(
            text("SELECT symbol, minutes, TIME(at) FROM bar WHERE gap = 1 ORDER BY minutes")
        ).all()
    nine = timedelta(hours=9)
    assert [tuple(row) for row in found] == [
        ("005930", 1, nine + timedelta(minutes=2)),
        ("005930", 3, nine),  # 09:03 to 09:05 had no trade at all: no bar to flag
        *(("005930", minutes, nine) for minutes in (5, 10, 15, 30, 60)),
        ("005930", 1440, timedelta()),
    ]


def test_a_hole_that_began_before_the_weekend_is_found_on_monday(quiet_database) -> None:
    """Down from Friday 14:00 to Monday 09:05:10: the days of both say so, by their hours."""
    friday, monday = OPEN.replace(hour=13, minute=40), OPEN + timedelta(days=3, minutes=7)
    with quiet_database.root().connect() as connection:
        row = Row()
        for at in (friday, monday):
            row.take(Print("005930", at, at, 100, 1))
            stand_in.write_row(connection, "005930", row, 1)
            _run(connection, at + timedelta(seconds=61))
            if at == friday:
                connection.execute(
                    text(
                        "INSERT INTO feed_gap (section, from_at, until_at, reason) VALUES "
                        "(1, '2026-11-20 13:59:00', '2026-11-23 09:05:10', '꺼져 있었음')"
                    )
                )
        _run(connection, monday + timedelta(minutes=3))
        found = connection.execute(
            text("SELECT minutes, at FROM bar WHERE gap = 1 AND minutes >= 60 ORDER BY at, minutes")
        ).all()
    assert [tuple(row) for row in found] == [
        (1440, datetime(2026, 11, 20)),
        (60, datetime(2026, 11, 20, 13)),
        (1440, datetime(2026, 11, 23)),
        (60, datetime(2026, 11, 23, 9)),
    ]


def test_the_closing_auction_is_the_bar_of_1530(quiet_database) -> None:
    market = quiet_database.engine("market", autocommit=False)
    last = datetime(2026, 11, 20, 15, 19, tzinfo=KST)
    close = datetime(2026, 11, 20, 15, 30, tzinfo=KST)
    repair_bars(
        market,
        [
            Bar("005930", 1, last, 100, 110, 90, 105, 10, 1000, 4, gap=False),
            Bar("005930", 1, close, 107, 107, 107, 107, 500, 53_500, 1, gap=False),
        ],
    )
    day = (close.replace(hour=0, minute=0), close.replace(hour=23))
    starts = {
        n: [b.at.strftime("%H:%M") for b in read_bars(market, "005930", n, *day)] for n in LENGTHS
    }
    assert starts == {
        1: ["15:19", "15:30"],
        3: ["15:18", "15:30"],
        5: ["15:15", "15:30"],
        10: ["15:10", "15:30"],
        15: ["15:15", "15:30"],
        30: ["15:00", "15:30"],
        60: ["15:00"],
        1440: ["00:00"],
    }
    (whole_day,) = read_bars(market, "005930", 1440, *day)
    assert (whole_day.open, whole_day.close, whole_day.volume) == (100, 107, 510)


def test_a_repair_that_is_no_minute_bar_is_named(quiet_database) -> None:
    market = quiet_database.engine("market", autocommit=False)
    at = OPEN.replace(tzinfo=KST)
    good = Bar("005930", 1, at, 1, 1, 1, 1, 1, 1, 1, gap=False)
    for bad in (
        Bar("005930", 5, at, 1, 1, 1, 1, 1, 1, 1, gap=False),
        Bar("005930", 1, at.replace(second=1), 1, 1, 1, 1, 1, 1, 1, gap=False),
        Bar("005930", 1, at, 1, 1, 1, 1, 0, 0, 0, gap=False),
    ):
        with pytest.raises(BadInput, match="005930"):
            repair_bars(market, [good, bad])
    assert read_bars(market, "005930", 1, at, at + timedelta(days=1)) == []


def test_the_event_itself_runs_each_second_and_comes_back_after_a_crash(database, servers) -> None:
    root = database.root()
    minute = datetime.now(KST).replace(second=0, microsecond=0) - timedelta(minutes=3)
    naive = minute.replace(tzinfo=None)
    one, two = (Print("005930", naive + timedelta(seconds=s), naive, 70_000 + s, 3) for s in (1, 2))

    def closes(*, within_s: float) -> list[int]:
        end, found = time.monotonic() + within_s, []
        while time.monotonic() < end and not found:
            found = [
                b.close
                for b in read_bars(
                    root, "005930", 60, minute - timedelta(hours=1), minute + timedelta(hours=1)
                )
            ]
            time.sleep(0.1)
        return found

    with root.begin() as connection:
        stand_in.write_row(connection, "005930", Row(running=[one]))
    assert closes(within_s=10) == [70_001]
    servers.mariadb.kill()
    servers.mariadb.start(bound=True)
    servers.mariadb.wait_ready()
    with root.begin() as connection:
        stand_in.write_row(connection, "005930", Row(running=[one, two]))
    end = time.monotonic() + 15
    while closes(within_s=5) != [70_002] and time.monotonic() < end:
        time.sleep(0.1)
    assert closes(within_s=1) == [70_002]
    run = read_event_runs(root)["ev_bar_minute"]
    assert run.error == ""
    assert abs((run.ended_at - datetime.now(KST)).total_seconds()) < 30
    assert "ev_bar_minute" not in silent_events(root, datetime.now(KST))
    assert "ev_bar_minute" in silent_events(root, datetime.now(KST) + timedelta(seconds=60))


def test_an_event_that_fails_leaves_its_error_to_be_seen(database) -> None:
    root = database.root()
    with root.connect() as connection:
        connection.execute(text("RENAME TABLE feed_gap TO feed_gap_away"))
    end = time.monotonic() + 15
    while not (run := read_event_runs(root)["ev_bar_minute"]).error and time.monotonic() < end:
        time.sleep(0.1)
    assert "feed_gap" in run.error
    assert run.error_at is not None


def test_event_and_writer_and_repair_never_deadlock(database) -> None:
    """200 stocks overwritten as fast as it goes while bars are copied and repaired."""
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    symbols = [f"{n:06}" for n in range(200)]
    root, market = database.root(), database.engine("market", autocommit=False)
    stop, faults = threading.Event(), []

    def guarded(work):  # type: ignore[no-untyped-def]
        def loop() -> None:
            while not stop.is_set():
                try:
                    work()
                except Exception as error:  # noqa: BLE001 - every fault is the finding
                    faults.append((error_code(error), repr(error)[:200]))
                    return

        return threading.Thread(target=loop)

    minute = {"at": datetime.now(KST).replace(tzinfo=None, second=0, microsecond=0)}
    minute["at"] -= timedelta(minutes=30)

    def write() -> None:
        with root.begin() as connection:
            order = dice.sample(symbols, len(symbols))
            for start in range(0, 200, 40):
                rows = ", ".join(
                    f"('{s}', '{minute['at']}', 5, 6, 4, 5, 10, 50, {dice.randint(1, 9)})"
                    for s in order[start : start + 40]
                )
                connection.execute(
                    text(
                        "INSERT INTO market (symbol, bar_at, bar_open, bar_high, bar_low, "
                        f"bar_close, bar_volume, bar_turnover, bar_ticks) VALUES {rows} "
                        "ON DUPLICATE KEY UPDATE bar_at = VALUES(bar_at), "
                        "bar_ticks = VALUES(bar_ticks)"
                    )
                )
        minute["at"] += timedelta(seconds=1)

    def repair() -> None:
        at = minute["at"].replace(second=0, tzinfo=KST) - timedelta(minutes=1)
        ticks = dice.randint(1, 9)
        repair_bars(
            market,
            [Bar(s, 1, at, 5, 6, 4, 5, 10, 50, ticks, gap=False) for s in dice.sample(symbols, 60)],
        )
        time.sleep(0.05)

    def copy() -> None:
        with root.connect() as connection:
            _run(connection, datetime.now(KST).replace(tzinfo=None))

    with root.begin() as connection:  # section 0 is dark: its bars are flagged meanwhile
        connection.execute(
            text("INSERT INTO feed_gap (section, from_at, reason) VALUES (0, NOW(6), 'x')")
        )
    threads = [guarded(work) for work in (write, repair, copy)]
    for thread in threads:
        thread.start()
    time.sleep(5)
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert read_event_runs(root)["ev_bar_minute"].error == ""
