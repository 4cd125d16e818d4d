"""The market daemon's day: ticks land, every one counted; notices once; cuts, outages, the end."""

from __future__ import annotations

import time
from typing import Any

import requests

from simulator.testing import RunningSimulator, start_simulator
from trading.clock import KST
from trading.conflation import overlaps


def symbols_of(simulator: RunningSimulator, count: int) -> list[str]:
    return list(simulator.look("stocks"))[:count]


def stop_ticks(simulator: RunningSimulator, feed: Any, until: Any, lost: int = 0) -> None:
    """Still the market and wait until everything sent has been taken and written.

    ``lost``: how many records a connection that was cut may have taken with it. The sender counts
    them as sent, and a reset throws away what lay unread in our own socket.
    """
    simulator.control("fault", stop_ticks=True)
    time.sleep(0.3)
    until(lambda: 0 <= simulator.stats()["ticks_sent"] - feed.market.records <= lost, 10)
    until(lambda: not feed.market.conflator.dirty and not feed.market.writer.failing, 10)
    time.sleep(0.1)


def buy(simulator: RunningSimulator, symbol: str, quantity: int, token: list[str]) -> None:
    one = simulator.customers[0]
    if not token:
        body = {"grant_type": "client_credentials", "appkey": one.app_key}
        body["appsecret"] = one.app_secret
        token.append(
            requests.post(f"{simulator.rest_url}/oauth2/tokenP", json=body, timeout=5).json()[
                "access_token"
            ]
        )
    done = requests.post(
        f"{simulator.rest_url}/uapi/domestic-stock/v1/trading/order-cash",
        json={
            "CANO": one.account[:8],
            "ACNT_PRDT_CD": one.account[8:],
            "PDNO": symbol,
            "ORD_DVSN": "01",
            "ORD_QTY": str(quantity),
            "ORD_UNPR": "0",
        },
        headers={
            "authorization": f"Bearer {token[0]}",
            "appkey": one.app_key,
            "appsecret": one.app_secret,
            "tr_id": "TTTC0012U",
            "custtype": "P",
        },
        timeout=5,
    )
    assert done.json()["rt_cd"] == "0", done.text


def test_two_sections_land_and_every_record_is_counted(feed_db, start_feed, until) -> None:
    with start_simulator("calm", sections=2, symbols=80, rate=3000.0) as simulator:
        symbols = symbols_of(simulator, 80)
        with start_feed(simulator, symbols) as feed:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market WHERE price > 0") == 80)
            until(lambda: feed_db.one("SELECT MAX(seq) - MIN(seq) FROM market") > 0)
            stop_ticks(simulator, feed, until)
            sent = simulator.stats()
            assert feed.market.conflator.taken == feed.market.records == sent["ticks_sent"]
            rows = {row.symbol: row for row in feed_db.rows("SELECT * FROM market")}
            assert {s: rows[s].price for s in symbols} == {
                s: sent["symbols"][s]["price"] for s in symbols
            }
            assert sorted({row.section for row in rows.values()}) == [1, 2]
            for row in rows.values():
                assert int(row.recent.split()[-1]) == row.price
                assert row.bar_low <= row.price <= row.bar_high
                assert row.drift == 0
        # the day's end: unsubscribed and closed, so that KIS holds no ghost of us
        assert feed.budget.ends == [True, True]
        assert simulator.stats()["registrations"] == {}


def test_a_fill_lands_once_though_five_sections_tell_it(feed_db, start_feed, until) -> None:
    woken = []
    with start_simulator("calm", sections=5, symbols=10, rate=200.0, fill_parts=3) as simulator:
        symbols = symbols_of(simulator, 10)
        with start_feed(
            simulator, symbols, notice_stored=lambda account, order: woken.append((account, order))
        ) as feed:
            until(lambda: all(link.section.has_notice for link in feed.market.links))
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 10)
            buy(simulator, symbols[0], 30, [])
            until(lambda: feed_db.one("SELECT COALESCE(SUM(quantity), 0) FROM fill") == 30)
            time.sleep(0.5)
            until(lambda: not feed.market.clerk.waiting)
        fills = feed_db.rows("SELECT * FROM fill")
        (order,) = simulator.book()["orders"]
        assert len(fills) == len(order["fills"])
        assert sum(row.quantity for row in fills) == order["filled"] == 30
        assert {row.source for row in fills} == {"NOTICE"}
        assert {row.account for row in fills} == {"simkey-1"}
        assert feed_db.one("SELECT COUNT(*) FROM notice WHERE kind = 'ACCEPTED'") == 1
        text = feed_db.rows("SELECT notice, notice_at FROM market WHERE symbol = :s", s=symbols[0])[
            0
        ]
        assert text.notice.startswith("체결 매수 ")
        assert text.notice.endswith(f"주문 {order['odno'].lstrip('0')}")
        assert text.notice_at is not None
        assert len(woken) == feed_db.one("SELECT COUNT(*) FROM notice")
        dump = str(feed_db.rows("SELECT * FROM notice")) + str(fills)
        assert simulator.customers[0].account[:8] not in dump


