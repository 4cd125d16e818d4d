"""Writing `market`: all changed rows in one statement, its text made of checked values only.

Escaping each value costs seven times the statement (docs/performance.md), so the text is put
together here from ints and from text that the parser has matched against its patterns. Nothing
that came over the wire as free text gets in.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import pymysql
from pymysql.constants import COMMAND
from sqlalchemy import Engine, delete, exc, select

from db.errors import mapped
from db.tables import market
from trading.clock import KST
from trading.conflation import MinuteBar, StockState
from trading.errors import Unavailable
from trading.ticks import Tick

PEEK = 4096  # an answer longer than this is none that says OK
_OHLC = ("open", "high", "low", "close", "volume", "turnover", "ticks", "gap")
COLUMNS = (
    "symbol", "section", "seq", "price", "price_change", "day_open", "day_high", "day_low", "ask",
    "bid", "last_volume", "day_volume", "day_turnover", "halted", "hour_class", "market_class",
    "vi_price", "drift", "traded_at", "received_at", "recent",
    "bar_at", *(f"bar_{name}" for name in _OHLC),
    "prev_at", *(f"prev_{name}" for name in _OHLC),
)  # fmt: skip
# what a trade within the minute changes: the other half of the row is left alone, which halves the
# statement
SLIM = (
    "symbol", "seq",
    # as kis.parse.parse_figures gives them, in one piece
    "price", "price_change", "day_high", "day_low", "ask", "bid", "last_volume", "day_volume",
    "day_turnover", "traded_at",
    "received_at", "recent", "bar_high", "bar_low", "bar_close", "bar_volume", "bar_turnover",
    "bar_ticks",
)  # fmt: skip
_NO_BAR = "NULL,0,0,0,0,0,0,0,0"


def _statement(columns: Sequence[str]) -> tuple[str, str]:
    updates = ",".join(f"{name}=VALUES({name})" for name in columns[1:])
    return (
        f"INSERT INTO market ({','.join(columns)}) VALUES ",
        f" ON DUPLICATE KEY UPDATE {updates}",
    )


_WHOLE_SQL, _SLIM_SQL = _statement(COLUMNS), _statement(SLIM)


class TickWriter:
    """One connection to `market`, kept, in autocommit: a statement that is answered is committed.

    The caller's loop waits for the answer beside its other sockets: ``send``, then ``finish`` as
    soon as ``fileno`` is readable. For that PyMySQL's two halves of a query are used apart, which
    it does not document (a test holds them); SQLAlchemy makes the connection, and no more.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mysql: Any = None  # a pymysql connection
        self._number = 0  # the server's number of the connection before, 0: none

    @property
    def is_open(self) -> bool:
        """Connected, as far as is known."""
        return self._mysql is not None

    def open(self) -> None:
        """Connect; waits for the server. Unavailable, Transient or ConfigError when it fails."""
        with self._closing_on_error(), mapped():
            pooled = self._engine.raw_connection()
            mysql: Any = pooled.driver_connection
            pooled.detach()  # ours for good: no ping and no rollback around statements
            mysql.autocommit(True)
            self._end_former(mysql)
        self._mysql, self._number = mysql, mysql.thread_id()

    def _end_former(self, mysql: Any) -> None:
        """A server that hung may still hold our last statement: it must not land after new rows."""
        if self._number not in (0, mysql.thread_id()):  # a server that began anew counts anew
            with suppress(pymysql.err.OperationalError, pymysql.err.InternalError):  # it is gone
                mysql.query(f"KILL {self._number}")

    def fileno(self) -> int:
        """For select. Unavailable when not connected."""
        return int(self._connected()._sock.fileno())

    def send(self, rows: Sequence[str], slim: bool = False) -> None:
        """Send rows made by ``row_text``, or by ``slim_text`` for stocks whose row stands.

        One statement is under way at a time. Unavailable when the server is gone.
        """
        head, tail = _SLIM_SQL if slim else _WHOLE_SQL
        with self._closing_on_error():
            text = f"{head}{','.join(rows)}{tail}".encode("ascii")
            self._connected()._execute_command(COMMAND.COM_QUERY, text)

    def finish(self) -> None:
        """Read the answer: the rows are committed. Unavailable or Transient when they are not."""
        with self._closing_on_error():
            if not self._took_ok():
                self._connected()._read_query_result()

    def _took_ok(self) -> bool:
        """Take an answer that says OK and no more, which is nearly every one: PyMySQL's own reading
        costs 12 to 45 us more. Anything else is left where it is, for PyMySQL to read."""
        sock = self._connected()._sock
        if isinstance(sock, ssl.SSLSocket):
            return False
        try:
            answer = sock.recv(PEEK, socket.MSG_PEEK)
        except OSError:  # PyMySQL meets it too, and has a name for it
            return False
        size = len(answer)
        # three bytes of length, one of sequence, then 0: an OK packet, and nothing behind it
        if size < 5 or int.from_bytes(answer[:3], "little") + 4 != size or answer[4] != 0:
            return False
        sock.recv(size)
        return True

    def write(self, rows: Sequence[str], slim: bool = False) -> None:
        """Connect if need be, send and wait."""
        if not self.is_open:
            self.open()
        self.send(rows, slim)
        self.finish()

    def close(self) -> None:
        """Give the connection up; ``open`` makes a new one."""
        mysql, self._mysql = self._mysql, None
        if mysql is not None:
            mysql._force_close()

    def _connected(self) -> Any:
        if self._mysql is None or self._mysql._sock is None:
            raise Unavailable("MariaDB: not connected")
        return self._mysql

    @contextmanager
    def _closing_on_error(self) -> Iterator[None]:
        try:
            yield
        except pymysql.err.Error as error:
            self.close()
            with mapped():
                raise exc.DBAPIError("market", None, error) from error
        except BaseException:
            self.close()
            raise


