"""Whole lives of strikes: the real ledger on a real MariaDB; clock, budget and broker simulated.

A life is a few armings of one stock and a random mix of what can happen: processes killed at every
step, replies lost and late, messages doubled and lost, two traders and two order workers, the lease
passing on, the budget refusing, the clock jumping, notices lost, doubled and reordered, a list that
lags, halts. Other actors run in between the steps of one (``Life.between``), which is where races
live. Afterwards the world calms down, and the promises are checked against the broker's own book.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from db import gate, lease
from db.halt import halt, resume
from db.ledger import Site, claim_arming
from db.ledger_send import SendLedger
from db.notices import SeenNotice, record_notice
from db.settle import SettleLedger, settle
from db.trader_reads import condition_of
from trading.clock import KST
from trading.errors import Throttled, Unavailable
from trading.execution import OrderDesk, Served
from trading.fills import Notice, NoticeKind
from trading.firing import Crossing
from trading.guards import Limits
from trading.hours import TradingDay
from trading.lifecycle import State
from trading.orders import Accepted, BrokerOrder, NewOrder, Outcome, Rejected, Unknown

ACCOUNT = "sim"
PRICE = 10_000
START = datetime(2026, 11, 23, 10, 0, tzinfo=KST).timestamp()


class Killed(BaseException):
    """kill -9 of the process that runs now. Not an Exception: nothing may catch it."""


@dataclass
class Clock:
    """True time, and what MariaDB believes."""

    true: float = START
    jump: float = 0.0

    @property
    def db(self) -> float:
        return self.true + self.jump

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.db, UTC).astimezone(KST)

    def attach(self, engine: sa.Engine) -> None:
        """Every statement of the engine sees the simulated time."""

        @sa.event.listens_for(engine, "before_cursor_execute")
        def _set(connection: sa.Connection, *_: Any) -> None:
            # not at the checkout: a worker's turn keeps its connection while it waits
            if connection.info.get("clock") != self.db:
                with connection.connection.cursor() as cursor:
                    cursor.execute(f"SET timestamp = {self.db:.6f}")
                connection.info["clock"] = self.db


@dataclass
class Held:
    """An order in the broker's book."""

    number: str
    order: NewOrder
    at: datetime
    filled: int = 0
    amount: int = 0
    cancelled: bool = False
    shown_at: float = 0.0  # true time from which the list shows it


@dataclass
class SimBroker:
    """``trading.orders.Broker`` with a book of its own."""

    life: Life
    book: list[Held] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)

    def prepare(self) -> None:
        if self.life.chance(0.03):
            raise Unavailable("connect")

    def place(self, order: NewOrder) -> Outcome:
        life = self.life
        life.clock.true += life.rng.uniform(0.001, 0.05)
        life.between("before the request", kill=0.03)
        fate = life.rng.random()
        if fate < 0.06:
            life.count("request lost")
            life.clock.true += 4
            return Unknown("timeout")
        self.arrivals.append(life.clock.true)
        life.world.calls += 1
        if fate < 0.11:
            return Rejected("APBK0656", "no")
        if fate < 0.16:
            life.count("token refused")
            life.between("after the request", kill=0.06)
            return Rejected("EGW00123", "expired", token_refused=True)
        life.number += 1
        shown = life.clock.true + (life.rng.uniform(0, 3) if life.chance(0.2) else 0)
        held = Held(str(life.number), order, life.clock.now(), shown_at=shown)
        self.book.append(held)
        self._trade(held, life.rng.random())  # a notice may come before the answer
        life.between("after the request", kill=0.06)
        if fate < 0.25:
            life.count("reply lost")
            life.clock.true += life.rng.uniform(0.5, 7)
            return Unknown("reset")
        life.clock.true += life.rng.uniform(0.001, 3 if life.chance(0.05) else 0.05)
        return Accepted(held.number, "06010", "100000")

    def cancel(self, *_: Any) -> Outcome:
        raise AssertionError("nobody cancels in these lives")

    def orders_of_day(self, day: datetime) -> list[BrokerOrder]:
        life = self.life
        if life.chance(0.1):
            life.count("list unavailable")
            raise Unavailable("list")
        life.clock.true += life.rng.uniform(0.01, 0.2)
        shown = [h for h in self.book if h.shown_at <= life.clock.true]
        return [
            BrokerOrder(
                h.number, "", "06010", h.order.symbol, h.order.side, "00", h.order.quantity,
                h.order.price, h.at.replace(microsecond=0), h.filled, h.amount,
                0 if h.cancelled else h.order.quantity - h.filled,
                h.order.quantity - h.filled if h.cancelled else 0, 0, h.cancelled,
            )
            for h in shown
        ]  # fmt: skip

    def _trade(self, held: Held, roll: float) -> None:
        left = held.order.quantity - held.filled
        if left <= 0 or held.cancelled or roll < 0.4:
            return
        shares = left if roll > 0.7 else self.life.rng.randint(1, left)
        held.filled += shares
        held.amount += shares * PRICE
        self._tell(held, NoticeKind.FILL, shares)

    def _tell(self, held: Held, kind: NoticeKind, shares: int) -> None:
        life, order = self.life, held.order
        notice = Notice(
            "1", held.number, "", order.side, kind, order.symbol, shares, PRICE,
            order.quantity, life.clock.now().replace(microsecond=0),
        )  # fmt: skip
        if life.calm or not life.chance(0.2):
            life.notices.append(notice)
        else:
            life.count("notice lost")
        if not life.calm and life.chance(0.1):
            life.count("notice doubled")
            life.notices.append(notice)

    def move(self) -> None:
        """The market goes on: fills, and now and then a cancel by the owner's hand."""
        for held in self.book:
            if not held.cancelled and held.filled < held.order.quantity:
                if self.life.chance(0.05):
                    held.cancelled = True
                    self._tell(held, NoticeKind.CANCELLED, held.order.quantity - held.filled)
                else:
                    self._trade(held, self.life.rng.random())


