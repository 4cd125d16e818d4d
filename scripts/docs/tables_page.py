"""The table reference: columns from `db.tables`, Korean from the SQL comments, rights from
`db.grants`, and what those do not say from the words beside this file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, Table
from sqlalchemy.dialects import mysql

from db.grants import CONDITION, CONDITION_LOG, HALT, RIGHTS, VIEWS
from db.tables import METADATA, condition_tables

SQL = Path(__file__).resolve().parents[2] / "db" / "sql"
WORDS = Path(__file__).with_name("tables_words.toml")
OF_THE_SITE = {"condition": CONDITION, "log": CONDITION_LOG, "halt": HALT}
TEXT = r"'((?:[^']|'')*)'"

HEAD = {
    "ko": """# 테이블 참조

데이터베이스 `stockd`. 시각은 모두 KST `DATETIME(6)`, 돈은 원 단위 정수, 평균가와 비율은
`DECIMAL`, 종목은 글자입니다. 계좌는 설정의 이름으로만 적히고 번호는 어디에도 없습니다. SQL
클라이언트로 볼 때는 `stockd_reader` 로: `stockd db url --role reader`. 쓰는 이와 읽는 이는
MariaDB 가 지키는 권한입니다 (`db/grants.py`).

이 쪽은 `db/tables.py` 와 SQL 의 설명에서 만들어집니다 (`make docs`).
""",
    "en": """# Table reference

Database `stockd`. Times are KST `DATETIME(6)`, money is whole won, average prices and
ratios are `DECIMAL`, symbols are strings. An account stands under its label from the
settings, never by number. Read the tables as `stockd_reader`: `stockd db url --role
reader`. Who writes and who reads is what MariaDB enforces (`db/grants.py`).

This page is made from `db/tables.py` and the comments in the SQL (`make docs`).
""",
}
COLUMNS = {"ko": "| 열 | 형 | 뜻 |", "en": "| column | type | meaning |"}
SAYS = {
    "ko": {"writes": "쓰는 이", "reads": "읽는 이", "key": "키", "null": "빈 값 있음"},
    "en": {"writes": "written by", "reads": "read by", "key": "key", "null": "may be empty"},
}
VIEWS_HEAD = {
    "ko": "\n## 뷰\n\n사이트와 SQL 클라이언트가 읽는 것. 계좌번호도 비밀도 없습니다.\n",
    "en": "\n## Views\n\nWhat the site and SQL clients read. No account number, no secret.\n",
}


def tables() -> Iterator[tuple[str, str, Table]]:
    """(name to show, name in the grants, table), conditions first."""
    for role_name, table in zip(OF_THE_SITE, condition_tables(prefix=""), strict=True):
        yield f"{{prefix}}{table.name}", OF_THE_SITE[role_name], table
    for name, table in METADATA.tables.items():
        yield name, name, table


def comments() -> dict[str, str]:
    """``{"market": …, "market.price": …}`` from every SQL file."""
    found: dict[str, str] = {}
    for path in (SQL / "condition.sql", *sorted((SQL / "migrations").glob("*.sql"))):
        table = column = ""
        for line in path.read_text("utf-8").splitlines():
            if named := re.match(
                r"(?:CREATE TABLE(?: IF NOT EXISTS)?|ALTER TABLE) `?(?:\{P\})?(\w+)", line
            ):
                table, column = named[1], ""
            elif (of_table := re.search(rf"^\).* COMMENT={TEXT}", line)) and table:
                found[table] = of_table[1]
            elif table:
                if begun := re.match(r"\s+(?:ADD COLUMN )?`?(\w+)`?\s+[A-Z]", line):
                    column = begun[1]
                if column and (said := re.search(rf"COMMENT {TEXT}", line)):
                    found[f"{table}.{column}"] = said[1].replace("''", "'")
    return found


def words() -> dict[str, dict[str, list[str] | str]]:
    """Parts ``table``, ``column`` (its name, or ``table.column``), ``view``: [Korean, English]."""
    found: dict[str, dict[str, list[str] | str]] = tomllib.loads(WORDS.read_text("utf-8"))
    return found


def meaning(table: str, column: str, language: str, sql: dict[str, str]) -> str:
    """What a column means. KeyError names the column nobody has described."""
    own = words()["column"]
    said = own.get(f"{table}.{column}") or own.get(column)
    if language == "ko" and f"{table}.{column}" in sql:
        return sql[f"{table}.{column}"]
    if said is None:
        raise KeyError(f"{table}.{column}: no words in {WORDS.name}")
    return str(said[("ko", "en").index(language)])


def page(language: str) -> str:
    """The reference as Markdown."""
    sql, own, out, says = comments(), words(), [HEAD[language]], SAYS[language]
    for shown, granted, table in tables():
        lead = str(own["table"][table.name][("ko", "en").index(language)])
        out.append(f"\n## `{shown}` {{ #{table.name} }}\n\n{lead}\n\n{_rights(granted, says)}\n")
        out.append(f"{COLUMNS[language]}\n| --- | --- | --- |")
        for column in table.columns:
            about = meaning(table.name, column.name, language, sql).replace("|", "\\|")
            out.append(f"| `{column.name}` | {_type(column, says)} | {about} |")
    out.append(VIEWS_HEAD[language])
    out += [f"- `{v}`: {own['view'][v][('ko', 'en').index(language)]}" for v in VIEWS]
    return "\n".join(out) + "\n"


def _type(column: Column[object], says: dict[str, str]) -> str:
    name = column.type.compile(dialect=mysql.dialect()).lower()
    return name + (f", {says['key']}" if column.primary_key else "") + (
        f", {says['null']}" if column.nullable else ""
    )  # fmt: skip


def _rights(table: str, says: dict[str, str]) -> str:
    writers = [
        r
        for r, rights in RIGHTS.items()
        if any(x.table == table and x.verb != "SELECT" for x in rights)
    ]
    readers = [
        r for r, rights in RIGHTS.items()
        if r not in writers and any(x.table == table for x in rights)
    ]  # fmt: skip
    parts = [(says["writes"], writers or ["admin"]), (says["reads"], readers)]
    return " · ".join(f"{word}: {', '.join(f'`{r}`' for r in who)}" for word, who in parts if who)
