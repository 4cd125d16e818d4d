"""Makes the MariaDB users and brings their rights to exactly what `db/grants.py` says.

Only differences are granted and revoked: a running daemon never loses a right for a moment because
somebody migrates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

from db.grants import ADMIN, CALLS, CONDITION, CONDITION_LOG, HALT, RIGHTS, user_name
from db.script import raw
from trading.errors import ConfigError


class Held(NamedTuple):
    """A right as the server holds it; column "" is the whole table."""

    schema: str
    table: str
    verb: str
    column: str


class Place(NamedTuple):
    """Where things stand: database, the conditions' database and prefix, users' host and prefix."""

    database: str
    site_database: str
    prefix: str
    user_host: str
    user_prefix: str

    def table(self, name: str) -> tuple[str, str]:
        """Schema and real name of a table of ``db.grants``."""
        real = {
            CONDITION: "stockd_condition",
            CONDITION_LOG: "stockd_condition_log",
            HALT: "stockd_halt",
        }.get(name)
        return (self.site_database, self.prefix + real) if real else (self.database, name)

    def account(self, role: str) -> str:
        """``'stockd_market'@'%'``, quoted."""
        return f"'{user_name(role, self.user_prefix)}'@'{self.user_host}'"


def sync_users(connection: Connection, place: Place, passwords: Mapping[str, str]) -> None:
    """Create each role's user of ``passwords``, set its password, make its rights exact."""
    unknown = set(passwords) - {ADMIN, *RIGHTS}
    if unknown:
        raise ConfigError("database passwords", f"no such role: {', '.join(sorted(unknown))}")
    for role, password in passwords.items():
        if not password:
            raise ConfigError(f"database passwords {role}", "is empty")
        account = place.account(role)
        secret = {"password": password}
        connection.execute(
            text(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY :password"), secret
        )
        connection.execute(text(f"ALTER USER {account} IDENTIFIED BY :password"), secret)
        if role != ADMIN:
            _sync_rights(connection, place, role)


def grant_admin(connection: Connection, place: Place, password: str) -> None:
    """Make the owner of the EVENTs and views before they are made: all rights on the database,
    the conditions' three tables, nothing global."""
    account = place.account(ADMIN)
    secret = {"password": password}
    connection.execute(text(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY :password"), secret)
    raw(connection, f"GRANT ALL PRIVILEGES ON `{place.database}`.* TO {account}")
    if place.site_database != place.database:
        for name in (CONDITION, CONDITION_LOG, HALT):
            schema, table = place.table(name)
            raw(connection, f"GRANT ALL PRIVILEGES ON `{schema}`.`{table}` TO {account}")


def _wanted(place: Place, role: str) -> set[Held]:
    return {
        Held(*place.table(right.table), right.verb, column)
        for right in RIGHTS[role]
        for column in right.columns or ("",)
    }


def _held(connection: Connection, account: str) -> set[Held]:
    tables = connection.execute(
        text(
            "SELECT TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE, '' FROM "
            "information_schema.TABLE_PRIVILEGES WHERE GRANTEE = :account "
            "UNION ALL SELECT TABLE_SCHEMA, TABLE_NAME, PRIVILEGE_TYPE, COLUMN_NAME FROM "
            "information_schema.COLUMN_PRIVILEGES WHERE GRANTEE = :account"
        ),
        {"account": account},
    )
    return {Held(*row) for row in tables}


def rights_wanted(place: Place, role: str) -> set[Held]:
    """What `db/grants.py` gives a role, as the server would hold it."""
    return _wanted(place, role)


def rights_held(connection: Connection, place: Place, role: str) -> tuple[set[Held], set[Held]]:
    """(rights on single tables of ours, rights wider than a table) of the role that signed in."""
    account = place.account(role)
    here = {place.database, place.site_database}
    narrow = {right for right in _held(connection, account) if right.schema in here}
    wide = connection.execute(
        text(
            "SELECT TABLE_SCHEMA, '*', PRIVILEGE_TYPE, '' FROM information_schema.SCHEMA_PRIVILEGES"
            " WHERE GRANTEE = :account AND TABLE_SCHEMA IN (:database, :site)"
            " UNION ALL SELECT '*', '*', PRIVILEGE_TYPE, '' FROM information_schema.USER_PRIVILEGES"
            " WHERE GRANTEE = :account AND PRIVILEGE_TYPE <> 'USAGE'"
        ),
        {"account": account, "database": place.database, "site": place.site_database},
    )
    return narrow, {Held(*row) for row in wide}


def _sync_rights(connection: Connection, place: Place, role: str) -> None:
    account = place.account(role)
    here = {place.database, place.site_database}
    # another stockd on this server may share the users: its databases are left alone
    held = {right for right in _held(connection, account) if right.schema in here}
    wanted = _wanted(place, role)
    for right in sorted(wanted - held):
        raw(connection, f"GRANT {_spell(right)} TO {account}")
    for right in sorted(held - wanted):
        raw(connection, f"REVOKE {_spell(right)} FROM {account}")
    _drop_wide_rights(connection, place, account)
    for procedure in CALLS.get(role, ()):
        raw(connection, f"GRANT EXECUTE ON PROCEDURE `{place.database}`.`{procedure}` TO {account}")


def _spell(right: Held) -> str:
    column = f" (`{right.column}`)" if right.column else ""
    return f"{right.verb}{column} ON `{right.schema}`.`{right.table}`"


def _drop_wide_rights(connection: Connection, place: Place, account: str) -> None:
    wide = connection.execute(
        text(
            "SELECT TABLE_SCHEMA, PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES "
            "WHERE GRANTEE = :account AND TABLE_SCHEMA IN (:database, :site)"
        ),
        {"account": account, "database": place.database, "site": place.site_database},
    ).all()
    for schema, verb in wide:
        raw(connection, f"REVOKE {verb} ON `{schema}`.* FROM {account}")
    everywhere = connection.execute(
        text(
            "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES "
            "WHERE GRANTEE = :account AND PRIVILEGE_TYPE <> 'USAGE'"
        ),
        {"account": account},
    ).scalars()
    for verb in list(everywhere):
        raw(connection, f"REVOKE {verb} ON *.* FROM {account}")
