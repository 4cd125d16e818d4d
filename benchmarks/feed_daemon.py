"""The market daemon under measurement: ``python -m benchmarks.feed_daemon WS_URL DB_URL SECTIONS
OUT``. The real one (workers/market.py), told of each commit; SIGTERM ends it.
"""

from __future__ import annotations

import json
import sys
import time
from array import array
from pathlib import Path

from benchmarks.feed_sender import STOCKS, symbol_of
from db.engines import make_engine
from kis.keys import Env, KisKey
from kis.stream import Section
from runtime.loop import Stop, kst_now
from runtime.market_parts import MarketParts, SectionParts
from runtime.scheduling import take_short_turns
from workers.market import SWITCH_S, running


class Free:
    """No budget and no approval key are under measurement here."""

    def claim(self, key_id: str) -> float:
        return 0.0

    def closed(self, key_id: str, clean: bool) -> None:
        return None

    def unused(self, key_id: str) -> None:
        return None

    def hold_off(self, key_id: str, seconds: float) -> None:
        return None

    def approval_key(self) -> str:
        return "approval"

    def renew_approval(self, refused: str) -> str:
        return "approval"


def main(ws_url: str, db_url: str, sections: int, out: Path) -> None:
    """Run until SIGTERM, then write what was committed when."""
    sys.setswitchinterval(SWITCH_S)
    take_short_turns()
    stop, free = Stop().on_signals(), Free()
    numbers = list(range(1, sections + 1))
    symbols = [symbol_of(section, number) for section in numbers for number in range(STOCKS)]
    index = {symbol: at for at, symbol in enumerate(symbols)}
    stocks, seqs, times = array("H"), array("Q"), array("d")

    def written(rows: list[tuple[str, int]], at: float) -> None:
        for symbol, seq in rows:
            stocks.append(index[symbol])
            seqs.append(seq)
            times.append(at)

    def key(number: int) -> KisKey:
        return KisKey(f"s{number}", f"app-key-{number}", "secret", f"{number:010d}")

    parts = MarketParts(
        engine=make_engine(db_url),
        sections=[
            SectionParts(n, key(n), Section(key(n), Env.REAL, ws_url), free) for n in numbers
        ],
        numbers=numbers,
        budget=free,
        wanted=lambda: symbols,
        accounts={},
        awake=lambda at: True,
        written=written,
    )
    cpu = time.process_time()
    with running(parts) as market:
        while not market.conflator.states:
            market(kst_now())
        base = {state.symbol: state.seq for state in market.conflator.states.values()}
        # held to the plan's order: stocks of section n are those the sender sends there
        while not stop:
            market(kst_now())
    figures = {
        "records": market.records,
        "taken": market.conflator.taken,
        "strangers": market.conflator.strangers,
        "bad": sum(link.section.trades.bad for link in market.links),
        "rows": market.writer.rows,
        "statements": market.writer.statements,
        "cpu_s": time.process_time() - cpu,
        "base": base,
        "symbols": symbols,
        "stocks": stocks.tolist(),
        "seqs": seqs.tolist(),
        "times": times.tolist(),
    }
    out.write_text(json.dumps(figures), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
