"""When a section that is connected counts as dead: trades decide, PINGPONG does not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from runtime.calendar import Calendar, market_is_continuous
from runtime.market_silence import Sight, Silence
from runtime.settings import Settings
from simulator.testing import start_simulator
from trading.clock import KST


def day(silence: Silence, until: int, **changes: object) -> list[int]:
    """Seconds at which the connection is given up; a keep-alive comes every ten seconds."""
    trades_until = int(changes.pop("trades_until", 0))  # type: ignore[call-overload]
    trading_from = int(changes.pop("trading_from", 0))  # type: ignore[call-overload]
    pings = bool(changes.pop("pings", True))
    stocks = int(changes.pop("stocks", 40))  # type: ignore[call-overload]
    opened, ends = 0, []
    for now in range(until):
        trades = min(now, trades_until)
        last = max(opened, trades, now // 10 * 10 if pings else 0)
        sight = Sight(trades, stocks, float(opened), float(last), pings)
        if silence.look(sight, float(now), now >= trading_from):
            ends.append(now)
            opened = now + 5
    return ends


def test_a_section_that_only_pings_is_dead() -> None:
    assert day(Silence(60.0), 170, trades_until=100) == [161]


def test_a_section_that_trades_and_never_pings_is_well() -> None:
    assert day(Silence(60.0), 1000, trades_until=1000, pings=False) == []


def test_the_minutes_before_nine_are_no_silence() -> None:
    """And after it the patience begins with the market, not with the last word before it."""
    assert day(Silence(60.0), 3600 + 60, trading_from=3600) == []
    assert day(Silence(60.0), 3600 + 62, trading_from=3600) == [3661]
    assert day(Silence(60.0), 3600, trading_from=3600, pings=False) == [], "nothing was promised"


def test_few_stocks_may_be_silent_for_longer() -> None:
    assert day(Silence(60.0), 240, stocks=10) == []
    assert day(Silence(60.0), 242, stocks=10) == [241]


def test_a_market_that_stands_still_does_not_use_up_the_connects() -> None:
    """A circuit breaker of twenty minutes: at most three of the four connects in ten minutes."""
    ends = day(Silence(60.0), 1200)
    print(ends)
    assert 1 <= len(ends) <= 4
    assert all(sum(at <= one < at + 600 for one in ends) <= 3 for at in ends)


def test_a_line_that_dies_in_an_auction_is_noticed_where_it_had_shown_life() -> None:
    silence = Silence(60.0)
    sight = Sight(500, 40, 0.0, 1000.0, keeps_alive=True)
    assert [now for now in range(1000, 1182) if silence.look(sight, float(now), False)] == [1181]
    quiet = Sight(500, 40, 0.0, 1000.0, keeps_alive=False)
    assert not any(silence.look(quiet, float(now), False) for now in range(1000, 3000))


@pytest.mark.parametrize(
    ("at", "is_it"),
    [
        ("2026-11-20 08:59:59", False), ("2026-11-20 09:00:00", True),
        ("2026-11-20 15:19:59", True), ("2026-11-20 15:20:00", False),
        ("2026-11-20 17:00:00", False), ("2026-11-21 10:00:00", False),  # after-market, Saturday
        ("2026-11-19 09:30:00", False), ("2026-11-19 16:10:00", True),  # 수능: an hour later
    ],
)  # fmt: skip
def test_continuous_trading_is_the_exchanges(at: str, is_it: bool, tmp_path) -> None:  # type: ignore[no-untyped-def]
    when = datetime.fromisoformat(at).replace(tzinfo=KST)
    assert market_is_continuous(Settings(), Calendar(tmp_path), when) is is_it


@pytest.mark.parametrize(
    ("since", "now", "missed"),
    [
        ("11-20 10:00:30", "11-20 10:02:00", "11-20 10:00:30"),  # within the day
        ("11-20 15:30:00", "11-20 15:45:00", None),  # after the close, before the after-market
        ("11-20 15:19:59", "11-20 15:31:00", "11-20 15:30:00"),  # the closing print
        ("11-20 19:59:58", "11-23 08:35:00", None),  # over the weekend, up before the opening
        ("11-20 19:59:58", "11-23 09:05:00", "11-23 09:00:00"),  # up late: the opening is missing
        ("11-20 14:00:00", "11-23 08:35:00", "11-20 14:00:00"),  # died on Friday afternoon
        ("11-18 19:59:58", "11-19 09:30:00", None),  # 수능: opens at ten
    ],
)  # fmt: skip
def test_what_a_night_off_has_missed(since: str, now: str, missed: str | None, tmp_path) -> None:  # type: ignore[no-untyped-def]
    def kst(text: str) -> datetime:
        return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=KST)

    found = Calendar(tmp_path).missed(kst(since), kst(now))
    assert found == (None if missed is None else kst(missed))


def test_an_ordinary_night_leaves_no_mark_and_no_open_gap(feed_db, start_feed, until) -> None:
    """Every morning's start marked the last minute of the day before, and with it that day."""
    with start_simulator("calm", sections=1, symbols=5, rate=200.0) as simulator:
        symbols = list(simulator.look("stocks"))[:5]
        with start_feed(simulator, symbols):
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market WHERE price > 0") == 5)
        simulator.control("fault", stop_ticks=True)
        feed_db.do("UPDATE market SET bar_gap = 0, prev_gap = 0, bar_at = bar_at - INTERVAL 1 DAY,"
                   " prev_at = NULL, received_at = received_at - INTERVAL 1 DAY")  # fmt: skip
        assert feed_db.one("SELECT COUNT(*) FROM feed_gap WHERE until_at IS NULL") == 1
        with start_feed(simulator, symbols, missed=lambda since, now: None) as feed:
            until(lambda: feed.market.links[0].section.settled)
            until(lambda: feed_db.one("SELECT COUNT(*) FROM feed_gap WHERE until_at IS NULL") == 0)
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market WHERE recent = ''") == 5)
            assert feed_db.one("SELECT COUNT(*) FROM feed_gap") == 1
            assert feed_db.one("SELECT SUM(bar_gap) FROM market") == 0