@dataclass
class SimLane:
    """The order lane: one call, and a second after its answer (true time, as Redis keeps it)."""

    life: Life

    def take(self, timeout: float) -> None:
        if self.life.chance(0.03):
            raise Throttled("lane")
        if self.life.lane_free > self.life.clock.true + timeout:
            raise Throttled("lane")
        self.life.clock.true = max(self.life.clock.true, self.life.lane_free)
        self.life.lane_free = self.life.clock.true + 8

    def give_back(self) -> None:
        self.life.lane_free = self.life.clock.true + 1


class Watched(SendLedger):
    """The real ledger with the world going on between its steps."""

    life: Life

    def claim(self, *args: Any) -> str:
        self.life.between("before the claim", kill=0.03)
        refused = super().claim(*args)
        self.life.between("after the claim", kill=0.04)
        return refused

    def answer(self, strike_id: int, token: str, outcome: Outcome) -> State:
        self.life.between("before the answer", kill=0.04)
        state = super().answer(strike_id, token, outcome)
        if not isinstance(outcome, Unknown):
            self.life.lane_free = self.life.clock.true + 1
        self.life.between("after the answer", kill=0.02)
        return state


MakeLedger = Callable[..., SendLedger]
MakeDesk = Callable[..., OrderDesk]
MakeBroker = Callable[["Life"], Any]


@dataclass
class World:
    """One database for many lives. The makers are where a bug is planted."""

    engine: sa.Engine
    clock: Clock
    make_ledger: MakeLedger = Watched
    make_desk: MakeDesk = OrderDesk
    make_broker: MakeBroker = SimBroker
    lives: int = 0
    calls: int = 0  # order calls that reached the broker
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def live(self, seed: int) -> list[str]:
        """One life; what it violated."""
        self.lives += 1
        life = Life(self, seed)
        found = [f"seed {seed}: {one}" for one in life.run()]
        self.violations += found
        return found


