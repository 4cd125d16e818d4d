"""A recorded day that never was: the simulator's own walk and encoder, in the recorder's files.

``python -m benchmarks.replay_day DIRECTORY TICKS [STOCKS]``: continuous trading from 09:00 to 15:20
and one print of every stock at 15:30:00, one file a section of 40 stocks, the same for a seed.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from runtime.record.chunks import ChunkFile
from runtime.record.recorder import FLUSH_BYTES, file_name
from simulator.clock import ExchangeClock
from simulator.market import Market
from simulator.scenario import Scenario
from simulator.symbols import listings

DAY = "20260320"  # a Friday that is long over
OPEN_S, CLOSE_S, AUCTION_S = 9 * 3600, 15 * 3600 + 20 * 60, 15 * 3600 + 30 * 60
A_SECTION = 40
LATE_S = 0.05  # received so long after the exchange's time


class DayClock(ExchangeClock):
    """Stands where it is put."""

    def put(self, second: int) -> None:
        """``second`` of the day."""
        self.hms = f"{second // 3600:02d}{second // 60 % 60:02d}{second % 60:02d}"


def make_day(directory: Path, ticks: int, stocks: int = 200, seed: int = 1) -> list[Path]:
    """``ticks`` records of ``stocks`` stocks as files of one record a frame; their paths."""
    day = datetime.strptime(DAY, "%Y%m%d").replace(tzinfo=UTC)
    midnight = day.timestamp() - 9 * 3600  # KST
    clock = DayClock("09:00:00", day.date())
    clock.put(OPEN_S)
    market = Market(listings(stocks, seed), Scenario(skew=2.0), clock, seed)
    market.live = list(market.stocks.values())
    sections = {one.listing.code: n // A_SECTION for n, one in enumerate(market.live)}
    count = (len(market.live) - 1) // A_SECTION + 1
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / file_name(DAY, number) for number in range(1, count + 1)]
    for path in paths:
        path.unlink(missing_ok=True)
    files = [ChunkFile(path) for path in paths]
    lines: list[list[str]] = [[] for _ in files]
    size = FLUSH_BYTES // 430
    walk = ticks - len(market.live)
    for number in range(walk):
        at = OPEN_S + (CLOSE_S - OPEN_S) * number / walk
        if number % 16 == 0:
            clock.put(int(at))
        stock = market.pick()
        if stock is None:
            raise RuntimeError("no stock trades")
        section = sections[stock.listing.code]
        record = market.trade(stock, at)
        mine = lines[section]
        mine.append(f"{midnight + at + LATE_S:.6f} 0|H0STCNT0|001|{record}\n")
        if len(mine) >= size:
            files[section].append("".join(mine).encode())
            mine.clear()
    clock.put(AUCTION_S)
    for stock in market.live:
        record = market.trade(stock, AUCTION_S)
        at = midnight + AUCTION_S + LATE_S
        lines[sections[stock.listing.code]].append(f"{at:.6f} 0|H0STCNT0|001|{record}\n")
    for file, mine in zip(files, lines, strict=True):
        file.append("".join(mine).encode())
        file.close()
    return paths


if __name__ == "__main__":
    make_day(Path(sys.argv[1]), int(sys.argv[2]), int((sys.argv[3:] or ["200"])[0]))
