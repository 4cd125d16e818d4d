"""What MariaDB's errors mean to a caller: try again, or stop because a setting is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from trading.errors import ConfigError, Transient, Unavailable

# https://mariadb.com/kb/en/mariadb-error-codes/; 2xxx are the client's
LOST = frozenset({0, 1040, 1053, 1077, 1078, 1152, 1159, 1160, 1161, 1184, 1203, 1226, 1290, 1836})
LOST_CLIENT = frozenset({1927, 2002, 2003, 2006, 2013, 2014, 2055})
CONTENDED = frozenset({1205, 1213, 1020})  # lock wait, deadlock, record changed since the read
LOCKED_OUT = frozenset({1044, 1045, 1049, 1698})  # user, password or database is wrong


def error_code(error: BaseException) -> int | None:
    """MariaDB's number inside an exception of SQLAlchemy or PyMySQL, None if it has none."""
    origin = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    first = origin.args[0] if origin.args else None
    return first if isinstance(first, int) else None


@contextmanager
def mapped() -> Iterator[None]:
    """Turn connection loss into Unavailable, contention into Transient, refused sign-in into
    ConfigError; every other error passes unchanged (it is a bug or a refused statement)."""
    try:
        yield
    except exc.TimeoutError as error:
        raise Unavailable("MariaDB: no free connection in the pool") from error
    except exc.DBAPIError as error:
        code = error_code(error)
        if code in CONTENDED:
            raise Transient(f"MariaDB contention: {_first_line(error)}", str(code)) from error
        if code in LOCKED_OUT:
            raise ConfigError("database url", _first_line(error)) from error
        if error.connection_invalidated or code in LOST or code in LOST_CLIENT:
            raise Unavailable(f"MariaDB: {_first_line(error)}", str(code or "")) from error
        raise


def _first_line(error: exc.DBAPIError) -> str:
    # the server's own words only: the statement may hold what must not be logged
    words = error.orig.args[1:] if error.orig else ()
    return str(words[0]).splitlines()[0][:200] if words and str(words[0]) else "connection lost"