def row_text(state: StockState, tick: Tick) -> str:
    """The VALUES row of one stock: ``tick`` is its last record, read in full.

    A symbol that is no code is refused here (ValueError), so ``slim_text`` need not look again.
    """
    return (
        f"('{_code(tick.symbol)}',{state.section},{state.seq},{tick.price},{tick.change},"
        f"{tick.open},{tick.high},{tick.low},{tick.ask},{tick.bid},{tick.volume},"
        f"{tick.day_volume},{tick.day_turnover},{tick.halted:d},'{_code(tick.hour_class)}',"
        f"'{_code(tick.market_class)}',{tick.vi_price},{state.drift:d},{_second(tick.at)},"
        f"{_moment(state.received)},'{_recent(state)}',{_bar(state.bar)},{_bar(state.prev)})"
    )


def slim_text(state: StockState, figures: str, bar: MinuteBar) -> str:
    """The VALUES row of a stock of which only ``SLIM`` changed since its whole row was written.

    ``figures``: checked text of the ten columns from price to traded_at.
    """
    return (
        f"('{state.symbol}',{state.seq},{figures},{_moment(state.received)},'{_recent(state)}',"
        f"{bar.high},{bar.low},{bar.close},{bar.volume},{bar.turnover},{bar.ticks})"
    )


def standing(state: StockState) -> tuple[object, ...]:
    """What must be as it was for a slim row, of all that does not come from the record itself."""
    bar, prev = state.bar, state.prev
    return (
        state.section, state.drift, bar and (bar.at, bar.open, bar.gap),
        prev and (prev.at, prev.ticks, prev.gap),
    )  # fmt: skip


def _recent(state: StockState) -> str:
    """The last prices, oldest first. The last one is the row's ``seq``, each before it one less."""
    return " ".join(map(str, state.recent))


def _code(text: str) -> str:
    if text and not (text.isascii() and text.isalnum()):
        raise ValueError(f"{text!r} is no code")
    return text


def _bar(bar: MinuteBar | None) -> str:
    if bar is None:
        return _NO_BAR
    return (
        f"{_second(bar.at)},{bar.open},{bar.high},{bar.low},{bar.close},{bar.volume},"
        f"{bar.turnover},{bar.ticks},{bar.gap:d}"
    )


_seconds: dict[datetime, str] = {}  # a few thousand a day, asked for every row
_received: tuple[int, str] = (-1, "")  # a second as text


def _second(at: datetime) -> str:
    text = _seconds.get(at)
    if text is None:
        if len(_seconds) > 50_000:
            _seconds.clear()
        text = _seconds[at] = at.astimezone(KST).strftime("'%Y-%m-%d %H:%M:%S'")
    return text


def _moment(unix: float) -> str:
    global _received  # noqa: PLW0603  a cache of one
    whole = int(unix)
    known, text = _received
    if known != whole:
        text = datetime.fromtimestamp(whole, KST).strftime("'%Y-%m-%d %H:%M:%S")
        _received = (whole, text)
    return f"{text}.{int((unix - whole) * 1e6):06d}'"


def read_states(engine: Engine) -> list[StockState]:
    """Every stock as `market` holds it, to go on from after a restart."""
    with mapped(), engine.connect() as connection:
        rows = connection.execute(select(market)).mappings().all()
    return [_state(row) for row in rows]


def forget_stocks(engine: Engine, symbols: Iterable[str]) -> int:
    """Remove rows of stocks that are watched no more; how many there were."""
    with mapped(), engine.begin() as connection:
        gone = list(symbols)
        return connection.execute(delete(market).where(market.c.symbol.in_(gone))).rowcount


def _state(row: Any) -> StockState:
    state = StockState(row["symbol"], row["section"], row["seq"])
    state.drift = bool(row["drift"])
    state.recent.extend(map(int, row["recent"].split()))
    state.bar, state.prev = _read_bar(row, "bar"), _read_bar(row, "prev")
    if row["received_at"] is not None:
        state.received = row["received_at"].timestamp()
    if row["traded_at"] is not None:
        state.total = row["day_volume"]
        state.tick = Tick(
            row["symbol"], row["traded_at"], row["price"], row["price_change"], row["day_open"],
            row["day_high"], row["day_low"], row["ask"], row["bid"], row["last_volume"],
            row["day_volume"], row["day_turnover"], bool(row["halted"]), row["hour_class"],
            row["vi_price"], row["market_class"],
        )  # fmt: skip
    return state


def _read_bar(row: Any, prefix: str) -> MinuteBar | None:
    if row[f"{prefix}_at"] is None or not row[f"{prefix}_ticks"]:
        return None
    bar = MinuteBar(row[f"{prefix}_at"], row[f"{prefix}_open"], 0)
    for name in _OHLC:
        setattr(bar, name, row[f"{prefix}_{name}"])
    bar.gap = bool(bar.gap)
    return bar
