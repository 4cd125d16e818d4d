"""A real Gnuboard5, unpacked at GNUBOARD_ROOT, installed through its own web installer.

Each tree is installed in each way of GNUBOARD_VARIANTS (VARIANTS' names, ',' between; unset: all).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from sqlalchemy.engine import URL

from db.engines import make_engine
from db.grants import ROLES
from tests.gnuboard.site import AGENT, GNUBOARD, Php, Site


def roots() -> list[Path]:
    """The trees named by GNUBOARD_ROOT (several separated by ':')."""
    return [Path(one) for one in os.environ.get("GNUBOARD_ROOT", "").split(os.pathsep) if one]


@dataclass(frozen=True)
class Variant:
    """How a site can stand: table prefix, folder below the document root, charset of its tables."""

    prefix: str
    folder: str
    charset: str


VARIANTS = {
    "root-utf8": Variant("gb_", "", "utf8"),
    "folder-utf8mb4": Variant("Shop9_", "my/g5", "utf8mb4"),
}


def installs() -> list[tuple[Path, str]]:
    """(tree, variant) of every real site to test."""
    wanted = os.environ.get("GNUBOARD_VARIANTS") or ",".join(VARIANTS)
    return [(tree, one) for tree in roots() for one in wanted.split(",")]


def required() -> bool:
    return os.environ.get("GNUBOARD_REQUIRED") == "1"


CORE_CLI = Path(__file__).parent / "core_cli.php"


def install_real(
    servers: Any, tree: Path, folder: Path, members: list[dict[str, Any]], variant: str
) -> Site:
    """Copies the tree, runs its web installer, then `stockd gnuboard install`; seeded."""
    token, kind = secrets.token_hex(3), VARIANTS[variant]
    machine, database, prefix = f"t_{token}", f"s_{token}", kind.prefix
    password = secrets.token_urlsafe(9)
    server = make_engine(sa.make_url(servers.admin_url()).set(database=None))
    with server.begin() as connection:
        connection.execute(sa.text(f"CREATE DATABASE `{database}` CHARACTER SET {kind.charset}"))
        connection.execute(sa.text(f"CREATE USER '{database}'@'%' IDENTIFIED BY '{password}'"))
        connection.execute(sa.text(f"GRANT ALL ON `{database}`.* TO '{database}'@'%'"))
    root = folder / "site" / kind.folder
    shutil.copytree(tree, root, ignore=shutil.ignore_patterns(".git"))
    config = (root / "config.php").read_text("utf-8")
    config, changed = re.subn(
        r"(define\('G5_DB_CHARSET', *)'\w+'", rf"\g<1>'{kind.charset}'", config
    )
    assert changed == 1, "config.php has no G5_DB_CHARSET"
    (root / "config.php").write_text(config, "utf-8")
    (root / "data").mkdir(mode=0o707, exist_ok=True)
    (root / "data").chmod(0o707)
    host = Php(None, folder / "site", folder / "php.log")
    host.start()
    url = f"{host.url}/{kind.folder}".rstrip("/")
    web_install(url, f"127.0.0.1:{servers.mariadb.port}", database, password, prefix)
    if not (root / "data" / "dbconfig.php").is_file():
        raise RuntimeError(f"{tree}: the web installer left no data/dbconfig.php")
    shutil.rmtree(root / "install")
    seeded = subprocess.run(
        ["php", str(CORE_CLI), str(root), "seed", json.dumps(members)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "seeded" not in seeded.stdout:
        raise RuntimeError(seeded.stdout + seeded.stderr)
    names = (machine, database, prefix, token, password)
    said = stockd(servers, names, "install", str(root))
    if said.returncode:
        raise RuntimeError(said.stdout + said.stderr)
    site = Site(url, server, database, machine, prefix, password, host, f"t_{token}_site")
    site.data, site.root, site.real, site.origin = root / "data", root, True, str(tree)
    site.variant = variant
    site.stockd = lambda *words: stockd(servers, names, *words)
    return site


def stockd(
    servers: Any, site: tuple[str, str, str, str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    """Runs `stockd gnuboard …` with the settings of this site."""
    machine, database, prefix, token, password = site
    url: URL = sa.make_url(servers.admin_url()).set(database=None)
    env = {
        **os.environ,
        "STOCKD_MARIADB__HOST": "127.0.0.1",
        "STOCKD_MARIADB__PORT": str(servers.mariadb.port),
        "STOCKD_MARIADB__DATABASE": machine,
        "STOCKD_MARIADB__USER_PREFIX": f"t_{token}_",
        "STOCKD_MARIADB__ADMIN_URL": url.render_as_string(hide_password=False),
        "STOCKD_SITE__DATABASE": database,
        "STOCKD_SITE__PREFIX": prefix,
        **{f"STOCKD_MARIADB__PASSWORDS__{role.upper()}": password for role in ROLES},
    }
    return subprocess.run(
        [sys.executable, "-m", "cli", "gnuboard", *words],
        cwd=GNUBOARD.parent, env=env, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def web_install(url: str, db_host: str, database: str, password: str, prefix: str) -> None:
    """The installer's four requests, as a browser makes them."""
    browser = requests.Session()
    browser.headers["User-Agent"] = AGENT
    browser.get(f"{url}/install/", timeout=30)
    page = browser.post(
        f"{url}/install/install_config.php", data={"agree": "동의함"}, timeout=30
    ).text
    found = re.search(r'name="ajax_token" value="([^"]+)"', page)
    form = {
        "mysql_host": db_host, "mysql_user": database, "mysql_pass": password, "mysql_db": database,
        "table_prefix": prefix, "g5_shop_prefix": f"{prefix}shop_", "admin_id": "admin",
        "admin_pass": password, "admin_name": "최고관리자", "admin_email": "admin@example.invalid",
        "ajax_token": found.group(1) if found else "",
    }  # fmt: skip
    browser.post(f"{url}/install/ajax.install.check.php", data=form, timeout=30)
    browser.post(f"{url}/install/install_db.php", data=form, timeout=60)
