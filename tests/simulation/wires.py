"""The clock of the lives, and database connections that keep it and that break when a life says so.

A connection is PyMySQL's own, under the engine that production makes. It differs in four things:
the simulated time goes with the statement, a fault can strike before any statement and on either
side of a COMMIT, and nothing is asked of the server that changes nothing (a ping; a COMMIT or
ROLLBACK after nothing but plain reads, which under READ COMMITTED hold neither lock nor view): of
300 round trips to a life 130 were that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pymysql.connections import Connection
from pymysql.constants import CLIENT
from pymysql.err import OperationalError

from db.engines import make_engine
from trading.clock import KST

START = datetime(2026, 11, 23, 10, 0, tzinfo=KST).timestamp()
SERVER_LOST = 2013


class Killed(BaseException):
    """kill -9 of the process that runs now. Not an Exception: nothing may catch it."""


@dataclass
class Clock:
    """True time, and what MariaDB believes."""

    true: float = START
    jump: float = 0.0

    @property
    def db(self) -> float:
        return self.true + self.jump

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.db, UTC).astimezone(KST)


@dataclass
class Wires:
    """What all connections of a world share. ``meet(commit)`` says what happens to the statement
    or COMMIT that is about to be sent: "" or a fault of ``BREAKS``."""

    clock: Clock
    meet: Callable[[bool], str] = lambda commit: ""


# how a connection can end; "after": the COMMIT was carried out, and nobody was told
BREAKS = ("lost", "killed", "lost after", "killed after")


class SimConnection(Connection):
    wires: Wires | None = None  # None while it is being opened
    _told: float | None = None
    _touched = False

    def __init__(self, *args: Any, **values: Any) -> None:
        self._prepared: dict[str, str] = {}  # a compound statement's handle: its text
        super().__init__(*args, **values)

    def query(self, sql: str | bytes, unbuffered: bool = False) -> int:
        text = self._text(sql if isinstance(sql, str) else sql.decode(self.encoding))
        self._touched = self._touched or not _only_reads(text)
        if self.wires is None:
            return super().query(sql, unbuffered)  # type: ignore[no-any-return]
        how = self.wires.meet(False)
        if how:
            self._break(how)
        # a compound statement brings its own COMMIT: it goes wrong as a COMMIT does
        how = self.wires.meet(True) if _commits_itself(text) else ""
        if how in ("lost", "killed"):
            self._break(how)
        done = self._query_at(sql, unbuffered)
        if how:
            self._break(how)
        return done

    def _text(self, sql: str) -> str:
        """What a statement does: that of a compound statement is told when it is prepared."""
        word, _, rest = sql.partition(" ")
        if word == "PREPARE":
            handle, _, text = rest.partition(" FROM ")
            self._prepared[handle] = text.strip("'").replace("\\n", " ")
            return "SELECT "
        return self._prepared[rest.partition(" ")[0]] if word == "EXECUTE" else sql

    def _query_at(self, sql: str | bytes, unbuffered: bool) -> int:
        assert self.wires is not None
        now = self.wires.clock.db
        if now == self._told:
            return super().query(sql, unbuffered)  # type: ignore[no-any-return]
        self._told = now
        if isinstance(sql, str):
            sql = sql.encode(self.encoding)
        super().query(f"SET timestamp = {now:.6f};".encode() + sql)
        return self.next_result(unbuffered)  # type: ignore[no-any-return]

    def commit(self) -> None:
        if not self._touched:
            return
        how = self.wires.meet(True) if self.wires else ""
        if how in ("", "lost after", "killed after"):
            super().commit()
            self._touched = False
        if how:
            self._break(how)

    def rollback(self) -> None:
        if self._touched:
            super().rollback()
            self._touched = False

    def ping(self, reconnect: bool = False) -> None:
        """The pool asks before each use. This server is there, and a broken one is not kept."""

    def _break(self, how: str) -> None:
        """The connection is gone, and with it what was not committed."""
        self._force_close()
        if how.startswith("killed"):
            raise Killed
        raise OperationalError(SERVER_LOST, "Lost connection to server during query")


def _commits_itself(text: str) -> bool:
    return text.startswith("BEGIN NOT ATOMIC") and "COMMIT;" in text


def _only_reads(text: str) -> bool:
    if text.startswith("BEGIN NOT ATOMIC"):
        return "START TRANSACTION" not in text
    return text.lstrip().startswith(("SELECT ", "SELECT\n")) and "FOR UPDATE" not in text


def sim_engine(url: str, wires: Wires) -> sa.Engine:
    """The engine of production on connections of ours."""
    engine = make_engine(url, pool_size=6)

    @sa.event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: Any, values: dict[str, Any]) -> SimConnection:
        flags = values.get("client_flag", 0) | CLIENT.MULTI_STATEMENTS
        # (a TLS context costs more than a hundred statements, and the socket wants none)
        return SimConnection(*args, **{**values, "client_flag": flags, "ssl_disabled": True})

    @sa.event.listens_for(engine, "checkout")
    def _ready(connection: SimConnection, *_: Any) -> None:
        connection.wires = wires

    @sa.event.listens_for(engine, "handle_error")
    def _alone(context: Any) -> None:
        context.invalidate_pool_on_disconnect = False  # one connection is lost, not the server

    return engine
