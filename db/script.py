"""Splits our SQL files into statements.

The files follow the `mariadb` client's convention, so that a person can feed them to it: a
statement ends where a line ends with the delimiter, and `DELIMITER //` changes it for bodies that
hold semicolons themselves. Whole-line `--` comments outside bodies are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from sqlalchemy import Connection

from trading.errors import BadInput


class SqlFile(NamedTuple):
    """One file below db/sql/: name without folders, and its text."""

    name: str
    text: str


def sql_file(name: str) -> SqlFile:
    """A single file below db/sql/."""
    return SqlFile(name, files("db").joinpath("sql", name).read_text(encoding="utf-8"))


def sql_folder(name: str) -> list[SqlFile]:
    """The .sql files of a folder below db/sql/, in the order of their names."""
    entries = [e for e in files("db").joinpath("sql", name).iterdir() if e.name.endswith(".sql")]
    entries.sort(key=lambda entry: entry.name)
    return [SqlFile(entry.name, entry.read_text(encoding="utf-8")) for entry in entries]


def statements(text: str) -> Iterator[str]:
    """The statements of a file without their delimiters. BadInput when the last one never ends."""
    delimiter = ";"
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if not lines and (not bare or bare.startswith("--")):
            continue
        if not lines and bare.upper().startswith("DELIMITER "):
            delimiter = bare.split()[1]
            continue
        lines.append(line.rstrip())
        if bare.endswith(delimiter) and not bare.startswith("--"):
            yield "\n".join(lines)[: -len(delimiter)].rstrip()
            lines = []
    if lines:
        raise BadInput("sql", lines[0], f"the statement does not end with {delimiter}")


def raw(connection: Connection, statement: str) -> None:
    """Execute a statement as it stands: without parameters PyMySQL leaves a ``%`` in it alone."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
