"""Writing `market`: all changed rows in one statement, its text made of checked values only.

Escaping each value costs seven times the statement (docs/performance.md), so the text is put
together here from ints and from codes that the parser has matched against its patterns. Nothing
that came over the wire as free text gets in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, select

from db.errors import mapped
from db.tables import market
from trading.clock import KST
from trading.conflation import MinuteBar, StockState
from trading.ticks import Tick

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
    "symbol", "seq", "price", "price_change", "day_high", "day_low", "ask", "bid", "last_volume",
    "day_volume", "day_turnover", "traded_at", "received_at", "recent",
    "bar_high", "bar_low", "bar_close", "bar_volume", "bar_turnover", "bar_ticks",
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
    """One connection to `market`, kept. ``write`` is one statement, committed when it returns."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    def write(self, rows: Sequence[str], slim: bool = False) -> None:
        """Write rows made by ``row_text``, or by ``slim_text`` for stocks whose row stands.

        Unavailable or Transient when nothing was written.
        """
        if not rows:
            return
        try:
            with mapped():
                if self._connection is None:
                    self._connection = self._engine.connect().execution_options(
                        isolation_level="AUTOCOMMIT"
                    )
                head, tail = _SLIM_SQL if slim else _WHOLE_SQL
                self._connection.exec_driver_sql(head + ",".join(rows) + tail)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up; the next ``write`` makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def row_text(state: StockState, tick: Tick) -> str:
    """The VALUES row of one stock: ``tick`` is its last record, read in full."""
    return (
        f"('{_code(tick.symbol)}',{state.section},{state.seq},{tick.price},{tick.change},"
        f"{tick.open},{tick.high},{tick.low},{tick.ask},{tick.bid},{tick.volume},"
        f"{tick.day_volume},{tick.day_turnover},{tick.halted:d},'{_code(tick.hour_class)}',"
        f"'{_code(tick.market_class)}',{tick.vi_price},{state.drift:d},{_second(tick.at)},"
        f"{_moment(state.received)},'{_recent(state)}',{_bar(state.bar)},{_bar(state.prev)})"
    )


def slim_text(state: StockState, tick: Tick, bar: MinuteBar) -> str:
    """The VALUES row of a stock of which only ``SLIM`` changed since its whole row was written."""
    return (
        f"('{_code(tick.symbol)}',{state.seq},{tick.price},{tick.change},{tick.high},{tick.low},"
        f"{tick.ask},{tick.bid},{tick.volume},{tick.day_volume},{tick.day_turnover},"
        f"{_second(tick.at)},{_moment(state.received)},'{_recent(state)}',"
        f"{bar.high},{bar.low},{bar.close},{bar.volume},{bar.turnover},{bar.ticks})"
    )


def signature(state: StockState, tick: Tick) -> tuple[object, ...]:
    """What must be as it was for a slim row: everything that stands in the whole row alone."""
    bar, prev = state.bar, state.prev
    return (
        state.section, state.drift, tick.open, tick.halted, tick.hour_class, tick.market_class,
        tick.vi_price, bar and (bar.at, bar.open, bar.gap),
        prev and (prev.at, prev.ticks, prev.gap),
    )  # fmt: skip


def _recent(state: StockState) -> str:
    first = state.seq - len(state.recent) + 1
    return " ".join([f"{first + at}:{price}" for at, price in enumerate(state.recent)])


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
_received: dict[int, str] = {}


def _second(at: datetime) -> str:
    text = _seconds.get(at)
    if text is None:
        if len(_seconds) > 50_000:
            _seconds.clear()
        text = _seconds[at] = at.astimezone(KST).strftime("'%Y-%m-%d %H:%M:%S'")
    return text


def _moment(unix: float) -> str:
    whole = int(unix)
    text = _received.get(whole)
    if text is None:
        _received.clear()
        text = datetime.fromtimestamp(whole, KST).strftime("'%Y-%m-%d %H:%M:%S")
        _received[whole] = text
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
    state.recent.extend(int(pair.partition(":")[2]) for pair in row["recent"].split())
    state.bar, state.prev = _read_bar(row, "bar"), _read_bar(row, "prev")
    if row["received_at"] is not None:
        state.received = row["received_at"].timestamp()
    if row["traded_at"] is not None:
        state.price, state.total = row["price"], row["day_volume"]
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