@pytest.mark.parametrize("opened", [True, False])
def test_a_stock_added_after_the_opening_is_known_to_be_late(
    feed_db, start_feed, until, opened: bool
) -> None:
    def missed(since: datetime, now: datetime) -> datetime | None:
        return now - timedelta(hours=1) if opened else None

    with start_simulator("calm", sections=1, symbols=5, rate=200.0, stop_ticks=True) as simulator:
        symbols = list(simulator.look("stocks"))[:5]
        with start_feed(simulator, symbols, missed=missed) as feed:
            until(lambda: len(feed.market.conflator.states) == 5)
            assert {s.late for s in feed.market.conflator.states.values()} == {opened}


def test_a_section_that_pings_and_brings_no_trade_is_connected_anew(
    feed_db, start_feed, until, monkeypatch
) -> None:
    """Alive to look at, and none of its stops would ever fire: the other section goes on."""
    monkeypatch.setattr("runtime.feed_link.pause_s", lambda *args: 0.3)
    with start_simulator("calm", sections=1, symbols=40, rate=400.0, pingpong_s=0.3) as simulator:
        symbols = list(simulator.look("stocks"))[:40]
        with start_feed(simulator, symbols, silence_s=3.0) as feed:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 40)
            (link,) = feed.market.links
            until(lambda: link.section.settled)
            simulator.control("fault", stop_ticks=True)
            until(lambda: simulator.stats()["handshakes"] == 2)
            assert feed.budget.ends == [False]
            (gap,) = feed_db.rows("SELECT * FROM feed_gap ORDER BY id DESC LIMIT 1")
            assert "체결 없음" in gap.reason
            (last,) = feed_db.rows("SELECT MAX(received_at) AS at FROM market")
            assert abs((gap.from_at - last.at).total_seconds()) < 1.5, "since the last trade"
            simulator.control("fault", stop_ticks=False)
            until(lambda: feed_db.one("SELECT COUNT(*) FROM feed_gap WHERE until_at > 0"))
