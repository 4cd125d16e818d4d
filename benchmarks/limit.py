"""The bare limit of this machine: split, int, newest value a stock, one statement at a time.

No websocket, no bars, no second thread: what the daemon's ticks a second are held against.
"""

from __future__ import annotations

import time

from sqlalchemy import text

from benchmarks.blaster import FIELDS
from db.engines import make_engine

STOCKS = 200
_HEAD = "INSERT INTO market (symbol, price, day_volume) VALUES "
_TAIL = " ON DUPLICATE KEY UPDATE price=VALUES(price), day_volume=VALUES(day_volume)"


def limit_per_s(db_url: str, seconds: float = 3.0) -> float:
    """Records a second when every 2,000 records all changed rows are written."""
    bodies = [
        FIELDS.format(symbol=f"9{n % STOCKS:05d}", at="090000", price=50_000, volume=7, total=9)
        .encode()
        for n in range(2000)
    ]  # fmt: skip
    engine = make_engine(db_url, autocommit=True)
    done, started = 0, time.perf_counter()
    with engine.connect() as connection:
        while time.perf_counter() - started < seconds:
            newest: dict[bytes, tuple[int, int]] = {}
            for body in bodies:
                fields = body.split(b"^", 14)
                newest[fields[0]] = (int(fields[2]), int(fields[13]))
            rows = ",".join(f"('{s.decode()}',{p},{v})" for s, (p, v) in newest.items())
            connection.exec_driver_sql(_HEAD + rows + _TAIL)
            done += len(bodies)
        spent = time.perf_counter() - started
        connection.execute(text("DELETE FROM market WHERE symbol LIKE '9%'"))
    engine.dispose()
    return done / spent
