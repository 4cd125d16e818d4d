"""The site under test: the devhost always, real Gnuboard trees where GNUBOARD_ROOT names them."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from db.engines import make_engine
from db.grants import ROLES
from db.migrate import migrate
from tests.gnuboard.machine_rows import asset_rows, daemon_rows, market_rows
from tests.gnuboard.real_site import install_real, installs
from tests.gnuboard.site import GNUBOARD, Php, Site, Visitor

MEMBERS = [
    {"mb_id": "member1", "password": "member-pw", "mb_level": 2},
    {"mb_id": "member2", "password": "member-pw", "mb_level": 2},
    {
        "mb_id": "reader",
        "password": "member-pw",
        "auth": {"770100": "r", "770200": "r", "770300": "r", "770400": "r"},
    },
    {"mb_id": "writer", "password": "member-pw", "auth": {"770100": "r,w"}},
    {"mb_id": "elsewhere", "password": "member-pw", "auth": {"300100": "r,w,d"}},
]


@pytest.fixture(scope="session")
def php() -> None:
    if shutil.which("php") is None:
        pytest.skip("php is not installed: apt install php-cli php-mysql")


def _named(one: tuple[Path, str]) -> str:
    return "-".join((one[0].name, one[1])).rstrip("-")


@pytest.fixture(scope="session", params=[(Path("devhost"), ""), *installs()], ids=_named)
def host(request, servers, php, tmp_path_factory) -> Iterator[Site]:  # type: ignore[no-untyped-def]
    """The devhost, then each real Gnuboard of GNUBOARD_ROOT in each variant."""
    tree, variant = request.param
    if not variant:
        made = start_devhost(servers, tmp_path_factory.mktemp("devhost"))
    else:
        made = install_real(servers, tree, tmp_path_factory.mktemp("gb"), MEMBERS, variant)
    try:
        yield made
    finally:
        made.php.stop()
        made.db.dispose()


def start_devhost(servers, folder: Path) -> Site:  # type: ignore[no-untyped-def]
    """The devhost on a machine database and a site database of its own, prefix ``g5_``."""
    token = secrets.token_hex(3)
    machine, database, prefix = f"t_{token}", f"s_{token}", "g5_"
    password = secrets.token_urlsafe(9)
    server = make_engine(sa.make_url(servers.admin_url()).set(database=None))
    with server.begin() as connection:
        connection.execute(sa.text(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4"))
    migrate(
        server, database=machine, site_database=database, prefix=prefix,
        passwords=dict.fromkeys(ROLES, password), user_prefix=f"t_{token}_",
    )  # fmt: skip
    (folder / "members.json").write_text(json.dumps(MEMBERS), "utf-8")
    host = Php(
        GNUBOARD / "devhost" / "router.php", GNUBOARD / "devhost", folder / "php.log",
        {
            "DEVHOST_PASSWORD": password, "DEVHOST_DATA": str(folder / "data"),
            "DEVHOST_MEMBERS": str(folder / "members.json"),
            "DEVHOST_DB_SOCKET": str(servers.mariadb.socket),
            "DEVHOST_DB_USER": f"t_{token}_site",
            "DEVHOST_DB_PASSWORD": password, "DEVHOST_DB_NAME": database,
            "DEVHOST_PREFIX": prefix, "DEVHOST_MACHINE_DB": machine,
        },
    )  # fmt: skip
    host.start()
    site = Site(host.url, server, database, machine, prefix, password, host, f"t_{token}_site")
    site.data, site.root = folder / "data", GNUBOARD
    return site


@pytest.fixture
def site(host: Site) -> Site:
    """The site with prices and assets, without conditions."""
    host.empty()
    (host.data / "stockd.options.json").unlink(missing_ok=True)
    with host.db.begin() as connection:
        market_rows(connection, host.machine)
        asset_rows(connection, host.machine)
        daemon_rows(connection, host.machine)
    return host


@pytest.fixture
def admin(site: Site) -> Visitor:
    return Visitor(site, "admin")


@pytest.fixture
def as_member(site: Site):  # type: ignore[no-untyped-def]
    return lambda who: Visitor(site, who, "member-pw")
