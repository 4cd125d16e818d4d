"""The timetable of a soak: what the broker does wrong, and the orders that go on meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from runtime.demo.arming import arm
from runtime.demo.broker import Broker
from runtime.demo.script import away
from trading.errors import StockdError, Transient

# on from the first second to the last; rates are shares of the reads
ALWAYS = {"spurious_rate": 0.02, "http_500": 0.01, "broken_json": 0.005}
SLOW = {"slow": 0.05, "slow_s": 1.5}
SLOW_EVERY_S, SLOW_FROM_S, SLOW_UNTIL_S = (
    240.0,
    60.0,
    120.0,
)  # slowness stands in no log: it gets minutes of its own
EXPIRE_AT = 0.75  # of the run: every token is refused from then on, once
DROP_EVERY_S = 200.0  # one section in turn: far below 4 connects in 10 minutes an app key
ARM_EVERY_S, PUSH_AFTER_S, HOLD_S = 30.0, 3.0, 8.0
STEPS_AWAY = 4
CHEAPEST, DEAREST = 3_000, 100_000  # KRW a share: one share an order, far from every guard


@dataclass
class Faults:
    """``step(elapsed)`` does what is due. ``slow_spans`` are wall seconds (from, until)."""

    broker: Broker
    sections: int
    seconds: float
    slow_spans: list[tuple[float, float]] = field(default_factory=list)
    drops: int = 0
    expiries: int = 0
    _slow: bool = False
    drop_every_s: float = DROP_EVERY_S  # 0: no section is dropped
    _next_drop_s: float = DROP_EVERY_S / 2

    def start(self) -> None:
        """Switch on what stays on."""
        self.broker.post("fault", dict(ALWAYS))

    def step(self, elapsed: float) -> None:
        """Raises Unavailable when the simulator does not answer."""
        slow = SLOW_FROM_S <= elapsed % SLOW_EVERY_S < SLOW_UNTIL_S
        if slow != self._slow:
            self.broker.post("fault", SLOW if slow else {"slow": 0.0})
            self._slow = slow
            now = time.time()
            if slow:
                self.slow_spans.append((now, float("inf")))
            else:
                self.slow_spans[-1] = (self.slow_spans[-1][0], now + SLOW["slow_s"])
        if elapsed >= self.seconds * EXPIRE_AT and not self.expiries:
            self.broker.post("fault", {"expire_tokens": True})
            self.expiries += 1
        if self.drop_every_s and elapsed >= self._next_drop_s:
            self.broker.post("fault", {"drop_ws": self.drops % self.sections + 1})
            self.drops += 1
            self._next_drop_s += self.drop_every_s

    def calm(self) -> None:
        """The end: nothing is wrong any more and no tick is sent."""
        calm = dict.fromkeys(ALWAYS, 0.0) | {"slow": 0.0, "stop_ticks": True}
        self.broker.post("fault", calm)


@dataclass
class Orders:
    """Arms one condition every ``ARM_EVERY_S`` and moves its stock across, buys and sells."""

    engine: sa.Engine  # role reader
    broker: Broker
    armed: int = 0
    errors: list[str] = field(default_factory=list)
    _next_s: float = ARM_EVERY_S / 2
    _push: tuple[float, str, int] | None = None  # when, symbol, price
    _turn: Any = field(default_factory=count)

    def step(self, elapsed: float) -> None:
        """What goes wrong is kept in ``errors`` and tried anew at the next turn."""
        try:
            if self._push and elapsed >= self._push[0]:
                _, symbol, price = self._push
                self._push = None
                self.broker.post("price", {"symbol": symbol, "price": price, "hold_s": HOLD_S})
            if elapsed >= self._next_s:
                self._next_s = elapsed + ARM_EVERY_S
                self._arm(elapsed)
        except (Transient, SQLAlchemyError) as error:
            self.errors.append(f"arming: {type(error).__name__}")
        except StockdError as error:
            self.errors.append(f"arming: {error}"[:200])

    def _arm(self, elapsed: float) -> None:
        turn = next(self._turn)
        side = "SELL" if turn % 3 == 2 else "BUY"
        chosen = self._stock(side, turn)
        if chosen is None:
            return
        symbol, price = chosen
        steps = STEPS_AWAY if side == "SELL" else -STEPS_AWAY
        strike = away(price, steps)
        arm(
            {
                "symbol": symbol, "side": side, "strike_price": strike,
                "quantity": 1, "memo": "soak",
            }
        )  # fmt: skip
        self.armed += 1
        self._push = (elapsed + PUSH_AFTER_S, symbol, away(strike, steps // STEPS_AWAY))

    def _stock(self, side: str, turn: int) -> tuple[str, int] | None:
        """Another stock each time; a sale needs one that is held."""
        held = "SELECT symbol FROM asset_position WHERE sellable > 0"
        query = sa.text(
            "SELECT symbol, price FROM market WHERE price BETWEEN :low AND :high"
            + (f" AND symbol IN ({held})" if side == "SELL" else "")
            + " ORDER BY symbol"
        )
        with self.engine.connect() as connection:
            rows = connection.execute(query, {"low": CHEAPEST, "high": DEAREST}).all()
        return (rows[turn % len(rows)].symbol, rows[turn % len(rows)].price) if rows else None
