"""Profile `gnuboard`, really run: `python tests/compose/site_run.py TREE`, a Gnuboard5 of yours.

By hand, as root, where a Docker engine is; about two minutes. A copy of the tree is served by the
container, installed through its own web installer, and its administrator opens our four pages and
sets a condition, which lands in the tree's database. Exit code 0 only if all of that worked.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import time
from pathlib import Path

from engine import ROOT, Machine, free_port, has_engine

sys.path.insert(0, str(ROOT))
from tests.gnuboard.real_site import web_install
from tests.gnuboard.site import GOOD, Site, Visitor

WEB_USER = 33  # www-data in the container
PAGES = ("conditions", "live", "orders", "settings")
WRONG = re.compile(r"(?:Fatal error|Parse error|Warning|Notice|Deprecated)</b>:.{0,200}")


def served(machine: Machine, tree: Path) -> Site:
    """The site in its container, before anybody has installed it."""
    root, port = machine.directory / "site", free_port()
    machine.make(
        COMPOSE_PROFILES="sim,gnuboard", GNUBOARD_DIR=str(root), GNUBOARD_PORT=str(port),
        STOCKD_SITE__DATABASE="gnuboard", STOCKD_SITE__PREFIX="g5_",
    )  # fmt: skip
    shutil.copytree(tree, root, ignore=shutil.ignore_patterns(".git"))
    (root / "data").mkdir(exist_ok=True)
    for path in (root / "data", *(root / "data").rglob("*")):
        os.chown(path, WEB_USER, WEB_USER)
    machine.directory.chmod(0o755)  # the container's user is none of ours
    machine.compose("build", "-q", timeout=1500)
    machine.compose("up", "-d", "--wait", "gnuboard")
    _, password = machine.run_in("gnuboard", "cat", "/run/secrets/gnuboard_password")
    return Site(
        f"http://127.0.0.1:{port}", None, "gnuboard", "stockd", "g5_", password, None, "",
        root=root, real=True, origin=str(tree),
    )  # fmt: skip


def judged(machine: Machine, site: Site) -> list[str]:
    """Install, open each page, set a condition; what went wrong."""
    web_install(site.url, "mariadb", "gnuboard", site.password, site.prefix)
    if not (site.root / "data" / "dbconfig.php").is_file():
        return ["the web installer left no data/dbconfig.php"]
    shutil.rmtree(site.root / "install")
    machine.compose("run", "--rm", "-T", "migrate")  # rights on tables that have appeared
    admin, faults = Visitor(site, "admin"), []
    for page in PAGES:
        reply = admin.get(page)
        wrong = WRONG.search(reply.text)
        if reply.status_code != 200 or wrong or "stockd" not in reply.text:
            faults.append(f"page {page}: {reply.status_code} {wrong.group() if wrong else ''}")
    sent = admin.post(act="add", **GOOD)
    rows = machine.sql("SELECT symbol, quantity, enabled FROM gnuboard.g5_stockd_condition")
    if rows != [[GOOD["symbol"], GOOD["quantity"], "0"]]:
        faults.append(f"the condition is not in the table: {sent.status_code} {rows}")
    shown = admin.ask("feed", "live") if not faults else {"lanes": {}}
    return faults if "lanes" in shown else [f"the live page answers {str(shown)[:200]}"]


def main() -> int:
    """0 it works, 1 it does not, 2 no engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path, help="an unpacked Gnuboard5; a copy of it is used")
    options = parser.parse_args()
    if not has_engine():
        sys.stderr.write("no Docker engine with Compose answers here\n")
        return 2
    began, machine = time.monotonic(), Machine()
    try:
        site = served(machine, options.tree.resolve())
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  served at {site.url}\n")
        faults = judged(machine, site)
    finally:
        machine.down()
    said = "; ".join(faults) if faults else f"{', '.join(PAGES)} and a condition: yes"
    sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {said}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
