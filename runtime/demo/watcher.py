"""Reads the tables as any SQL client would: the picture for the screen, and delays by sampling."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

Rows = list[Mapping[str, Any]]

QUERIES = {
    "market": "SELECT symbol, price, price_change, day_volume, received_at, notice FROM market "
    "ORDER BY day_turnover DESC LIMIT 12",
    "counts": "SELECT (SELECT COUNT(*) FROM market WHERE price > 0) AS market_rows, "
    "(SELECT COUNT(*) FROM asset_balance) + (SELECT COUNT(*) FROM asset_position) AS asset_rows, "
    "(SELECT COUNT(*) FROM strike) AS strikes, (SELECT COUNT(*) FROM fill) AS fills, "
    "(SELECT COUNT(*) FROM bar WHERE minutes = 1) AS bars",
    "balance": "SELECT account, deposit_d2, orderable_cash, securities_value, total_value, profit,"
    " received_at FROM asset_balance",
    "positions": "SELECT symbol, name, quantity, average_price, value, profit "
    "FROM v_asset_position ORDER BY value DESC LIMIT 10",
    "conditions": "SELECT c.id, c.symbol, c.side, c.trigger_op, c.strike_price, c.quantity, "
    "c.enabled, s.state FROM stockd_condition c LEFT JOIN condition_state s "
    "ON s.condition_id = c.id WHERE c.deleted_at IS NULL ORDER BY c.id",
    "strikes": "SELECT id, symbol, side, quantity, price, state, reason, order_no, claimed_at, "
    "answered_at, filled FROM strike ORDER BY id",
    "daemons": "SELECT name, state, progress_at, detail FROM daemon ORDER BY name",
    "halt": "SELECT action, reason FROM stockd_halt ORDER BY id DESC LIMIT 1",
}


class Watcher:
    """``look()`` for one picture; a thread measures tick-to-table delays now and then."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def look(self) -> dict[str, Rows]:
        """All QUERIES; a part that cannot be read now is empty (the screen goes on)."""
        picture: dict[str, Rows] = {}
        for name, query in QUERIES.items():
            try:
                with self._engine.connect() as connection:
                    found = connection.execute(sa.text(query)).mappings().all()
                    picture[name] = [dict(row) for row in found]
            except SQLAlchemyError:  # MariaDB may be on its way back up
                picture[name] = []
        return picture


@dataclass
class DelaySampler:
    """First sight of (symbol, day volume) in table ``market``: wall seconds.

    One second in five, about a thousand looks a second at a few lively stocks: enough samples
    without taking the machine's cores.
    """

    engine: sa.Engine
    symbols: tuple[str, ...]
    seen: dict[tuple[str, int], float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="delay-sampler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(4):
            try:
                self._burst(1.0)
            except SQLAlchemyError:  # MariaDB away: no samples for now
                self._stop.wait(1)

    def _burst(self, seconds: float) -> None:
        query = sa.text(
            "SELECT symbol, day_volume FROM market WHERE symbol IN :symbols"
        ).bindparams(sa.bindparam("symbols", value=self.symbols, expanding=True))
        end = time.monotonic() + seconds
        first = True
        with self.engine.connect() as connection:
            while time.monotonic() < end:
                rows = connection.execute(query).all()
                now = time.time()
                for symbol, volume in rows:
                    # what stood there already says nothing about when it came
                    self.seen.setdefault((symbol, volume), 0.0 if first else now)
                first = False
                time.sleep(0.001)
