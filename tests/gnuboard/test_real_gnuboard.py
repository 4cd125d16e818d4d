"""The real thing: without GNUBOARD_ROOT this says so, and fails where it is required."""

from __future__ import annotations

import json
import re
import subprocess
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


def test_a_member_who_leaves_is_disarmed(real: Site) -> None:
    columns = "owner, symbol, side, trigger_op, strike_price, quantity, enabled, arm_no"
    real.run(
        f"INSERT INTO {real.table('condition')} ({columns}, created_by, updated_by, created_at,"
        " updated_at) VALUES ('member2', '005930', 'BUY', 'LE', 70000, 1, 1, 1,"
        " 'member2', 'member2', NOW(6), NOW(6))"
    )
    command = ["php", str(CORE_CLI), str(real.root), "leave", "member2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert real.conditions()[0]["enabled"] == 0


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