def test_a_cut_section_comes_back_and_its_minutes_say_so(
    feed_db, start_feed, until, monkeypatch
) -> None:
    monkeypatch.setattr("runtime.feed_link.pause_s", lambda *args: 0.5)
    with start_simulator("calm", sections=2, symbols=20, rate=500.0) as simulator:
        symbols = symbols_of(simulator, 20)
        with start_feed(simulator, symbols) as feed:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 20)
            until(lambda: len(feed.market.gaps) == 0)
            simulator.control("fault", drop_ws=1)
            until(lambda: feed_db.one("SELECT COUNT(*) FROM feed_gap WHERE until_at IS NOT NULL"))
            until(lambda: simulator.stats()["registrations"] == {"simkey-1": 11, "simkey-2": 11})
            (gap,) = feed_db.rows("SELECT * FROM feed_gap")
            assert gap.section == 1
            assert 0.3 < (gap.until_at - gap.from_at).total_seconds() < 15
            assert feed.budget.ends == [False]
            down = [[gap.from_at.replace(tzinfo=KST), gap.until_at.replace(tzinfo=KST)]]
            with feed.market.lock:
                cut = [s for s in feed.market.conflator.states.values() if s.section == 1]
                # the minute may have turned over since: then the cut is in the bar before
                bars = [bar for s in cut for bar in (s.prev, s.bar) if bar is not None]
                touched = [bar for bar in bars if overlaps(down, bar.at)]
                assert touched
                assert all(bar.gap for bar in touched)
            stop_ticks(simulator, feed, until, lost=250)  # half a second of one section's ticks


def test_mariadb_goes_and_comes_back_and_nothing_but_values_between_is_lost(
    servers, feed_db, start_feed, until
) -> None:
    with start_simulator("calm", sections=1, symbols=20, rate=500.0) as simulator:
        symbols = symbols_of(simulator, 20)
        with start_feed(simulator, symbols) as feed:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 20)
            servers.mariadb.kill()
            try:
                until(lambda: feed.market.writer.failing, 10)
                before = feed.market.records
                until(lambda: feed.market.records > before + 200, 10, "the feed stood still")
            finally:
                servers.mariadb.start(bound=True)
                servers.mariadb.wait_ready()
            until(lambda: not feed.market.writer.failing, 15)
            stop_ticks(simulator, feed, until)
            with feed.market.lock:
                states = {s.symbol: s for s in feed.market.conflator.states.values()}
            for row in feed_db.rows("SELECT * FROM market"):
                state = states[row.symbol]
                assert (row.price, row.seq) == (state.price, state.seq)
                assert (row.bar_ticks, row.bar_volume, row.bar_turnover) == (
                    state.bar.ticks, state.bar.volume, state.bar.turnover
                )  # fmt: skip


def test_the_watch_list_changes_while_it_runs_without_a_reconnect(
    feed_db, start_feed, until
) -> None:
    with start_simulator("calm", sections=2, symbols=100, rate=1000.0) as simulator:
        symbols = symbols_of(simulator, 100)
        listed = list(symbols[:80])
        with start_feed(simulator, listed) as feed:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 80)
            homes = {row.symbol: row.section for row in feed_db.rows("SELECT * FROM market")}
            feed_db.do(
                "INSERT INTO watch VALUES (:s, 'person', NOW(6))", s=symbols[90]
            )  # goes before the settings' list, whose last stock has to leave
            until(lambda: feed_db.rows("SELECT 1 FROM market WHERE symbol = :s", s=symbols[90]))
            assert feed.market.detail()["refused"] == 1
            assert listed[-1] in feed.market.watch.refused
            until(lambda: sum(simulator.stats()["registrations"].values()) == 82)
            after = {row.symbol: row.section for row in feed_db.rows("SELECT * FROM market")}
            assert all(after[s] == homes[s] for s in listed[:79]), "a change moves few"
            assert simulator.stats()["handshakes"] == 2
            assert simulator.stats()["refused"] == {}


