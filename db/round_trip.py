"""What belongs together in one round trip: a compound statement of MariaDB and all its answers.

Between two processes that answer at once a round trip costs more than most statements do: two
wake-ups, and Python's way through driver and SQLAlchemy each time (docs/adr/0012). Its text is
parsed once a connection (PREPARE); from then on only the values travel (EXECUTE … USING).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from types import SimpleNamespace
from typing import Any

from pymysql.err import MySQLError
from sqlalchemy import Connection, exc

# what stands at the head of a compound statement that writes: nothing is left half done or locked
ATOMIC = """
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
"""
_NAME = re.compile(r"(?<![:\w]):(\w+)")
_HELD = "stockd.prepared"  # in the connection's own notes, which end with it


@dataclass(frozen=True, slots=True)
class Compound:
    """``text`` with ``?`` for each of ``names``; ``handle`` is what it is called once prepared."""

    text: str
    names: tuple[str, ...]
    handle: str

    @property
    def execute(self) -> str:
        using = f" USING {', '.join(['%s'] * len(self.names))}" if self.names else ""
        return f"EXECUTE {self.handle}{using}"


def compound(body: str) -> Compound:
    """``body`` with ``:names`` for its values as one statement; composed once."""
    text = f"BEGIN NOT ATOMIC {_NAME.sub('?', body)} END"
    mark = sha1(text.encode(), usedforsecurity=False).hexdigest()[:12]
    return Compound(text, tuple(_NAME.findall(body)), f"stockd_{mark}")


def answers(
    connection: Connection, statement: Compound, values: Mapping[str, Any]
) -> list[list[SimpleNamespace]]:
    """The rows of every SELECT in ``statement``, in order.

    Errors are SQLAlchemy's, as of any other statement.
    """
    held = connection.info.setdefault(_HELD, set())
    if statement.handle not in held:
        connection.exec_driver_sql(f"PREPARE {statement.handle} FROM %s", (statement.text,))
        held.add(statement.handle)
    asked = tuple(values[name] for name in statement.names)
    cursor = connection.exec_driver_sql(statement.execute, asked).cursor
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
