"""The bare limit of this machine: socket, split, int, newest value a stock, a statement at a time.

No deframing, no bars, no checks, three columns, the answer waited for after every 2,000 records:
what the daemon's ticks a second are held against.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import websocket
from sqlalchemy import text

from db.engines import make_engine

ROOT = Path(__file__).resolve().parent.parent
BATCH = 2000
_HEAD = "INSERT INTO market (symbol, price, day_volume) VALUES "
_TAIL = " ON DUPLICATE KEY UPDATE price=VALUES(price), day_volume=VALUES(day_volume)"


def limit_per_s(db_url: str, records: int = 1_000_000) -> float:
    """Records a second, from the first byte received to the last statement."""
    command = [sys.executable, "-m", "benchmarks.blaster", str(records)]
    sender = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    engine = make_engine(db_url, autocommit=True)
    try:
        url = sender.stdout.readline().strip() if sender.stdout else ""
        sock = websocket.create_connection(url, http_no_proxy=["*"]).sock
        if sock is None:
            raise RuntimeError("the blaster is not there")
        done, since, started, rest = 0, 0, time.perf_counter(), b""
        newest: dict[bytes, tuple[int, int]] = {}
        with engine.connect() as connection:
            while chunk := sock.recv(65536):
                *whole, rest = (rest + chunk).split(b"0|H0STCNT0|001|")
                for body in whole[1:] if not done else whole:
                    fields = body.split(b"^", 14)
                    if len(fields) == 15:
                        newest[fields[0]] = (int(fields[2]), int(fields[13]))
                done += len(whole)
                if done - since >= BATCH:
                    since = done
                    rows = ",".join(f"('{s.decode()}',{p},{v})" for s, (p, v) in newest.items())
                    connection.exec_driver_sql(_HEAD + rows + _TAIL)
                    newest.clear()
                if done >= records - 1:
                    break
            spent = time.perf_counter() - started
            connection.execute(text("DELETE FROM market"))
        sock.close()
    finally:
        sender.kill()
        sender.wait()
        engine.dispose()
    return done / spent
