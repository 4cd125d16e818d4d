"""One database for many lives: each finds it empty and leaves it to be looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from drawn import Seeded
from lives import Life
from pymysql.cursors import DictCursor
from venue import SimBroker
from watched import Watched
from wires import Clock, SimConnection, Wires, sim_engine

from db.ledger import verify
from db.ledger_send import SendLedger
from trading.execution import OrderDesk

TABLES = (
    "strike", "order_event", "fill", "notice", "market", "stockd_condition", "stockd_halt",
    "lease", "order_gate", "guard_trip", "asset_balance",
)  # fmt: skip

MakeLedger = Callable[..., SendLedger]
MakeDesk = Callable[..., OrderDesk]
MakeBroker = Callable[[Life], Any]


@dataclass
class World:
    """The makers are where a bug is planted. A life is its seed's alone: nothing of the lives
    before it is left, neither in the tables nor in the clock."""

    url: str
    make_ledger: MakeLedger = Watched
    make_desk: MakeDesk = OrderDesk
    make_broker: MakeBroker = SimBroker
    lives: int = 0
    calls: int = 0  # order calls that reached the broker
    events: int = 0  # of the ledger's chain, each verified
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    story: list[str] = field(default_factory=list)  # of the last life, for whoever looks into it

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.wires = Wires(self.clock)
        self.engine: sa.Engine = sim_engine(self.url, self.wires)
        # what happens around the processes: the site's and the market's own writes
        self._lent = self.engine.raw_connection()
        self._hand: SimConnection = self._lent.driver_connection  # type: ignore[assignment]
        self._hand.wires = Wires(self.clock)
        self._hand.autocommit(True)

    def live(self, seed: int) -> list[str]:
        """The life of a seed; what it violated."""
        found = [f"seed {seed}: {one}" for one in self.life(Seeded(seed)).run()]
        self.violations += found
        return found

    def report(self) -> dict[str, Any]:
        """What was lived since the last report."""
        told = {
            "lives": self.lives, "calls": self.calls, "events": self.events,
            "faults": Counter(self.faults), "violations": list(self.violations),
        }  # fmt: skip
        self.lives = self.calls = self.events = 0
        self.faults.clear()
        self.violations.clear()
        return told

    def life(self, rng: Any) -> Life:
        """A life in an empty database, not lived yet."""
        self.lives += 1
        self.wires.meet = lambda commit: ""
        self.sweep_up()
        life = Life(self, rng)
        self.story = life.told
        self.wires.meet = life.meet
        return life

    def sweep_up(self) -> None:
        """Nothing left in the tables; the chain begins anew."""
        head = "UPDATE event_head SET hash = REPEAT('0', 64)"
        self.sql("; ".join([*(f"DELETE FROM {table}" for table in TABLES), head]))

    def chain(self) -> str:
        """What is wrong with the ledger's chain of events, "" when it is whole."""
        count, fault = verify(self.engine)
        self.events += count
        return fault

    def sql(self, statement: str, **values: Any) -> int:
        """Written by somebody else; the id of the new row."""
        with self._hand.cursor() as cursor:
            cursor.execute(statement, values or None)
            while cursor.nextset():
                pass
            return cursor.lastrowid

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self._hand.cursor(DictCursor) as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def close(self) -> None:
        self.wires.meet = lambda commit: ""
        self.sweep_up()
        self._lent.invalidate()
        self.engine.dispose()
