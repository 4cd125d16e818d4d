"""The real thing: without GNUBOARD_ROOT this says so, and fails where it is required."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gnuboard.real_site import CORE_CLI, required, roots
from tests.gnuboard.site import GNUBOARD, Site, Visitor


def test_a_real_gnuboard_is_here() -> None:
    if roots():
        assert all((one / "common.php").is_file() for one in roots())
        return
    assert not required(), "GNUBOARD_REQUIRED=1 but GNUBOARD_ROOT names no unpacked Gnuboard5"
    pytest.skip("GNUBOARD_ROOT is not set: the pages ran on the devhost alone")


@pytest.fixture
def real(site: Site) -> Site:
    if not site.real:
        pytest.skip("only on a real Gnuboard (GNUBOARD_ROOT)")
    return site


def test_every_name_of_the_manifest_exists_in_this_gnuboard(real: Site) -> None:
    manifest = json.loads((GNUBOARD / "devhost" / "manifest.json").read_text("utf-8"))
    source = "\n".join(
        file.read_text("utf-8", "replace")
        for folder in ("adm", "bbs", "lib", ".")
        for file in (real.root / folder).glob("*.php")
    )
    for name in manifest["functions"]:
        assert re.search(rf"function\s+&?{name}\s*\(", source), name
    for name in manifest["constants"]:
        assert re.search(rf"define\(\s*['\"]{name}['\"]", source), name
    for name in manifest["globals"]:
        assert f"${name}" in source, name
    for name in manifest["hooks"]:
        assert re.search(rf"run_(event|replace)\(\s*['\"]{name}", source), name
    for name in manifest["includes"]:
        assert (real.root / name).is_file(), name


def test_the_menu_stands_in_the_admin_and_no_core_file_changed(real: Site) -> None:
    page = Visitor(real, "admin").get("live").text
    for words in ("자동매매", "매매 조건", "현황", "주문·체결", "설정·정지"):
        assert words in page
    tree = Path(real.origin)
    for file in (tree / "adm").rglob("*.php"):
        assert (real.root / file.relative_to(tree)).read_bytes() == file.read_bytes()


def test_check_and_a_second_install_find_nothing_wrong(real: Site) -> None:
    said = real.stockd("check", str(real.root), "--json")
    assert json.loads(said.stdout.splitlines()[-1]) == {"ok": True, "faults": []}, said.stderr
    (real.root / "plugin" / "stockd" / "VERSION").write_text("0")
    assert real.stockd("check", str(real.root)).returncode == 1
    assert real.stockd("install", str(real.root)).returncode == 0
    assert real.stockd("check", str(real.root)).returncode == 0


def test_a_broken_plugin_does_not_take_the_site_down(real: Site) -> None:
    file = real.root / "plugin" / "stockd" / "bootstrap.php"
    whole = file.read_text("utf-8")
    try:
        for broken in ("<?php this is no php", "<?php stockd_no_such_function();"):
            file.write_text(broken)
            assert Visitor(real).http.get(f"{real.url}/", timeout=20).status_code == 200
            assert (
                Visitor(real, "admin").http.get(f"{real.url}/adm/", timeout=20).status_code == 200
            )
    finally:
        file.write_text(whole, "utf-8")
        real.php.log.unlink(missing_ok=True)


def arm_for(real: Site, owner: str) -> None:
    columns = "owner, symbol, side, trigger_op, strike_price, quantity, enabled, arm_no"
    real.run(
        f"INSERT INTO {real.table('condition')} ({columns}, created_by, updated_by, created_at,"
        f" updated_at) VALUES ('{owner}', '005930', 'BUY', 'LE', 70000, 1, 1, 1,"
        f" '{owner}', '{owner}', NOW(6), NOW(6))"
    )


def armed_by_owner(real: Site) -> dict[str, int]:
    return {one["owner"]: one["enabled"] for one in real.conditions()}


@pytest.fixture
def two_armed(real: Site) -> Iterator[Site]:
    """Two members, each with an armed condition; both are members again afterwards."""
    for one in ("member1", "member2"):
        arm_for(real, one)
    yield real
    real.run(
        f"UPDATE `{real.database}`.`{real.prefix}member`"
        " SET mb_leave_date = '', mb_intercept_date = '' WHERE mb_id = 'member2'"
    )


def test_a_deleted_member_is_disarmed(two_armed: Site) -> None:
    command = ["php", str(CORE_CLI), str(two_armed.root), "leave", "member2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert armed_by_owner(two_armed) == {"member1": 1, "member2": 0}


def test_a_member_who_leaves_is_disarmed_and_the_history_says_why(two_armed: Site) -> None:
    member = Visitor(two_armed, "member2", "member-pw")
    said = member.http.post(
        f"{two_armed.url}/bbs/member_leave.php", data={"mb_password": "member-pw"}, timeout=20
    )
    assert "탈퇴 하셨습니다" in said.text
    assert armed_by_owner(two_armed) == {"member1": 1, "member2": 0}
    log = two_armed.rows(f"SELECT action, actor FROM {two_armed.table('condition_log')}")
    assert log == [{"action": "DISARM", "actor": "회원 탈퇴"}]
    assert all(one["deleted_at"] is None for one in two_armed.conditions())


def test_a_member_who_is_blocked_is_disarmed(two_armed: Site) -> None:
    admin = Visitor(two_armed, "admin").http
    listed = f"{two_armed.url}/adm/member_list.php"
    key = re.search(r'g5_admin_csrf_token_key = "([^"]*)"', admin.get(listed, timeout=20).text)
    token = admin.post(  # as admin.js asks for it
        f"{two_armed.url}/adm/ajax.token.php", timeout=20, headers={"Referer": listed},
        data={"admin_csrf_token_key": key.group(1) if key else ""},
    ).json()["token"]  # fmt: skip
    form = {
        "act_button": "선택수정", "token": token, "chk[]": "0", "mb_id[0]": "member2",
        "mb_level[0]": "2", "mb_intercept_date[0]": "20260101",
    }  # fmt: skip
    admin.post(f"{two_armed.url}/adm/member_list_update.php", data=form, timeout=20)
    assert armed_by_owner(two_armed) == {"member1": 1, "member2": 0}


def test_uninstall_halts_what_is_armed_and_leaves_the_rows(real: Site, admin: Visitor) -> None:
    row = admin.add()
    admin.post(act="arm", id=row["id"], rev=1)
    said = real.stockd("uninstall", str(real.root))
    try:
        assert said.returncode == 0, said.stderr
        assert real.rows(f"SELECT action, source FROM {real.table('halt')}") == [
            {"action": "HALT", "source": "CLI"}
        ]
        assert real.conditions()[0]["enabled"] == 1
        assert not (real.root / "plugin" / "stockd").exists()
        assert Visitor(real, "admin").http.get(f"{real.url}/adm/", timeout=20).status_code == 200
    finally:
        assert real.stockd("install", str(real.root)).returncode == 0
