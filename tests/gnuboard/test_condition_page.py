"""The condition page as its owner uses it: add, correct, arm, disarm, copy, remove, look back."""

from __future__ import annotations

import sqlalchemy as sa

from tests.gnuboard.machine_rows import struck
from tests.gnuboard.site import GOOD, Site, Visitor, problem


def test_a_new_condition_is_off_and_arming_is_a_step_of_its_own(site: Site, admin: Visitor) -> None:
    row = admin.add()
    assert (row["symbol"], row["side"], row["trigger_op"], row["strike_price"]) == (
        "005930",
        "BUY",
        "LE",
        70_000,
    )
    assert (row["enabled"], row["arm_no"], row["owner"], row["memo"]) == (0, 0, "admin", "첫 조건")
    assert admin.post(act="arm", id=row["id"], rev=row["rev"]).status_code == 302
    armed = site.conditions()[0]
    assert (armed["enabled"], armed["arm_no"], armed["rev"]) == (1, 1, 2)
    assert admin.post(act="disarm", id=row["id"], rev=0).status_code == 302
    assert site.conditions()[0]["enabled"] == 0
    admin.post(act="arm", id=row["id"], rev=3)
    assert site.conditions()[0]["arm_no"] == 2


def test_every_change_leaves_who_when_and_what(site: Site, admin: Visitor) -> None:
    row = admin.add()
    admin.post(act="edit", id=row["id"], rev=1, **{**GOOD, "strike_price": "69900"})
    admin.post(act="arm", id=row["id"], rev=2)
    admin.post(act="disarm", id=row["id"])
    admin.post(act="remove", id=row["id"], rev=4)
    log = site.rows(
        f"SELECT action, rev, actor, actor_ip FROM {site.table('condition_log')} ORDER BY id"
    )
    assert [(one["action"], one["rev"]) for one in log] == [
        ("ADD", 1),
        ("EDIT", 2),
        ("ARM", 3),
        ("DISARM", 4),
        ("REMOVE", 5),
    ]
    assert {one["actor"] for one in log} == {"admin"}
    assert {one["actor_ip"] for one in log} == {"127.0.0.1"}
    story = admin.ask("history", id=row["id"])
    assert story[-1]["row"]["strike_price"] == 70_000
    assert story[0]["row"]["deleted_at"] is not None


def test_editing_an_armed_condition_disarms_it(site: Site, admin: Visitor) -> None:
    row = admin.add()
    admin.post(act="arm", id=row["id"], rev=1)
    admin.post(act="edit", id=row["id"], rev=2, **{**GOOD, "quantity": "5"})
    after = site.conditions()[0]
    assert (after["enabled"], after["quantity"], after["rev"]) == (0, 5, 3)


def test_a_wrong_field_comes_back_named_with_what_was_typed(site: Site, admin: Visitor) -> None:
    reply = admin.post(act="add", **{**GOOD, "strike_price": "70,050"})
    assert problem(reply) == "타격 가격: 숫자만 적습니다 (쉼표·부호·소수점 없이)"
    assert 'value="70,050"' in reply.text
    assert site.conditions() == []


def test_what_would_fire_at_once_needs_a_second_yes(site: Site, admin: Visitor) -> None:
    row = admin.add(strike_price="71600")  # the price is 71,500: already at or below
    assert admin.ask("check", **{**GOOD, "strike_price": "71600"})["now"] is True
    reply = admin.post(act="arm", id=row["id"], rev=1)
    assert "지금 발동됩니다" in problem(reply)
    assert site.conditions()[0]["enabled"] == 0
    assert admin.post(act="arm", id=row["id"], rev=1, fires_now="1").status_code == 302
    assert site.conditions()[0]["enabled"] == 1


def test_cash_and_shares_are_checked_by_what_the_account_has(site: Site, admin: Visitor) -> None:
    assert "주문가능금액이 모자랍니다" in problem(
        admin.post(act="add", **{**GOOD, "quantity": "1000"})
    )
    sell = {**GOOD, "side": "SELL", "strike_price": "75000", "quantity": "101"}
    assert "주문가능수량이 모자랍니다" in problem(admin.post(act="add", **sell))
    assert site.conditions() == []


def test_a_designated_stock_is_not_bought_and_the_days_limits_bound_the_price(
    site: Site, admin: Visitor
) -> None:
    row = admin.add()
    site.run(
        f"INSERT INTO `{site.machine}`.stock_day VALUES ('005930', CURDATE(), 71500, 92900, 50100,"
        " '관리종목', '관리종목', NOW(6))"
    )
    refused = "관리종목 종목은 사지 않습니다"
    assert refused in problem(admin.post(act="add", **GOOD))
    assert refused in problem(admin.post(act="arm", id=row["id"], rev=1))
    assert (
        admin.post(act="add", **{**GOOD, "side": "SELL", "strike_price": "75000"}).status_code
        == 302
    )
    assert [one["enabled"] for one in site.conditions()] == [0, 0]
    site.run(f"UPDATE `{site.machine}`.stock_day SET no_buy = '', designations = ''")
    low = problem(admin.post(act="add", **{**GOOD, "strike_price": "50000"}))
    assert "하한가 50,100원보다 낮습니다" in low


