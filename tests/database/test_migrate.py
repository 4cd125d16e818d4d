"""Migrations: forward only, checked, idempotent, going on after a cut."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.dialects import mysql

import db.migrate as migration
from db.engines import make_engine
from db.migrate import check, event_scheduler_is_on
from db.script import statements
from db.tables import METADATA, condition_tables
from trading.errors import BadInput, ConfigError, Unavailable


def _server_columns(engine: Engine, schema: str, table: str) -> dict[str, tuple[str, bool, bool]]:
    query = text(
        "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_KEY FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = :schema AND TABLE_NAME = :table"
    )
    with engine.connect() as connection:
        rows = connection.execute(query, {"schema": schema, "table": table}).all()
    return {name: (_plain(kind), null == "YES", key == "PRI") for name, kind, null, key in rows}


def _plain(kind: str) -> str:
    kind = kind.lower().replace(" ", "")
    for word in ("bigint", "int", "smallint", "tinyint"):  # the display width says nothing
        if kind.startswith(word + "("):
            return word + kind[kind.index(")") + 1 :]
    return kind.replace("integer", "int")


def test_the_tables_in_python_are_the_tables_on_the_server(quiet_database) -> None:
    root, name = quiet_database.root(), quiet_database.name
    dialect = mysql.dialect()
    for table in (*METADATA.sorted_tables, *condition_tables()):
        ours = {
            c.name: (_plain(c.type.compile(dialect)), bool(c.nullable), c.primary_key)
            for c in table.columns
        }
        assert ours == _server_columns(root, name, table.name), table.name
    with root.connect() as connection:
        made = set(
            connection.execute(
                text(
                    "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = :name "
                    "AND TABLE_TYPE = 'BASE TABLE'"
                ),
                {"name": name},
            ).scalars()
        )
    assert made == set(METADATA.tables) | {table.name for table in condition_tables()}


def _picture(root: Engine, name: str) -> list[tuple[object, ...]]:
    parts = (
        "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLUMN_DEFAULT FROM "
        "information_schema.COLUMNS WHERE TABLE_SCHEMA = :name ORDER BY 1, 2",
        "SELECT EVENT_NAME, DEFINER, EVENT_DEFINITION, TIME_ZONE, STATUS FROM "
        "information_schema.EVENTS WHERE EVENT_SCHEMA = :name ORDER BY 1",
        "SELECT TABLE_NAME, PARTITION_NAME, PARTITION_DESCRIPTION, '' FROM "
        "information_schema.PARTITIONS WHERE TABLE_SCHEMA = :name ORDER BY 1, 2",
        "SELECT TABLE_NAME, DEFINER, SECURITY_TYPE, VIEW_DEFINITION FROM information_schema.VIEWS "
        "WHERE TABLE_SCHEMA = :name ORDER BY 1",
        "SELECT name, checksum, statements, applied_at FROM schema_version ORDER BY 1",
    )
    with root.connect() as connection:
        return [
            tuple(row) for part in parts for row in connection.execute(text(part), {"name": name})
        ]


def test_migrating_twice_leaves_the_same_database(database) -> None:
    before = _picture(database.root(), database.name)
    with database.root().connect() as connection:
        connection.execute(
            text(
                "INSERT INTO stockd_halt (action, reason, actor, source, at) "
                "VALUES ('HALT', '점심', 'me', 'CLI', NOW(6))"
            )
        )
        connection.commit()
    assert database.migrate() == database.migrate()
    assert _picture(database.root(), database.name) == before
    with database.root().connect() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM stockd_halt")) == 1


def test_events_and_views_belong_to_the_admin_user_in_kst(database) -> None:
    with database.root().connect() as connection:
        events = connection.execute(
            text(
                "SELECT EVENT_NAME, DEFINER, TIME_ZONE, STATUS FROM information_schema.EVENTS "
                "WHERE EVENT_SCHEMA = :name ORDER BY 1"
            ),
            {"name": database.name},
        ).all()
    owner = f"{database.user_prefix}admin@%"
    assert [tuple(event) for event in events] == [
        (name, owner, "+09:00", "ENABLED")
        for name in ("ev_asset_history", "ev_bar_minute", "ev_partitions")
    ]
    assert event_scheduler_is_on(database.engine("reader"))


def test_an_interrupted_migration_is_finished_by_the_next_one(make_database, monkeypatch) -> None:
    database = make_database()
    real, seen = migration.raw, {"n": 0}

    def pull(connection, statement):  # type: ignore[no-untyped-def]
        seen["n"] += bool(re.match(r"\s*CREATE TABLE (?!IF)", statement))
        if "EVENT ev_asset_history" in statement and not seen.setdefault("event", 0):
            seen["event"] = 1
            raise KeyboardInterrupt
        if seen["n"] % 8 == 3:  # before the statement
            seen["n"] += 1
            raise KeyboardInterrupt
        real(connection, statement)
        if seen["n"] % 8 == 7:  # after it, but before it was counted
            seen["n"] += 1
            raise KeyboardInterrupt

    monkeypatch.setattr(migration, "raw", pull)
    cuts = 0
    for _ in range(60):
        try:
            database.migrate()
            break
        except KeyboardInterrupt:
            cuts += 1
            with pytest.raises(ConfigError, match="run the migration"):
                check(database.root())
    assert cuts >= 6
    assert check(database.engine("trader")) == database.migrate()


def test_a_daemon_does_not_start_on_another_schema(database) -> None:
    trader = database.engine("trader")
    version = check(trader)
    with database.root().connect() as connection:
        connection.execute(
            text("INSERT INTO schema_version VALUES (:v, 'later', 'x', 1, NOW(6))"),
            {"v": version + 1},
        )
        connection.commit()
    with pytest.raises(ConfigError, match="knows"):
        check(trader)
    with pytest.raises(ConfigError, match="newer"):
        database.migrate()


def test_an_applied_file_must_not_change(database) -> None:
    with database.root().connect() as connection:
        connection.execute(text("UPDATE schema_version SET checksum = 'other' WHERE version = 1"))
        connection.commit()
    with pytest.raises(ConfigError, match=r"0001_tables\.sql has changed"):
        database.migrate()


def test_a_wrong_setting_is_named(make_database) -> None:
    database = make_database()
    for setting, value in (
        ("database", "stock`d"),
        ("database", ""),
        ("prefix", "g5-'"),
        ("user_host", "%' IDENTIFIED"),
        ("user_prefix", "a b"),
        ("retention", {"bars": 1}),
        ("retention", {"bar": -1}),
    ):
        with pytest.raises(ConfigError):
            database.migrate(**{setting: value})


def test_statements_end_where_a_line_ends_with_the_delimiter() -> None:
    script = "-- why;\n\nSELECT ';'\n, 2;\nDELIMITER //\nBEGIN\n  -- inside;\n  DO 1;\nEND//\n"
    assert list(statements(script)) == ["SELECT ';'\n, 2", "BEGIN\n  -- inside;\n  DO 1;\nEND"]
    with pytest.raises(BadInput, match="does not end"):
        list(statements("SELECT 1\n"))


def test_connections_speak_kst_and_see_what_was_just_committed(quiet_database) -> None:
    poller = quiet_database.engine("trader")
    with poller.connect() as reader, quiet_database.root().connect() as writer:
        row = reader.execute(text("SELECT @@time_zone, @@autocommit, @@character_set_client")).one()
        assert tuple(row) == ("+09:00", 1, "utf8mb4")
        assert "STRICT_ALL_TABLES" in reader.scalar(text("SELECT @@sql_mode"))
        for price in (1, 2):
            writer.execute(text(f"REPLACE market SET symbol = '005930', price = {price}"))
            writer.commit()
            assert reader.scalar(text("SELECT price FROM market")) == price
    with quiet_database.root().connect() as connection:
        assert connection.scalar(text("SELECT @@tx_isolation")) == "READ-COMMITTED"


def test_a_server_that_is_not_there_is_unavailable_and_a_wrong_url_is_named(tmp_path) -> None:
    gone = make_engine(f"mysql+pymysql://x:y@localhost/d?unix_socket={tmp_path}/none")
    with pytest.raises(Unavailable):
        check(gone)
    with pytest.raises(ConfigError, match="sqlite"):
        make_engine("sqlite://")
    with pytest.raises(ConfigError, match="cannot be read"):
        make_engine("hello")


def test_a_wrong_password_stops_the_start(quiet_database) -> None:
    url = quiet_database.engine("trader").url.set(password="wrong")
    with pytest.raises(ConfigError) as caught:
        check(make_engine(url))
    assert "wrong" not in str(caught.value)


def test_asking_for_the_conditions_tables_again_makes_no_new_ones() -> None:
    """The market daemon asks every second; 6 MB a minute stayed behind (found by the soak)."""
    assert condition_tables("site", "g5_") is condition_tables("site", "g5_")
    assert condition_tables("site", "g5_") is not condition_tables(None, "")
