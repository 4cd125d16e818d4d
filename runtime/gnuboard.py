"""Puts the plugin into a Gnuboard5 tree, takes it out, and says what is wrong with one that is in.

Only two paths of ours are written (`extend/stockd.extend.php`, `plugin/stockd/`) and one file of
settings (`data/stockd.config.php`, which core upgrades keep); no file of the core is touched.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from db.engines import make_engine
from db.grants import VIEWS, user_name
from runtime.settings import Settings
from runtime.stack.place import CHECKOUT
from runtime.wiring import database_url
from trading.errors import ConfigError

LOADER = Path("extend/stockd.extend.php")
PLUGIN = Path("plugin/stockd")
CONFIG = Path("data/stockd.config.php")
NEEDED = ("common.php", "config.php", "adm/view.php", "extend", "plugin")
TABLES = ("condition", "condition_log", "halt")
_DEFINED = re.compile(r"define\(\s*'(G5_MYSQL_DB|G5_TABLE_PREFIX)'\s*,\s*'([^']*)'\s*\)")


def source() -> Path:
    """The plugin as this version has it."""
    folder = CHECKOUT / "gnuboard"
    if not (folder / LOADER).is_file():
        raise ConfigError("gnuboard", f"{folder} is missing: run this from a checkout or the image")
    return folder


def site_root(path: Path) -> Path:
    """``path`` when an installed Gnuboard5 stands there, else ConfigError."""
    missing = [name for name in NEEDED if not (path / name).exists()]
    if missing:
        raise ConfigError("PATH", f"{path} is no Gnuboard5: {', '.join(missing)} missing")
    if not (path / "data" / "dbconfig.php").is_file():
        raise ConfigError("PATH", f"{path} is not installed yet: data/dbconfig.php is missing")
    return path


def same_place(root: Path, settings: Settings) -> None:
    """ConfigError unless the settings name the site's own database and prefix."""
    text = (root / "data" / "dbconfig.php").read_text("utf-8", "replace")
    core = dict(_DEFINED.findall(text))
    ours = {"G5_MYSQL_DB": settings.site.database, "G5_TABLE_PREFIX": settings.site.prefix}
    keys = {"G5_MYSQL_DB": "site.database (STOCKD_SITE__DATABASE)",
            "G5_TABLE_PREFIX": "site.prefix (STOCKD_SITE__PREFIX)"}  # fmt: skip
    for name, value in core.items():
        if ours[name] != value:
            raise ConfigError(keys[name], f"is {ours[name]!r}, this Gnuboard uses {value!r}")


def copy_plugin(root: Path) -> None:
    """The plugin's folder first, its loader last: the site never loads half of it."""
    fresh = root / "plugin" / f".stockd.{os.getpid()}"
    old = root / "plugin" / f".stockd.old.{os.getpid()}"
    shutil.copytree(source() / PLUGIN, fresh)
    try:
        if (root / PLUGIN).exists():
            (root / PLUGIN).rename(old)
        fresh.rename(root / PLUGIN)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    shutil.copy2(source() / LOADER, root / LOADER)
    _owned_as(root / "extend", root / LOADER, *(root / PLUGIN).rglob("*"), root / PLUGIN)


def write_config(root: Path, settings: Settings) -> None:
    """Where and as whom the plugin signs in; read by whoever may read the core's dbconfig.php."""
    known = settings.mariadb
    password = known.passwords.get("site")
    if password is None:
        raise ConfigError("mariadb.passwords.site (STOCKD_MARIADB__PASSWORDS__SITE)", "is missing")
    values: dict[str, str | int] = {
        "host": known.host, "port": known.port, "socket": str(known.socket),
        "user": user_name("site", known.user_prefix), "password": password.get_secret_value(),
        "database": settings.site.database or known.database, "prefix": settings.site.prefix,
        "machine": known.database,
    }  # fmt: skip
    lines = "".join(f"    '{key}' => {_php(value)},\n" for key, value in values.items())
    file, core = root / CONFIG, root / "data" / "dbconfig.php"
    fresh = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(
            "<?php\nif (!defined('_GNUBOARD_')) exit;\n"
            f"// written by `stockd gnuboard install`\nreturn array(\n{lines});\n"
        )
    _owned_as(core, fresh)
    fresh.chmod(0o600 | (stat.S_IMODE(core.stat().st_mode) & 0o044))
    fresh.replace(file)


def remove(root: Path) -> None:
    """Takes out the loader first, then the rest. The tables and their rows stay."""
    (root / LOADER).unlink(missing_ok=True)
    shutil.rmtree(root / PLUGIN, ignore_errors=True)
    (root / CONFIG).unlink(missing_ok=True)


def faults(root: Path, settings: Settings) -> list[str]:
    """What is wrong, one line each, [] when all is well."""
    found = [f"{name}: differs from this version, run install again" for name in _changed(root)]
    if not (root / CONFIG).is_file():
        found.append(f"{CONFIG} is missing: run install")
    try:
        same_place(root, settings)
    except ConfigError as error:
        found.append(str(error))
    return found + _database_faults(settings)


def armed(settings: Settings) -> int:
    """How many conditions are armed now, read as ``desk``."""
    with _engine(settings, "desk").connect() as connection:
        table = _table(settings, "condition")
        where = "enabled = 1 AND deleted_at IS NULL"
        return int(connection.scalar(sa.text(f"SELECT COUNT(*) FROM {table} WHERE {where}")) or 0)


def _changed(root: Path) -> list[str]:
    files = [LOADER, *(one.relative_to(source()) for one in (source() / PLUGIN).rglob("*"))]
    return [
        str(one)
        for one in files
        if (source() / one).is_file() and _hash(source() / one) != _hash(root / one)
    ]


def _database_faults(settings: Settings) -> list[str]:
    found: list[str] = []
    try:
        with _engine(settings, "site").connect() as connection:
            places = [_table(settings, name) for name in TABLES]
            places += [f"`{settings.mariadb.database}`.`{name}`" for name in VIEWS]
            for place in places:
                try:
                    connection.execute(sa.text(f"SELECT 1 FROM {place} LIMIT 1"))
                except SQLAlchemyError as error:
                    found.append(f"{place}: {_said(error)}")
    except (SQLAlchemyError, ConfigError) as error:
        found.append(f"database user of the site: {_said(error)}")
    return found


def _said(error: Exception) -> str:
    return str(getattr(error, "orig", error)).splitlines()[0]


def _engine(settings: Settings, role: str) -> sa.Engine:
    return make_engine(database_url(settings.mariadb, role), autocommit=True)


def _table(settings: Settings, name: str) -> str:
    database = settings.site.database or settings.mariadb.database
    return f"`{database}`.`{settings.site.prefix}stockd_{name}`"


def _hash(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _php(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _owned_as(model: Path, *files: Path) -> None:
    """Gives ``files`` to the owner of ``model`` where we may."""
    owner = model.stat()
    for file in files:
        try:
            os.chown(file, owner.st_uid, owner.st_gid)
        except PermissionError:
            return
