"""Brings a MariaDB to what this version of stockd needs. Forward only, numbered, idempotent.

Order: database → `migrations/NNNN_*.sql` (each once) → `condition.sql` → users → views, procedures
and EVENTs (made anew every time) → partitions. DDL cannot be rolled back in MariaDB, so the number
of statements done is kept for each file, and a run that was cut short goes on where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from db.engines import SESSION
from db.errors import error_code, mapped
from db.grants import ADMIN, CALLS, RIGHTS
from db.script import SqlFile, raw, sql_file, sql_folder, statements
from db.users import Place, grant_admin, sync_users
from trading.errors import ConfigError

# months kept, 0 = for ever
RETENTION: Mapping[str, int] = {"bar": 24, "asset_history": 60}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_PREFIX = re.compile(r"[A-Za-z0-9_]{0,20}")
_HOST = re.compile(r"[A-Za-z0-9_.:%/-]{1,60}")
_ALREADY_THERE = frozenset({1050, 1060, 1061, 1091})  # table, column or key exists, or is gone

_MADE_ANEW = 0  # its row in schema_version

_SCHEMA_VERSION = """
CREATE TABLE IF NOT EXISTS schema_version (
  version    INT UNSIGNED NOT NULL,
  name       VARCHAR(80) NOT NULL,
  checksum   CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  statements INT UNSIGNED NOT NULL COMMENT '실행된 문장 수',
  applied_at DATETIME(6) NULL COMMENT 'NULL: 중간에 끊김',
  PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='적용된 마이그레이션'
"""


def migrate(
    admin_engine: Engine,
    *,
    database: str = "stockd",
    site_database: str | None = None,
    prefix: str = "",
    passwords: Mapping[str, str],
    user_host: str = "%",
    user_prefix: str = "stockd_",
    retention: Mapping[str, int] | None = None,
) -> int:
    """Migrate and return the schema version. ``admin_engine`` signs in as someone who may create
    databases and users (root); its URL needs no database.

    ``retention`` is table → months kept (0 for ever); a table that is not named keeps what it has.
    ``passwords`` is role → password (db.grants.ROLES); roles not named get no user. Raises
    ConfigError when an applied file has changed since or the database is newer than this version,
    Unavailable when the server is not there.
    """
    place = _place(database, site_database or database, prefix, user_host, user_prefix)
    unknown = set(retention or ()) - set(RETENTION)
    if unknown:
        raise ConfigError("database retention", f"no such table: {', '.join(sorted(unknown))}")
    with mapped(), _alone(admin_engine, place) as connection:
        version = _run_migrations(connection)
        _use(connection, place.site_database)
        _run(connection, sql_file("condition.sql"), {"{P}": place.prefix})
        _use(connection, place.database)
        definer = "CURRENT_USER"
        if ADMIN in passwords:
            grant_admin(connection, place, passwords[ADMIN])
            definer = place.account(ADMIN)
        for file in (*sql_folder("events"), sql_file("views.sql")):
            _run(connection, file, {"{DEFINER}": definer})
        _keep_settings(connection, retention or {})
        for table in RETENTION:
            raw(connection, f"CALL roll_partitions('{table}', DATE(NOW()), @changed)")
        sync_users(connection, place, passwords)
        _sign(connection)
    return version


def check(engine: Engine) -> int:
    """The schema version of the database of ``engine``; ConfigError unless it is this program's."""
    needed = {_number(file): _checksum(file) for file in sql_folder("migrations")}
    needed[_MADE_ANEW] = _checksum(_made_anew())
    with mapped(), engine.connect() as connection:
        try:
            found = connection.execute(
                text("SELECT version, checksum FROM schema_version WHERE applied_at IS NOT NULL")
            ).all()
        except DBAPIError as error:
            if error_code(error) not in (1142, 1146):  # no right, no table
                raise
            found = []
    version, newest = max((row.version for row in found), default=0), max(needed)
    if version > newest:
        raise ConfigError("database schema", f"is {version}, this program knows {newest}")
    if {row.version: row.checksum for row in found} != needed:
        raise ConfigError("database schema", f"is not that of version {newest}: run the migration")
    return newest


def event_scheduler_is_on(engine: Engine) -> bool:
    """Whether the server runs EVENTs. It is OFF by default and SET GLOBAL is lost at a restart."""
    with mapped(), engine.connect() as connection:
        return str(connection.scalar(text("SELECT @@event_scheduler"))).upper() == "ON"


def _place(database: str, site: str, prefix: str, host: str, user_prefix: str) -> Place:
    for key, value, pattern in (
        ("database name", database, _NAME),
        ("site database name", site, _NAME),
        ("table prefix", prefix, _PREFIX),
        ("user host", host, _HOST),
        ("user prefix", user_prefix, _NAME),
    ):
        if not pattern.fullmatch(value):
            raise ConfigError(key, f"{value!r} is not a name stockd can use")
    return Place(database, site, prefix, host, user_prefix)


@contextmanager
def _alone(engine: Engine, place: Place) -> Iterator[Connection]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # USE must not leak into the pool
        raw(connection, SESSION)
        raw(
            connection,
            f"CREATE DATABASE IF NOT EXISTS `{place.database}` "
            "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
        )
        _use(connection, place.database)
        lock = {"name": f"migrate:{place.database}"}
        if connection.scalar(text("SELECT GET_LOCK(:name, 60)"), lock) != 1:
            raise ConfigError("database schema", "another migration has been running for a minute")
        raw(connection, _SCHEMA_VERSION)
        yield connection


def _run_migrations(connection: Connection) -> int:
    applied = {
        row.version: row for row in connection.execute(text("SELECT * FROM schema_version")).all()
    }
    known = {_number(file): file for file in sql_folder("migrations")}
    newer = set(applied) - set(known) - {_MADE_ANEW}
    if newer:
        raise ConfigError("database schema", f"has version {max(newer)}, newer than this program")
    for version, file in sorted(known.items()):
        row = applied.get(version)
        if row is not None and row.checksum != _checksum(file):
            raise ConfigError("database schema", f"{file.name} has changed since it was applied")
        if row is None or row.applied_at is None:
            _apply(connection, version, file, row.statements if row else 0)
    return max(known)


def _apply(connection: Connection, version: int, file: SqlFile, done: int) -> None:
    key = {"version": version}
    if not done:
        connection.execute(
            text("INSERT IGNORE INTO schema_version VALUES (:version, :name, :checksum, 0, NULL)"),
            key | {"name": file.name, "checksum": _checksum(file)},
        )
    for number, statement in enumerate(statements(file.text), start=1):
        if number <= done:
            continue
        try:
            raw(connection, statement)
        except DBAPIError as error:
            # cut off between a statement and its count: it is there already
            if number != done + 1 or error_code(error) not in _ALREADY_THERE:
                raise
        connection.execute(
            text("UPDATE schema_version SET statements = :done WHERE version = :version"),
            key | {"done": number},
        )
    connection.execute(
        text("UPDATE schema_version SET applied_at = NOW(6) WHERE version = :version"), key
    )


def _made_anew() -> SqlFile:
    # what every migration makes anew, as one text: a program with other EVENTs or rights than the
    # database has must not start
    files = (*sql_folder("events"), sql_file("views.sql"), sql_file("condition.sql"))
    rights = repr([(role, RIGHTS[role], CALLS.get(role)) for role in sorted(RIGHTS)])
    return SqlFile("made anew", "\n".join([*(file.text for file in files), rights]))


def _sign(connection: Connection) -> None:
    connection.execute(
        text(
            "INSERT INTO schema_version VALUES (:version, 'made anew', :checksum, 0, NOW(6)) "
            "ON DUPLICATE KEY UPDATE applied_at = IF(checksum = VALUES(checksum), applied_at, "
            "VALUES(applied_at)), checksum = VALUES(checksum)"
        ),
        {"version": _MADE_ANEW, "checksum": _checksum(_made_anew())},
    )


def _keep_settings(connection: Connection, retention: Mapping[str, int]) -> None:
    """What is told is written; the first time also what is not. A month dropped is gone, so
    nothing that a person has set is put back to what it was at first."""
    for table, at_first in RETENTION.items():
        months = retention.get(table)
        if months is not None and months < 0:
            raise ConfigError(f"database retention {table}", f"{months} months: 0 or more")
        kept = (
            ""
            if months is None
            else (
                "updated_at = IF(value = VALUES(value), updated_at, VALUES(updated_at)), "
                "value = VALUES(value)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO setting VALUES (:name, :value, NOW(6)) ON DUPLICATE KEY UPDATE "
                + (kept or "value = setting.value")
            ),
            {
                "name": f"retention_months_{table}",
                "value": str(at_first if months is None else months),
            },
        )


def _run(connection: Connection, file: SqlFile, places: Mapping[str, str]) -> None:
    body = file.text
    for mark, value in places.items():
        body = body.replace(mark, value)
    for statement in statements(body):
        raw(connection, statement)


def _use(connection: Connection, database: str) -> None:
    raw(connection, f"USE `{database}`")


def _number(file: SqlFile) -> int:
    return int(file.name.split("_", 1)[0])


def _checksum(file: SqlFile) -> str:
    return sha256(file.text.replace("\r\n", "\n").encode()).hexdigest()
