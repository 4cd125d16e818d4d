"""The member page: off by default, and each member sees and moves his own rows only."""

from __future__ import annotations

import re

import pytest

from tests.gnuboard.site import GOOD, Site, Visitor


class MemberVisitor(Visitor):
    """The same forms on the member's own page."""

    def address(self, page: str) -> str:
        return f"{self.site.url}/plugin/stockd/index.php"


@pytest.fixture
def opened(site: Site, admin: Visitor) -> Site:
    admin.post("settings", act="options", member_page="1", member_level="2", password=site.password)
    return site


def test_it_is_closed_until_the_owner_opens_it(site: Site) -> None:
    member = MemberVisitor(site, "member1", "member-pw")
    assert "열려 있지 않은" in member.get().text
    member.post(act="add", token="", **GOOD)
    assert site.conditions() == []


def test_a_guest_and_a_low_level_stay_out(opened: Site, admin: Visitor) -> None:
    assert "로그인" in MemberVisitor(opened).get().text
    admin.post(
        "settings", act="options", member_page="1", member_level="5", password=opened.password
    )
    assert "등급이 아닙니다" in MemberVisitor(opened, "member1", "member-pw").get().text


def test_each_sees_and_changes_his_own_rows_only(opened: Site) -> None:
    one, two = (
        MemberVisitor(opened, "member1", "member-pw"),
        MemberVisitor(opened, "member2", "member-pw"),
    )
    row = one.add()
    assert row["owner"] == "member1"
    one.post(act="arm", id=row["id"], rev=1)
    assert not re.search(rf'data-id="{row["id"]}"', two.get().text)
    assert two.ask("history", id=row["id"]) == []
    assert two.ask("states", ids=row["id"]) == []
    before = opened.everything()
    for act in ("edit", "arm", "disarm", "remove", "copy", "disarm_ticked", "disarm_all"):
        two.post(act=act, id=row["id"], rev=2, **{"ids[]": row["id"]}, **GOOD)
    assert opened.everything() == before
    two.post(act="add", **{**GOOD, "arms_after": str(row["id"])})
    assert opened.everything() == before
    one.post(act="disarm_all")
    assert opened.conditions()[0]["enabled"] == 0
