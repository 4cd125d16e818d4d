"""SQLAlchemy engines on PyMySQL: one way to reach MariaDB, the same session settings everywhere."""

from __future__ import annotations

from datetime import datetime

from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions, convert_datetime
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from trading.errors import ConfigError

# Set once a connection, before the first statement. KST: NOW() and EVENT schedules then speak the
# time that stands in the tables.
SQL_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY"
)
# A host that is cut off in the middle of a transaction is not seen to be gone for a quarter of an
# hour (TCP's retries); its locks must not stop the host that takes over. After these seconds of
# silence the server ends the session, and the transaction is rolled back as if it had been killed.
SILENT_WRITER_S, SILENT_READER_S = 5, 30
SESSION = (
    f"SET SESSION time_zone = '+09:00', sql_mode = '{SQL_MODE}', innodb_lock_wait_timeout = 5,"
    # also for transactions that a compound statement makes (db/round_trip.py)
    " tx_isolation = 'READ-COMMITTED',"
    f" idle_write_transaction_timeout = {SILENT_WRITER_S},"
    f" idle_transaction_timeout = {SILENT_READER_S}"
)

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_S = 15


def read_datetime(text: str | bytes) -> datetime | str:
    """A DATETIME column, naive KST. PyMySQL's own pattern match takes ten times as long, and the
    trader reads eighty of them a look; what is no date is left to it."""
    if isinstance(text, bytes):
        text = text.decode("ascii")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return convert_datetime(text)  # type: ignore[no-any-return]


CONVERSIONS = {
    **conversions,
    FIELD_TYPE.DATETIME: read_datetime,
    FIELD_TYPE.TIMESTAMP: read_datetime,
}


def make_engine(
    url: str | URL,
    *,
    autocommit: bool = False,
    direct: bool = False,
    pool_size: int = 3,
    read_timeout_s: int = STATEMENT_TIMEOUT_S,
) -> Engine:
    """An engine that has not connected yet.

    ``autocommit=True`` is for pollers: each SELECT then sees what is committed now. ``direct=True``
    is autocommit for who must answer at once: no question to the server when a connection is taken
    or returned, so the first statement finds out whether it still lives. ``url`` is
    ``mysql+pymysql://user:password@host:port/stockd``, or with ``?unix_socket=/path``.
    Raises ConfigError when the URL cannot be read or names another driver.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("database url", "cannot be read as a SQLAlchemy URL") from error
    if parsed.drivername != "mysql+pymysql":
        raise ConfigError("database url", f"starts with {parsed.drivername}, not mysql+pymysql")
    return create_engine(
        parsed,
        # READ COMMITTED: nobody keeps seeing an old snapshot, and copies out of `market` do not
        # deadlock with its writer
        isolation_level="AUTOCOMMIT" if autocommit or direct else "READ COMMITTED",
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=CONNECT_TIMEOUT_S,
        pool_pre_ping=not direct,
        pool_reset_on_return=None if direct else "rollback",
        skip_autocommit_rollback=direct,
        pool_recycle=3600,
        hide_parameters=True,  # a password or an account must not get into an error's text (P13)
        connect_args={
            "charset": "utf8mb4",
            "conv": CONVERSIONS,
            "init_command": SESSION,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "read_timeout": read_timeout_s,
            "write_timeout": STATEMENT_TIMEOUT_S,
        },
    )