def test_a_restart_goes_on_where_the_last_run_stopped(feed_db, start_feed, until) -> None:
    with start_simulator("calm", sections=1, symbols=10, rate=300.0) as simulator:
        symbols = symbols_of(simulator, 10)
        with start_feed(simulator, symbols):
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 10)
            time.sleep(0.5)
        first = {row.symbol: row for row in feed_db.rows("SELECT * FROM market")}
        assert feed_db.one("SELECT COUNT(*) FROM feed_gap WHERE until_at IS NULL") == 1
        with start_feed(simulator, symbols):
            until(
                lambda: all(
                    row.seq > first[row.symbol].seq for row in feed_db.rows("SELECT * FROM market")
                )
            )
            until(lambda: feed_db.one("SELECT COUNT(*) FROM feed_gap WHERE until_at IS NULL") == 0)
        for row in feed_db.rows("SELECT * FROM market"):
            before = first[row.symbol]
            if row.bar_at == before.bar_at:
                assert row.bar_ticks > before.bar_ticks
                assert row.bar_open == before.bar_open
                assert row.bar_gap == 1
        assert feed_db.one("SELECT COUNT(*) FROM feed_gap") >= 1


def test_prices_of_before_a_restart_get_no_new_numbers(feed_db, start_feed, until) -> None:
    # a trader that looks on would take them for ticks it has missed
    with start_simulator("calm", sections=1, symbols=5, rate=300.0) as simulator:
        symbols = symbols_of(simulator, 5)
        with start_feed(simulator, symbols):
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market WHERE recent LIKE '% %'") == 5)
        simulator.control("fault", stop_ticks=True)
        with start_feed(simulator, symbols):
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market WHERE recent = ''") == 5)
            assert feed_db.one("SELECT COUNT(*) FROM market WHERE price > 0") == 5


def test_missing_fields_stop_trading_on_that_stock_and_never_the_feed(
    feed_db, start_feed, until
) -> None:
    with start_simulator("calm", sections=1, symbols=5, rate=200.0) as simulator:
        symbols = symbols_of(simulator, 5)
        with start_feed(simulator, symbols) as feed:
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 5)
            link = feed.market.links[0]
            short = f"0|H0STCNT0|001|{symbols[2]}^090000^70000^2^0".encode()
            link.section.on_messages = lambda messages: messages.append(short)
            until(lambda: feed_db.rows("SELECT 1 FROM market WHERE drift = 1"))
            link.section.on_messages = None
            bad = feed_db.rows("SELECT symbol FROM market WHERE drift = 1")
            assert [row.symbol for row in bad] == [symbols[2]]
            before = feed.market.records
            until(lambda: feed.market.records > before + 50)
        assert all(feed.budget.ends)


def test_progress_is_the_last_row_written(feed_db, start_feed, until) -> None:
    with start_simulator("calm", sections=1, symbols=5, rate=200.0) as simulator:
        symbols = symbols_of(simulator, 5)
        with start_feed(simulator, symbols) as feed:
            query = "SELECT * FROM daemon WHERE name = 'market' AND state = 'RUNNING'"
            until(lambda: feed_db.rows(query))
            simulator.control("fault", stop_ticks=True)
            time.sleep(1.5)
            at = feed_db.rows(query)[0].progress_at
            time.sleep(1.5)
            (row,) = feed_db.rows(query)
            assert row.progress_at == at, "alive but idle must show"
            assert abs(at.replace(tzinfo=KST).timestamp() - feed.market.writer.last_at) < 0.01
            assert '"sections_up": 1' in row.detail


def test_a_section_without_any_frame_is_connected_anew(
    feed_db, start_feed, until, monkeypatch
) -> None:
    monkeypatch.setattr("runtime.feed_link.pause_s", lambda *args: 0.3)
    with start_simulator("calm", sections=1, symbols=5, rate=200.0, pingpong_s=60.0) as simulator:
        symbols = symbols_of(simulator, 5)
        with start_feed(simulator, symbols, silence_s=2.0):
            until(lambda: feed_db.one("SELECT COUNT(*) FROM market") == 5)
            simulator.control("fault", stop_ticks=True)
            until(lambda: simulator.stats()["handshakes"] == 2)
            simulator.control("fault", stop_ticks=False)
            until(lambda: feed_db.one("SELECT COUNT(*) FROM feed_gap WHERE until_at > 0"))


def test_no_connect_without_the_budgets_word(feed_db, start_feed) -> None:
    """P11: the budget is asked before each connect, and its answer is waited for."""
    with start_simulator("calm", sections=1, symbols=5) as simulator:
        symbols = symbols_of(simulator, 5)
        with start_feed(simulator, symbols, first_wait_s=30.0) as feed:
            time.sleep(0.7)
            assert feed.budget.claims == 1
            assert "재접속 예산" in feed.market.links[0].why
        assert simulator.stats()["handshakes"] == 0