def test_an_exit_pair_hangs_on_the_buy_and_is_armed_with_it(site: Site, admin: Visitor) -> None:
    admin.post(act="add", **GOOD, exit_profit="77000", exit_stop="66000")
    buy, profit, stop = site.conditions()
    assert (profit["side"], profit["trigger_op"], profit["strike_price"], profit["order_kind"]) == (
        "SELL",
        "GE",
        77_000,
        "LIMIT",
    )
    assert (stop["side"], stop["trigger_op"], stop["strike_price"], stop["order_kind"]) == (
        "SELL",
        "LE",
        66_000,
        "MARKET",
    )
    assert {(one["arms_after"], one["oco_group"], one["quantity"]) for one in (profit, stop)} == {
        (buy["id"], buy["id"], 3)
    }
    admin.post(act="arm", id=buy["id"], rev=1)
    assert [one["enabled"] for one in site.conditions()] == [1, 1, 1]
    admin.post(act="disarm", id=buy["id"])
    assert [one["enabled"] for one in site.conditions()] == [0, 0, 0]


def test_exits_of_a_buy_that_struck_stay_armed(site: Site, admin: Visitor) -> None:
    admin.post(act="add", **GOOD, exit_profit="77000", exit_stop="66000")
    admin.post(act="arm", id=site.conditions()[0]["id"], rev=1)
    with site.db.begin() as connection:
        struck(connection, site.machine, site.conditions()[0], "FILLED", 3)
    admin.post(act="disarm", id=site.conditions()[0]["id"])
    assert [one["enabled"] for one in site.conditions()] == [0, 1, 1]


def test_wrong_exits_add_nothing_at_all(site: Site, admin: Visitor) -> None:
    for exits in (
        {"exit_profit": "69000"},
        {"exit_stop": "71000"},
        {"exit_stop": "66001"},
        {"exit_profit": "x"},
    ):
        assert admin.post(act="add", **GOOD, **exits).status_code == 200
    assert site.conditions() == []


def test_copy_is_off_and_bulk_disarm_takes_all(site: Site, admin: Visitor) -> None:
    first = admin.add()
    admin.post(act="arm", id=first["id"], rev=1)
    admin.post(act="copy", id=first["id"])
    copied = site.conditions()[1]
    assert (copied["enabled"], copied["arm_no"], copied["rev"], copied["strike_price"]) == (
        0,
        0,
        1,
        70_000,
    )
    admin.post(act="arm", id=copied["id"], rev=1)
    admin.post(act="disarm_all")
    assert [one["enabled"] for one in site.conditions()] == [0, 0]


def test_only_ticked_conditions_are_disarmed(site: Site, admin: Visitor) -> None:
    rows = [admin.add() for _ in range(3)]
    for row in rows:
        admin.post(act="arm", id=row["id"], rev=1)
    admin.post(act="disarm_ticked", **{"ids[]": [str(rows[0]["id"]), str(rows[2]["id"])]})
    assert [one["enabled"] for one in site.conditions()] == [0, 1, 0]


def test_a_stock_is_found_by_name_and_by_code(site: Site, admin: Visitor) -> None:
    assert admin.ask("find", q="삼성")[0]["symbol"] == "005930"
    assert admin.ask("find", q="00066")[0]["name"] == "SK하이닉스"
    assert admin.ask("find", q="%") == []
    quote = admin.ask("quote", symbol="005930")
    assert (quote["price"], quote["cash"], quote["sellable"]) == (71_500, 50_000_000, 100)


def test_the_page_says_how_the_machine_sees_a_condition(site: Site, admin: Visitor) -> None:
    row = admin.add()
    admin.post(act="arm", id=row["id"], rev=1)
    assert admin.ask("states", ids=row["id"])[0]["machine"][1] == "기계가 아직 못 봄"
    site.armed_in_the_machine(row["id"])
    assert admin.ask("states", ids=row["id"])[0]["machine"][1] == "지켜보는 중"
    with site.db.begin() as connection:
        struck(connection, site.machine, site.conditions()[0], "FILLED", 3)
    words = admin.ask("states", ids=row["id"])[0]["machine"]
    assert words == ["filled", "체결", f"주문 {1000 + row['id']} · 체결 3주"]


def test_the_list_searches_sorts_and_pages(site: Site, admin: Visitor) -> None:
    for n in range(32):
        admin.add(strike_price=str(60_000 + n * 100), memo=f"메모{n}")
    assert admin.get().text.count('<tr class="bg') == 30
    assert admin.get(page=2).text.count('<tr class="bg') == 2
    assert admin.get(q="메모31").text.count('<tr class="bg') == 1
    first = admin.get(sort="strike", dir="asc").text
    assert first.index("60,000") < first.index("60,100")


def test_what_a_person_writes_is_shown_as_text(site: Site, admin: Visitor) -> None:
    memo = """O'Brien "x" <b>굵게</b> 삼성 🙂 \\"""
    row = admin.add(memo=memo)
    assert row["memo"] == memo
    page = admin.get().text
    assert "<b>굵게" not in page
    assert "O&#039;Brien &quot;x&quot; &lt;b" in page


def test_a_condition_switched_off_is_off_for_the_traders_next_look(
    site: Site, admin: Visitor
) -> None:
    row = admin.add()
    admin.post(act="arm", id=row["id"], rev=1)
    trader = sa.make_url(str(site.db.url)).set(
        username=site.user.replace("_site", "_trader"),
        password=site.password,
        database=site.machine,
    )
    engine = sa.create_engine(
        trader.update_query_dict(dict(site.db.url.query)), isolation_level="AUTOCOMMIT"
    )
    armed = sa.text(
        f"SELECT id FROM {site.table('condition')} WHERE enabled = 1 AND deleted_at IS NULL"
    )
    with engine.connect() as look:
        assert look.execute(armed).scalars().all() == [row["id"]]
        admin.post(act="disarm", id=row["id"])
        assert look.execute(armed).scalars().all() == []
    engine.dispose()


def test_php_had_nothing_to_complain_about(site: Site, admin: Visitor) -> None:
    for page in ("conditions", "live", "orders", "settings"):
        assert admin.get(page).status_code == 200
    assert site.php.errors() == []