class Life:
    def __init__(self, world: World, seed: int) -> None:
        self.world, self.seed = world, seed
        self.rng = random.Random(seed)
        self.clock = world.clock
        self.clock.true += 3600 if self.clock.true < START + 4e6 else -4e6 + 1
        self.clock.jump = 0.0
        self.calm = False
        self.depth = 0
        self.lane_free = 0.0
        self.number = self.rng.randint(1, 9) * 10**8 + world.lives * 100
        self.symbol = f"L{world.lives % 100_000:05d}"
        self.notices: list[Notice] = []
        self.site = Site()
        self.broker = world.make_broker(self)
        self.book: SimBroker = getattr(self.broker, "inner", self.broker)
        self.shown: Counter[tuple[Any, ...]] = Counter()
        self.workers = [self._worker(n) for n in range(2)]
        self.settler = SettleLedger(world.engine, ACCOUNT)
        self.last_tick = self.clock.now()

    def _worker(self, number: int) -> tuple[str, OrderDesk]:
        holder = f"{self.world.lives}-{number}-{self.rng.random()}"
        ledger = self.world.make_ledger(
            self.world.engine, self.site, ACCOUNT, holder, trading_day=TradingDay
        )
        ledger.life = self  # type: ignore[attr-defined]
        limits = Limits(
            order_amount=None, stock_amount=None, day_amount=None, day_orders=None,
            krx_hours=False, error_rate_percent=None, assets_age_s=None, clock_offset_ms=None,
            duplicate_open=False,
        )  # fmt: skip
        desk = self.world.make_desk(
            ledger, SimLane(self), self.broker, limits,
            sleep=self._sleep, monotonic=lambda: self.clock.true,
        )  # fmt: skip
        return holder, desk

    # -- chance -----------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        return not self.calm and self.rng.random() < p

    def count(self, fault: str) -> None:
        self.world.faults[fault] += 1

    def _sleep(self, seconds: float) -> None:
        self.clock.true += seconds

    def between(self, where: str, kill: float) -> None:
        """Somebody else runs now, or the running process is killed."""
        if self.calm:
            return
        if where == "before the claim" and self.depth == 0 and self.chance(0.15):
            # the machine under it sleeps until lease, permit and hold have run out, and somebody
            # else works on. (Frozen between the claim and the request it would send late: nothing
            # but the limit price bounds that, docs/adr/0008.)
            self.count("frozen")
            self.clock.true += 10
            self._tick()
            self.depth += 1
            try:
                self.act("serve")
            finally:
                self.depth -= 1
        if self.depth < 2 and self.chance(0.25):
            self.depth += 1
            try:
                self.act(self.rng.choice(("serve", "serve", "serve", "sweep", "settle", "wait")))
            finally:
                self.depth -= 1
        if self.chance(kill):
            self.count(f"killed {where}")
            raise Killed

    # -- actors -----------------------------------------------------------------------------

    def act(self, what: str) -> None:
        """One step of one process; a kill ends only that step."""
        try:
            getattr(self, "_" + what)()
        except Killed:
            pass
        except (Unavailable, Throttled):
            self.count("outside trouble")

    def _serve(self) -> None:
        number = self.rng.randrange(2)
        holder, desk = self.workers[number]
        if self.chance(0.05):
            self.count("worker started anew")
            self.workers[number] = holder, desk = self._worker(number)
        if self.depth and self.chance(0.5):  # a paused holder whose lease has passed on
            self.count("lease lost")
            self._sql("UPDATE lease SET expires_at = NOW(6) - INTERVAL 1 SECOND")
        if lease.take_lease(self.world.engine, lease.ORDERS, holder) is not None:
            desk.serve_next()

    def _sweep(self) -> None:
        self.settler.sweep()

    def _settle(self) -> None:
        settle(self.settler, self.book.orders_of_day, self.clock.now)

    def _notice(self) -> None:
        if not self.notices:
            return
        at = self.rng.randrange(len(self.notices)) if self.chance(0.5) else 0
        one = self.notices.pop(at)
        key = (one.order_no, one.kind, one.at, one.quantity)
        self.shown[key] += 1
        seen = SeenNotice(ACCOUNT, one, self.shown[key], self.clock.now())
        record_notice(self.world.engine, seen)

    def _market(self) -> None:
        self.book.move()

    def _tick(self) -> None:
        self.last_tick = self.clock.now()
        price = PRICE if self.rng.random() < 0.9 else PRICE + 1000
        self._sql(
            "INSERT INTO market (symbol, seq, price, received_at, hour_class)"
            " VALUES (:s, 1, :p, NOW(6), '0') ON DUPLICATE KEY UPDATE price = :p,"
            " received_at = NOW(6), seq = seq + 1",
            s=self.symbol, p=price,
        )  # fmt: skip

    def _fire(self) -> None:
        """Both traders see it; one claims."""
        one = self.rng.choice(self.conditions)
        row = self._rows("SELECT * FROM stockd_condition WHERE id = :i", i=one)[0]
        if not row.enabled:
            return
        condition = condition_of(dict(row._mapping))
        crossing = Crossing(PRICE, 1, self.clock.now(), None)
        for _ in range(2):
            claim_arming(
                self.world.engine, self.site, ACCOUNT, condition, crossing, PRICE, {},
                timedelta(seconds=60),
            )  # fmt: skip

    def _toggle(self) -> None:
        one = self.rng.choice(self.conditions)
        if self.chance(0.5):
            self._sql("UPDATE stockd_condition SET enabled = 0, rev = rev + 1 WHERE id = :i", i=one)
        else:  # armed anew: the next arming may send its own order, of another size
            self.quantity += 1
            self._sql(
                "UPDATE stockd_condition SET enabled = 1, arm_no = arm_no + 1, rev = rev + 1,"
                " quantity = :q WHERE id = :i",
                i=one, q=self.quantity,
            )  # fmt: skip

    def _halt(self) -> None:
        if halt(self.world.engine, self.site, "훈련", "sim", "GUARD"):
            self.count("halt")
        elif self.chance(0.9):
            resume(self.world.engine, self.site, "훈련 끝", "sim")

    def _wait(self) -> None:
        self.clock.true += self.rng.choice((0.05, 0.3, 0.9, 1.1))

    def _pause(self) -> None:
        self.clock.true += self.rng.choice((2.5, 6, 15))

    def _jump(self) -> None:
        self.count("clock jump")
        self.clock.jump += self.rng.choice((-2.0, -0.5, 0.7, 3.0, 20.0))

    # -- the life ---------------------------------------------------------------------------

    def run(self) -> list[str]:
        self.quantity = 1
        self._sql("DELETE FROM lease")
        self._sql("DELETE FROM order_gate")
        gate.ensure_gate(self.world.engine, ACCOUNT)
        resume(self.world.engine, self.site, "새 삶", "sim")
        self._sql(
            "REPLACE INTO asset_balance (account, deposit, deposit_d1, deposit_d2, orderable_cash,"
            " securities_value, total_value, net_assets, cost, profit, bought_today, sold_today,"
            " fees_today, snapshot_no, received_at) VALUES (:a, 0, 0, 1e15, 1e15, 0, 0, 0, 0, 0, 0,"
            " 0, 0, 1, NOW(6))",
            a=ACCOUNT,
        )
        self.conditions = [self._condition() for _ in range(self.rng.randint(1, 3))]
        self.act("tick")
        for one in self.conditions:
            self.act("fire")
            del one
        deeds = ("serve",) * 6 + ("wait",) * 4 + ("market",) * 3 + ("notice",) * 3
        deeds += ("sweep", "settle", "settle", "fire", "fire")
        # what ends a queue at once comes in some lives only, or there would be little to send
        for rare, share in (("halt", 0.2), ("jump", 0.3), ("toggle", 0.4), ("pause", 0.4)):
            deeds += (rare,) * (self.rng.random() < share)
        for _ in range(self.rng.randint(12, 30)):
            self.act("tick")
            self.act(self.rng.choice(deeds))
        return self._judge()

    def _condition(self) -> int:
        self.quantity += 1
        done = self._sql(
            "INSERT INTO stockd_condition (owner, symbol, side, trigger_op, strike_price, quantity,"
            " enabled, arm_no, created_by, updated_by, created_at, updated_at) VALUES ('sim', :s,"
            " 'BUY', 'LE', :p, :q, 1, 1, 'sim', 'sim', NOW(6), NOW(6))",
            s=self.symbol, p=PRICE, q=self.quantity,
        )  # fmt: skip
        return int(done.lastrowid)

    def _calm_down(self) -> None:
        """No more faults: what is left must come to its end by itself."""
        self.calm = True
        for held in self.book.book:
            held.shown_at = 0.0
        for _ in range(12):
            self.clock.true += 6
            while self.notices:
                self.act("notice")
            self.act("sweep")
            self.act("settle")
            left = self._rows(
                "SELECT 1 FROM strike WHERE symbol = :s AND (state IN ('CLAIMED', 'SENDING',"
                " 'UNKNOWN') OR (state IN ('ACCEPTED', 'PART_FILLED', 'FILLED', 'CANCELLED')"
                " AND (broker_filled IS NULL OR broker_filled <> filled)))",
                s=self.symbol,
            )
            if not left:
                return

    def _judge(self) -> list[str]:
        self._calm_down()
        wrong = []
        strikes = self._rows("SELECT * FROM strike WHERE symbol = :s", s=self.symbol)
        mine = [held for held in self.book.book if held.order.symbol == self.symbol]
        sizes = Counter(held.order.quantity for held in mine)
        wrong += [f"P4: {n} orders of one arming" for n in sizes.values() if n > 1]
        gaps = [b - a for a, b in zip(self.book.arrivals, self.book.arrivals[1:], strict=False)]
        wrong += [f"P5: {gap:.3f} s between two calls" for gap in gaps if gap < 0.9999]
        by_size = {s.quantity: s for s in strikes}
        for held in mine:
            strike = by_size.get(held.order.quantity)
            if strike is None:
                wrong.append("P4: an order without a strike")
                continue
            if strike.state == "UNKNOWN" and strike.reason_code == "AMBIGUOUS":
                continue  # a person looks; the stock is blocked
            if strike.order_no != held.number:
                wrong.append(f"P6: order {held.number} is {strike.state} in the ledger")
                continue
            counted = self._rows(
                "SELECT COALESCE(SUM(quantity), 0) AS n FROM fill WHERE order_no = :n"
                " AND order_day = :d AND account = :a",
                n=held.number, d=held.at.date(), a=ACCOUNT,
            )[0].n  # fmt: skip
            if not int(counted) == strike.filled == held.filled:
                wrong.append(f"P9: filled {held.filled}, ledger {strike.filled}, fills {counted}")
        numbers = {held.number for held in mine}
        wrong += [
            f"P6: strike {s.id} is {s.state} with order {s.order_no}, the broker has none"
            for s in strikes
            if s.order_no is not None and s.order_no not in numbers
        ]
        wrong += [
            f"P6: strike {s.id} is left {s.state}"
            for s in strikes
            if s.state in ("CLAIMED", "SENDING")
            or (s.state == "UNKNOWN" and s.reason_code != "AMBIGUOUS")
        ]
        return wrong

    def _sql(self, statement: str, **values: Any) -> Any:
        with self.world.engine.begin() as connection:
            return connection.execute(sa.text(statement), values)

    def _rows(self, statement: str, **values: Any) -> list[Any]:
        with self.world.engine.connect() as connection:
            return list(connection.execute(sa.text(statement), values))


