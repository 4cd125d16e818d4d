"""현황: one answer a second with everything on it, 304 when nothing moved, and the stop switch."""

from __future__ import annotations

import time
from datetime import datetime

from tests.gnuboard.machine_rows import bar_rows, lane_rows, market_rows, struck
from tests.gnuboard.site import Site, Visitor


def test_the_feed_holds_what_the_page_shows(site: Site, admin: Visitor) -> None:
    row = admin.add()
    admin.post(act="arm", id=row["id"], rev=1)
    with site.db.begin() as connection:
        struck(connection, site.machine, site.conditions()[0], "PART_FILLED", 2)
    feed = admin.ask("feed", "live")
    prices = {one[0]: one[2] for one in feed["market"]}
    assert prices["005930"] == 71_500
    assert (feed["strikes"][0]["state"], feed["strikes"][0]["filled"]) == ("PART_FILLED", 2)
    assert (feed["fills"][0]["quantity"], feed["fills"][0]["price"]) == (2, 70_000)
    assert {one["name"] for one in feed["daemons"]} >= {"market", "trader"}
    assert (feed["armed"], feed["halt"]) == (1, None)


def test_lanes_of_each_app_key_are_shown_by_its_label(site: Site, admin: Visitor) -> None:
    assert admin.ask("feed", "live")["lanes"] == {"ms": 0, "rows": []}
    with site.db.begin() as connection:
        for label in ("second", "main"):
            lane_rows(connection, site.machine, label)
    lanes = admin.ask("feed", "live")["lanes"]
    assert [row[:2] for row in lanes["rows"][:6]] == [
        ["main", lane] for lane in ("all", "order", "confirm", "assets", "spare", "sweep")
    ]
    assert lanes["rows"][5] == ["main", "sweep", 10, 4, 2, 405, 3, 0]
    assert lanes["rows"][6][0] == "second"
    written = site.rows(f"SELECT UNIX_TIMESTAMP(MAX(updated_at)) AS at FROM `{site.machine}`.lane")
    assert abs(lanes["ms"] - float(written[0]["at"]) * 1000) <= 1
    # a key that was taken out of the settings is written no more
    site.run(
        f"UPDATE `{site.machine}`.lane SET updated_at = updated_at - INTERVAL 2 MINUTE"
        " WHERE label = 'second'"
    )
    assert {row[0] for row in admin.ask("feed", "live")["lanes"]["rows"]} == {"main"}


def test_profit_moves_with_the_ticks_between_two_polls(site: Site, admin: Visitor) -> None:
    def profit() -> int:
        return int(
            next(one for one in admin.ask("feed", "live")["positions"] if one[0] == "005930")[8]
        )

    assert profit() == 100 * (71_500 - 70_000)
    site.run(f"UPDATE `{site.machine}`.market SET price = 72000 WHERE symbol = '005930'")
    assert profit() == 200_000


def test_an_unchanged_feed_is_not_sent_twice(site: Site, admin: Visitor) -> None:
    first = admin.get("live", ask="feed")
    again = admin.http.get(first.url, headers={"If-None-Match": first.headers["ETag"]}, timeout=20)
    assert (again.status_code, again.content) == (304, b"")
    assert "X-Stockd-Now" in again.headers
    site.run(f"UPDATE `{site.machine}`.market SET price = 71600 WHERE symbol = '005930'")
    assert (
        admin.http.get(
            first.url, headers={"If-None-Match": first.headers["ETag"]}, timeout=20
        ).status_code
        == 200
    )


def test_two_hundred_stocks_come_in_one_answer(site: Site, admin: Visitor, record_property) -> None:  # type: ignore[no-untyped-def]
    with site.db.begin() as connection:
        market_rows(connection, site.machine, extra=195)
    admin.get("live", ask="feed")
    spans = []
    for _ in range(20):
        began = time.monotonic()
        reply = admin.get("live", ask="feed")
        spans.append((time.monotonic() - began) * 1000)
    assert len(reply.json()["market"]) >= 200
    print(f"feed of 200 stocks: median {sorted(spans)[10]:.1f} ms, {len(reply.content)} bytes")
    record_property("feed_ms_median", round(sorted(spans)[10], 1))
    site.run(f"DELETE FROM `{site.machine}`.market WHERE symbol LIKE '900%'")
    site.run(f"DELETE FROM `{site.machine}`.listing WHERE symbol LIKE '900%'")


def test_candles_carry_fills_and_strike_lines(site: Site, admin: Visitor) -> None:
    row = admin.add()
    admin.post(act="arm", id=row["id"], rev=1)
    with site.db.begin() as connection:
        bar_rows(connection, site.machine, "005930", 71_000)
        struck(connection, site.machine, site.conditions()[0], "FILLED", 3)
    answer = admin.ask("candles", "live", symbol="005930", minutes="1")
    assert len(answer["bars"]) == 80
    assert answer["bars"] == sorted(answer["bars"])
    shown = datetime.utcfromtimestamp(answer["bars"][-1][0])  # noqa: DTZ004  the chart shows KST as if UTC
    stored = site.rows(f"SELECT MAX(at) AS at FROM `{site.machine}`.bar WHERE symbol = '005930'")[
        0
    ]["at"]
    assert shown == stored
    assert answer["lines"] == [[70_000, "BUY", "LE", 1, row["id"]]]
    assert answer["fills"][0][1:] == ["BUY", 70_000, 3]


def test_the_stop_button_writes_a_halt_that_only_a_reason_lifts(site: Site, admin: Visitor) -> None:
    assert admin.post("live", act="halt", reason="", cancel_open="1").status_code == 302
    halt = site.rows(f"SELECT * FROM {site.table('halt')}")[0]
    assert (halt["action"], halt["actor"], halt["source"], halt["cancel_open"]) == (
        "HALT",
        "admin",
        "PLUGIN",
        1,
    )
    assert admin.ask("feed", "live")["halt"]["actor"] == "admin"
    assert "정지 중입니다" in admin.get().text
    admin.post("settings", act="resume", reason=" ")
    assert admin.ask("feed", "live")["halt"] is not None
    admin.post("settings", act="resume", reason="점검 끝")
    assert admin.ask("feed", "live")["halt"] is None


def test_a_sub_admin_stops_only_with_the_right_on_that_page(site: Site, as_member) -> None:  # type: ignore[no-untyped-def]
    for who in ("reader", "writer"):
        visitor = as_member(who)
        visitor.post("live", token=visitor.token(), act="halt", reason="x")
    assert site.rows(f"SELECT * FROM {site.table('halt')}") == []


def test_orders_of_a_day_are_listed(site: Site, admin: Visitor) -> None:
    row = admin.add()
    with site.db.begin() as connection:
        struck(connection, site.machine, site.conditions()[0], "FILLED", 3)
    page = admin.get("orders").text
    assert f"{1000 + row['id']}" in page
    assert "체결통보" in page
    assert "이 날의 주문이 없습니다" in admin.get("orders", day="2020-01-02").text
    assert admin.get("orders", day="x'").status_code == 200
