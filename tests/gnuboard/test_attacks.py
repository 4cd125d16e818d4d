"""Bad input and attacks: each is refused and not one row of the site changes."""

from __future__ import annotations

import time

import pytest
import requests

from tests.gnuboard.site import GOOD, Site, Visitor

ACTS = ("add", "edit", "arm", "disarm", "remove", "copy", "disarm_all", "disarm_ticked")
BAD_VALUES = {
    "quotes": "1' OR '1'='1", "union": "1 UNION SELECT mb_password FROM g5_member",
    "script": "<script>alert(1)</script>",
    "exponent": "1e5", "comma": "1,250", "minus": "-1", "emoji": "🙂", "long": "9" * 30,
    "nul": "7\x00",
    "float": "70000.5", "newline": "70000\n", "hex": "0x10", "fullwidth": "７００００",
}  # fmt: skip
NUMBERS = (
    "strike_price",
    "quantity",
    "limit_price",
    "max_age_ms",
    "day_amount_cap",
    "arms_after",
    "oco_group",
    "trail_percent",
)
CHOICES = ("symbol", "side", "trigger_op", "order_kind", "venue", "valid_until", "window_from")


@pytest.fixture
def target(site: Site, admin: Visitor) -> dict[str, object]:
    """An armed condition of the owner, so that every attack has something to lose."""
    row = admin.add()
    admin.post(act="arm", id=row["id"], rev=1)
    return site.conditions()[0]


def form(act: str, row: dict[str, object]) -> dict[str, object]:
    return {"act": act, "id": row["id"], "rev": row["rev"], "ids[]": row["id"], **GOOD}


@pytest.mark.parametrize("who", ["", "member1", "elsewhere", "reader"])
def test_who_may_not_write_changes_nothing(site: Site, target, as_member, who: str) -> None:  # type: ignore[no-untyped-def]
    visitor = as_member(who) if who else Visitor(site)
    token = visitor.token() or "1." + "0" * 64
    before = site.everything()
    for act in ACTS:
        visitor.post(token=token, **form(act, target))
    visitor.post("live", token=token, act="halt", reason="x")
    visitor.post("settings", token=token, act="resume", reason="x")
    visitor.post("settings", token=token, act="options", member_page="1", password="member-pw")
    assert site.everything() == before


def test_a_writer_without_the_right_to_delete_cannot_remove(site: Site, target, as_member) -> None:  # type: ignore[no-untyped-def]
    writer = as_member("writer")
    before = site.everything()
    writer.post(**form("remove", target))
    assert site.everything() == before
    writer.post(**form("disarm", target))
    assert site.conditions()[0]["enabled"] == 0


@pytest.mark.parametrize("page", ["conditions", "live", "orders", "settings"])
@pytest.mark.parametrize("who", ["", "member1", "elsewhere"])
def test_who_may_not_read_sees_nothing(site: Site, target, as_member, who: str, page: str) -> None:  # type: ignore[no-untyped-def]
    visitor = as_member(who) if who else Visitor(site)
    for query in (
        {},
        {"ask": "feed"},
        {"ask": "states", "ids": "1"},
        {"ask": "history", "id": "1"},
        {"bo_table": "free"},
    ):
        text = visitor.get(page, **query).text
        assert "005930" not in text
        assert "data-stockd" not in text


def test_no_old_foreign_or_forged_token_is_taken(
    site: Site, admin: Visitor, target, as_member
) -> None:  # type: ignore[no-untyped-def]
    old = f"{int(time.time()) - 7300}." + "a" * 64
    ahead = f"{int(time.time()) + 900}." + admin.token().split(".")[1]
    stale = f"{int(time.time()) - 60}." + admin.token().split(".")[1]
    another_session = Visitor(site, "admin").token()
    before = site.everything()
    for token in (
        "",
        "0",
        old,
        ahead,
        stale,
        another_session,
        as_member("reader").token(),
        as_member("writer").token(),
    ):
        for act in ACTS:
            admin.post(token=token, **form(act, target))
        admin.post("live", token=token, act="halt")
    assert site.everything() == before


def test_a_token_in_the_address_and_a_get_change_nothing(
    site: Site, admin: Visitor, target
) -> None:  # type: ignore[no-untyped-def]
    token = admin.token()
    before = site.everything()
    for act in ACTS:
        admin.get("conditions", stockd_token=token, **form(act, target))
        requests.post(
            admin.address("conditions") + f"&stockd_token={token}", data=form(act, target),
            cookies=admin.http.cookies, headers=dict(admin.http.headers), timeout=20,
        )  # fmt: skip
    assert site.everything() == before


