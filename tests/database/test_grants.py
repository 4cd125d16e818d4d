"""P2: each process is its own MariaDB user, and the server refuses what is not its part."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from db.errors import error_code
from db.grants import CONDITION_TABLES, RIGHTS, TABLES, VERBS, VIEWS, Right, allowed
from db.script import sql_file
from db.users import Place
from trading.errors import ConfigError

DENIED = {1044, 1142, 1143, 1227, 1370}
DDL = {
    "DROP": "DROP TABLE {table}",
    "ALTER": "ALTER TABLE {table} COMMENT = 'x'",
    "TRUNCATE": "TRUNCATE TABLE {table}",
}


def _statement(verb: str, table: str, column: str) -> str:
    """One that reaches the server's check of rights and changes nothing."""
    return {
        "SELECT": f"SELECT {column} FROM {table} WHERE FALSE",
        "INSERT": f"INSERT INTO {table} ({column}) SELECT NULL FROM DUAL WHERE FALSE",
        "UPDATE": f"UPDATE {table} SET {column} = NULL WHERE FALSE",
        "DELETE": f"DELETE FROM {table} WHERE FALSE",
    }[verb]


def _refused(connection, statement: str) -> bool:  # type: ignore[no-untyped-def]
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        if error_code(error) in DENIED:
            return True
        # 1348: a view's column that cannot be written, reached only with the right
        if error_code(error) in (1348, 1288, 1395, 1471):
            return False
        raise
    return False


@pytest.mark.parametrize("where", ["own", "gnuboard"])
def test_every_user_gets_exactly_its_rights_on_every_table(make_database, where) -> None:
    database = make_database()
    if where == "gnuboard":
        database.site, database.prefix = f"{database.name}_g5", "g5_"
        with database.server().connect() as connection:
            connection.execute(text(f"CREATE DATABASE `{database.site}`"))
    database.migrate()
    place = Place(
        database.name, database.site or database.name, database.prefix, "%", database.user_prefix
    )
    seen = inspect(database.root())
    wrong, tried = [], 0
    for role in RIGHTS:
        with database.engine(role).connect() as connection:
            connection.execute(text("SET SESSION sql_mode = ''"))  # no talk of missing defaults
            for name in (*TABLES, *VIEWS, *CONDITION_TABLES):
                schema, table = place.table(name)
                columns = [c["name"] for c in seen.get_columns(table, schema=schema)]
                for verb in VERBS:
                    right = allowed(role, name, verb)
                    narrowed = right is not None and right.columns
                    for column in columns if narrowed else columns[:1]:
                        may = right is not None and (not right.columns or column in right.columns)
                        statement = _statement(verb, f"`{schema}`.`{table}`", f"`{column}`")
                        tried += 1
                        if _refused(connection, statement) == may:
                            wrong.append((role, name, verb, column, may))
                if table not in VIEWS:
                    for statement in DDL.values():
                        tried += 1
                        if not _refused(
                            connection, statement.format(table=f"`{schema}`.`{table}`")
                        ):
                            wrong.append((role, name, statement))
    print(f"{tried} statements tried")
    assert wrong == []


def test_only_the_market_daemon_may_repair_bars(quiet_database) -> None:
    for role in RIGHTS:
        with quiet_database.engine(role).connect() as connection:
            assert _refused(connection, "CALL bar_repair('[]')") == (role != "market"), role
            assert _refused(connection, "CALL event_ended('x', NOW(), 0)"), role
            assert _refused(connection, "CREATE TABLE mine (id INT)"), role


def test_a_right_given_by_hand_is_taken_back_and_nothing_else_moves(quiet_database) -> None:
    user = f"'{quiet_database.user_prefix}trader'@'%'"
    with quiet_database.root().connect() as connection:
        for what in ("DELETE ON strike", "UPDATE (price) ON strike", "ALL ON *"):
            connection.execute(text(f"GRANT {what} TO {user}"))
        connection.execute(text(f"GRANT FILE ON *.* TO {user}"))
    quiet_database.migrate()
    with quiet_database.root().connect() as connection:
        rows = connection.execute(text(f"SHOW GRANTS FOR {user}")).scalars().all()
    strike = [row for row in rows if "`strike`" in row]
    assert len(strike) == 1
    assert strike[0].startswith("GRANT SELECT, INSERT ON")
    assert rows[0].startswith("GRANT USAGE ON *.*")
    assert not any(re.search(r"ON `t_\w+`\.\*", row) for row in rows)


def test_the_promises_read_off_the_data() -> None:
    platform = ("market", "asset_balance", "asset_position")
    assert all(allowed("trader", table, verb) is None for table in platform for verb in VERBS[1:])
    assert not [r for r in RIGHTS["orders"] if r.verb == "DELETE"]
    for role in RIGHTS:
        for table in ("order_event", "fill", "notice", "guard_trip"):
            assert allowed(role, table, "UPDATE") is None
            assert allowed(role, table, "DELETE") is None
    assert {r.table for r in RIGHTS["site"] if r.verb == "SELECT"} == {*VIEWS, *CONDITION_TABLES}
    assert allowed("orders", "strike", "UPDATE") != Right("strike", "UPDATE")
    views = set(re.findall(r"VIEW (v_\w+)", sql_file("views.sql").text))
    assert views == set(VIEWS)


def test_a_password_for_a_role_that_does_not_exist_is_named(make_database) -> None:
    database = make_database()
    with pytest.raises(ConfigError, match="tradr"):
        database.migrate(passwords={"tradr": "x"})
    with pytest.raises(ConfigError, match="market"):
        database.migrate(passwords={"market": ""})
