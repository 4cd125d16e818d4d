"""What the demo does: arms conditions by the code of `stockd condition`, then moves the prices.

Six conditions stand a few price steps away from the market and are pushed over by the simulator's
control channel in one go: at least five become true within the same moment. Two more stay armed far
away, so that the screen also shows conditions that wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from runtime.demo.broker import Broker
from trading.errors import StockdError, Transient
from trading.price_step import price_step

ARM_AT_S = 6.0  # let prices and the account arrive first
PUSH_AFTER_S = 3.0
STEPS_AWAY = 6
TOGETHER = 6
WAITING = 2
QUANTITY = 3
HOLD_S = 20.0  # the pushed price stays, so that the limit orders behind it fill


def away(price: int, steps: int) -> int:
    """``price`` moved by so many price steps (negative: down), band edges minded."""
    for _ in range(abs(steps)):
        price += price_step(price) if steps > 0 else -price_step(price - 1)
    return price


@dataclass
class Script:
    """``step`` once in a while with the seconds since everything was up."""

    engine: sa.Engine  # role reader
    broker: Broker
    arm: Callable[[dict[str, Any]], None]  # adds and arms one condition
    say: Callable[[str], None]
    armed: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _pushed_at: float | None = None
    _armed_at: float | None = None

    def step(self, elapsed: float) -> None:
        """Do what is due now. What goes wrong becomes a fault, the demo goes on."""
        try:
            if self._armed_at is None:
                if elapsed >= ARM_AT_S and self._ready():
                    self._arm()
                    self._armed_at = elapsed
            elif self._pushed_at is None and elapsed >= self._armed_at + PUSH_AFTER_S:
                self._push()
                self._pushed_at = elapsed
        except (Transient, SQLAlchemyError):
            pass  # a server is on its way back up: the same again next time
        except StockdError as error:
            self.faults.append(f"각본: {error}")
            self._armed_at = self._armed_at or elapsed
            self._pushed_at = self._pushed_at or elapsed

    def _ready(self) -> bool:
        with self.engine.connect() as connection:
            balance = connection.scalar(sa.text("SELECT COUNT(*) FROM asset_balance"))
            prices = connection.scalar(sa.text("SELECT COUNT(*) FROM market WHERE price > 0"))
        return bool(balance) and (prices or 0) >= TOGETHER + WAITING

    def _arm(self) -> None:
        with self.engine.connect() as connection:
            held = connection.execute(
                sa.text(
                    "SELECT p.symbol, m.price FROM asset_position p JOIN market m USING (symbol)"
                    " WHERE p.sellable >= :n AND m.price > 0 ORDER BY p.symbol LIMIT 2"
                ),
                {"n": QUANTITY},
            ).all()
            others = connection.execute(
                sa.text(
                    "SELECT symbol, price FROM market WHERE price BETWEEN 5000 AND 400000 AND "
                    "symbol NOT IN (SELECT symbol FROM asset_position) "
                    "ORDER BY day_turnover DESC LIMIT :n"
                ),
                {"n": TOGETHER + WAITING - len(held)},
            ).all()
        sells = [self._plan(symbol, price, "SELL", STEPS_AWAY) for symbol, price in held]
        buys = [self._plan(symbol, price, "BUY", -STEPS_AWAY) for symbol, price in others]
        # the last two wait far from the market
        buys[-WAITING:] = [
            self._plan(symbol, price, "BUY", -40) for symbol, price in others[-WAITING:]
        ]
        done = {one["symbol"] for one in self.armed}  # by a try that was cut short
        for one in [*sells, *buys]:
            if one["symbol"] not in done and len(self.armed) < TOGETHER + WAITING:
                self.arm(one)
                self.armed.append(one)
        self.say(f"조건 {len(self.armed)}개를 장전했습니다")

    @staticmethod
    def _plan(symbol: str, price: int, side: str, steps: int) -> dict[str, Any]:
        return {
            "symbol": symbol, "side": side, "strike_price": away(price, steps),
            "quantity": QUANTITY, "memo": "데모",
        }  # fmt: skip

    def _push(self) -> None:
        prices = {
            one["symbol"]: away(one["strike_price"], -1 if one["side"] == "BUY" else 1)
            for one in self.armed[:-WAITING]
        }
        self.broker.post("price", {"prices": prices, "hold_s": HOLD_S})
        self.say(f"{len(prices)}종목의 가격이 동시에 조건을 넘습니다")