@pytest.mark.parametrize("name", NUMBERS + CHOICES)
def test_bad_values_in_every_field_add_nothing(site: Site, admin: Visitor, name: str) -> None:
    token = admin.token()
    for value in BAD_VALUES.values():
        admin.post(token=token, act="add", **{**GOOD, name: value})
        admin.post(
            token=token,
            act="add",
            **{**{k: v for k, v in GOOD.items() if k != name}, f"{name}[]": "1"},
        )
    rows = site.conditions()
    assert rows == [] or name in ("trigger_op", "order_kind", "venue", "window_from", "valid_until")
    assert rows == []


def test_numbers_of_a_row_are_not_read_from_odd_text(site: Site, admin: Visitor, target) -> None:  # type: ignore[no-untyped-def]
    before = site.everything()
    token = admin.token()
    for odd in ("", "0", "-1", "1 OR 1=1", "9" * 30, f"{target['id']}x", f" {target['id']}"):
        admin.post(token=token, **{**form("disarm", target), "id": odd})
        admin.post(token=token, **{**form("remove", target), "rev": odd})
    admin.post(token=token, act="disarm", **{"id[]": target["id"]})
    assert site.everything() == before


def test_a_stale_revision_is_refused(site: Site, admin: Visitor, target) -> None:  # type: ignore[no-untyped-def]
    before = site.everything()
    for act in ("edit", "arm", "remove"):
        admin.post(**{**form(act, target), "rev": 1})
    assert site.everything() == before


def test_a_password_is_asked_again_where_the_owner_wants_it(site: Site, admin: Visitor) -> None:
    admin.post("settings", act="options", password_on_arm="1", member_level="2", password="wrong")
    row = admin.add()
    assert (
        admin.post(act="arm", id=row["id"], rev=1).status_code == 302
    )  # still off: the password was wrong
    admin.post(act="disarm", id=row["id"])
    assert (
        admin.post(
            "settings", act="options", password_on_arm="1", member_level="2", password=site.password
        ).status_code
        == 302
    )
    for password in ("", "wrong"):
        admin.post(act="arm", id=row["id"], rev=3, password=password)
    assert site.conditions()[0]["enabled"] == 0
    admin.post(act="arm", id=row["id"], rev=3, password=site.password)
    assert site.conditions()[0]["enabled"] == 1


def test_answers_carry_their_headers(site: Site, admin: Visitor) -> None:
    for reply in (admin.get(), admin.get("live"), admin.get("live", ask="feed")):
        assert reply.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "private" in reply.headers["Cache-Control"]


@pytest.mark.parametrize("page", ["conditions", "live", "orders", "settings"])
def test_odd_questions_are_answered_without_harm(site: Site, admin: Visitor, page: str) -> None:
    """Everything a page reads from its address, with everything a stranger might write there."""
    names = ("q", "state", "sort", "dir", "page", "edit", "day", "ids", "id", "symbol", "minutes")
    row = admin.add()
    before = site.everything()
    asks = ("", "find", "quote", "check", "states", "history", "feed", "candles", "nothing")
    for value in BAD_VALUES.values():
        for ask in asks:
            reply = admin.get(page, **({"ask": ask} if ask else {}), **dict.fromkeys(names, value))
            assert reply.status_code == 200, (ask, value)
            assert "<script>alert(1)" not in reply.text
            if ask in {"find", "history"} and page == "conditions":
                assert "005930" not in reply.text, (ask, value)
    for name in names:
        assert admin.get(page, **{f"{name}[]": "1"}).status_code == 200
    assert site.everything() == before
    assert f'data-id="{row["id"]}"' in admin.get().text
    assert site.php.errors() == []


def test_a_reason_is_text_and_nothing_else(site: Site, admin: Visitor) -> None:
    token = admin.token("live")
    for reason in ("가" * 201, "줄\n바꿈", "7\x00", "\x1b[31m"):
        admin.post("live", token=token, act="halt", reason=reason)
    assert site.everything()["halt"] == []
    # a real core refuses <script> in its admin before we see it; what it lets through is text
    attack = """<b title="x">alert(1)</b>' OR 1=1 --"""
    admin.post("live", token=token, act="halt", reason=attack)
    assert [one["reason"] for one in site.everything()["halt"]] == [attack]
    for page in ("conditions", "live", "settings"):
        assert "&lt;b title=&quot;x&quot;&gt;alert(1)" in admin.get(page).text
        assert "<b title=" not in admin.get(page).text
