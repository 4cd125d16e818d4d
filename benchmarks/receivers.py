"""Whole receive paths, one a process: ``python -m benchmarks.receivers NAME URL RECORDS``.

Prints JSON: records that reached the callback and the seconds from the first to the last. Peers
run their own loop and parser; only the address and the approval key are put in place. The way of
the broker's own sample is written anew from its description: one pandas read_csv a frame.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from types import SimpleNamespace
from typing import Any

STOCKS = 200
ROUND_S = 0.0015  # between writes of a 200-row batch to MariaDB, at its fastest (1.3 - 2.7 ms)


class Count:
    """Counts records and stops the time from the first to the last."""

    def __init__(self) -> None:
        self.records = 0
        self.first = self.last = 0.0

    def add(self, records: int) -> None:
        now = time.perf_counter()
        if not self.records:
            self.first = now
        self.records += records
        self.last = now


def ours(url: str, wanted: int) -> tuple[Count, dict[str, Any]]:
    """kis.stream.Section -> kis.tape.Tape, as workers.market does it, and the rows of what changed.

    Made are the figures of each changed stock (``parse_figures``), a write; the SQL text is not.
    """
    from kis.keys import Env, KisKey
    from kis.parse import parse_figures, parse_moment
    from kis.stream import Section
    from kis.tape import Tape
    from trading.conflation import Conflator, StockState

    count, tape = Count(), Tape(Conflator(parse_moment))
    for number in range(STOCKS):
        tape.conflator.watch(StockState(f"{number:06d}", 1, 0))
    section = Section(KisKey("bench", "k", "s", "0000000001"), Env.REAL, url)
    section.open("approval")
    rows, due = 0, 0.0
    while section.is_open:
        before = tape.conflator.taken
        tape.conflator.received = time.time()
        section.step(1.0, tape)
        count.add(tape.conflator.taken - before)
        if count.last >= due or count.records >= wanted:
            rows += sum(
                parse_figures(one.record) is not None for one in tape.conflator.take_dirty()
            )
            due = count.last + ROUND_S
        if count.records >= wanted:
            break
    section.abort("done")
    bars = [state.bar for state in tape.conflator.states.values()]
    more = {"bad": section.trades.bad, "rows": rows, "stocks": sum(bar is not None for bar in bars)}
    return count, more


def python_kis(url: str, wanted: int) -> tuple[Count, dict[str, Any]]:
    """pykis.client.websocket.KisWebsocketClient with one handler."""
    from pykis.client import websocket as theirs

    count = Count()
    theirs.WEBSOCKET_REAL_DOMAIN = url
    client = theirs.KisWebsocketClient(SimpleNamespace(virtual=False))
    client.thread = None  # its loop ends with the connection
    ticket = client.event.on(lambda _, event: count.add(1))
    client._run_forever()
    ticket.unsubscribe()
    return count, {}


def mojito(url: str, wanted: int) -> tuple[Count, dict[str, Any]]:
    """mojito.KoreaInvestmentWS: its process, its queue, its get()."""
    from mojito import koreainvestment as theirs

    class Broker(theirs.KoreaInvestmentWS):  # type: ignore[misc]
        def get_approval(self) -> str:
            return "approval"

    connect = theirs.websockets.connect
    theirs.websockets.connect = lambda _, **more: connect(url, **more)
    count = Count()
    broker = Broker("k", "s", [], [])
    broker.start()
    while count.records < wanted:
        broker.get()
        count.add(1)
    broker.terminate()
    return count, {}


def official_sample(url: str, wanted: int) -> tuple[Count, dict[str, Any]]:
    """One pandas read_csv a frame over names of columns, rows to a callback."""
    import pandas
    import websockets

    count = Count()
    columns = [f"F{number}" for number in range(46)]

    async def receive() -> None:
        async with websockets.connect(url, ping_interval=None) as socket:
            async for raw in socket:
                parts = str(raw).split("|")
                table = pandas.read_csv(
                    io.StringIO(parts[3]), header=None, sep="^", names=columns, dtype=object
                )
                count.add(len(table))

    asyncio.run(receive())
    return count, {}


RECEIVERS = {
    "ours": ours,
    "python_kis": python_kis,
    "mojito": mojito,
    "official_sample": official_sample,
}

if __name__ == "__main__":
    name, address, records = sys.argv[1], sys.argv[2], int(sys.argv[3])
    counted, more = RECEIVERS[name](address, records)
    seconds = counted.last - counted.first
    print(json.dumps({"records": counted.records, "seconds": seconds, **more}), flush=True)
