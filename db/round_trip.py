"""What belongs together in one round trip: a compound statement of MariaDB and all its answers.

Between two processes that answer at once a round trip costs more than most statements do: two
wake-ups, and Python's way through driver and SQLAlchemy each time (docs/adr/0012).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from pymysql.err import MySQLError
from sqlalchemy import Connection, exc, text
from sqlalchemy.dialects.mysql import pymysql

# what stands at the head of a compound statement that writes: nothing is left half done or locked
ATOMIC = """
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
"""


def compound(body: str) -> str:
    """``body`` with ``:names`` as one statement with the driver's own marks; composed once."""
    return str(
        text(f"BEGIN NOT ATOMIC {body} END").compile(dialect=pymysql.dialect(paramstyle="pyformat"))
    )


def answers(
    connection: Connection, statement: str, values: Mapping[str, Any]
) -> list[list[SimpleNamespace]]:
    """The rows of every SELECT in ``statement`` (made by ``compound``), in order.

    Errors are SQLAlchemy's, as of any other statement.
    """
    cursor = connection.exec_driver_sql(statement, dict(values)).cursor
    found: list[list[SimpleNamespace]] = []
    try:
        while cursor is not None and cursor.description is not None:
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
            found.append([SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows])
            if not cursor.nextset():
                break
    except MySQLError as error:  # of a later statement: SQLAlchemy has seen only the first
        connection.invalidate()
        raise exc.DBAPIError.instance(
            None, None, error, MySQLError, hide_parameters=True, connection_invalidated=True
        ) from error
    if cursor is not None:
        cursor.close()
    return found