# -- planted bugs: each must be found ---------------------------------------------------------


class UnconditionalClaim(Watched):
    """The claim's UPDATE without its WHERE, and nobody counts the rows."""

    def claim(self, facts: Any, token: str, fence: int, proven_at: datetime) -> str:
        self.life.between("before the claim", kill=0.03)
        with self._engine.begin() as connection:
            gate.pass_gate(connection, self._account, token)
            connection.execute(
                sa.text(
                    "UPDATE strike SET state = 'SENDING', claim = :t, claimed_at = NOW(6)"
                    " WHERE id = :i"
                ),
                {"t": token, "i": facts.strike.id},
            )
        return ""


class SendsTheUnknownAgain(Watched):
    """What is right for a refused token, done for a call whose fate nobody knows."""

    def answer(self, strike_id: int, token: str, outcome: Outcome) -> State:
        if isinstance(outcome, Unknown):
            outcome = Rejected("", outcome.reason, token_refused=True)
        return super().answer(strike_id, token, outcome)


@dataclass
class RetryingBroker:
    """A client that repeats a call after a time-out."""

    inner: SimBroker

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def place(self, order: NewOrder) -> Outcome:
        outcome = self.inner.place(order)
        return self.inner.place(order) if isinstance(outcome, Unknown) else outcome


class WritesAfterTheCall(OrderDesk):
    """The state is written when the call has come back."""

    def _claim(self, strike_id: int, fence: int, facts: Any) -> Any:
        self._broker.prepare()
        outcome = self._broker.place(facts.strike.order)
        if not self._ledger.claim(facts, "after", fence, facts.now):
            self._ledger.answer(strike_id, "after", outcome)
        return Served("SENT", strike_id)


PLANTED: dict[str, dict[str, Any]] = {
    "claim made unconditional": {"make_ledger": UnconditionalClaim},
    "retry on time-out": {"make_broker": lambda life: RetryingBroker(SimBroker(life))},
    "unknown put back": {"make_ledger": SendsTheUnknownAgain},
    "state written after the call": {"make_desk": WritesAfterTheCall},
}

__all__ = ["PLANTED", "Clock", "World"]
