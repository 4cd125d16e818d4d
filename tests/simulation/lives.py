"""Whole lives of strikes: the real ledger on a real MariaDB; clock, budget and broker simulated.

A life is a few armings of one stock and a random mix of what can happen: processes killed at every
step, replies lost and late, messages doubled and lost, two traders and two order workers, the lease
passing on, the budget refusing, the clock jumping, notices lost, doubled and reordered, a list that
lags, halts, connections to MariaDB lost before a statement and on either side of a COMMIT. Other
actors run in between the steps of one (``Life.between``), which is where races live. Afterwards the
world calms down, and the promises are checked against the broker's own book (``verdict.py``).

What is drawn is drawn so that 0 means "nothing happens": Hypothesis then shrinks a life to little.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from venue import PRICE, SimBroker, SimLane
from verdict import judge, unfinished
from watched import WatchedCancels
from wires import BREAKS, START, Killed

from db import gate, lease
from db.halt import halt, resume
from db.ledger import Site, claim_arming, rehearse_arming
from db.notices import SeenNotice, record_notice
from db.settle import SettleLedger, settle
from db.trader_reads import condition_of
from trading.cancelling import CancelDesk
from trading.errors import Throttled, Unavailable
from trading.execution import OrderDesk
from trading.fills import Notice
from trading.firing import Crossing
from trading.guards import Limits
from trading.hours import TradingDay
from trading.orders import NewOrder

if TYPE_CHECKING:
    from worlds import World

ACCOUNT = "sim"
# in a healthy life many of the orders go through; the guards have tests of their own
LIMITS = Limits(
    order_amount=None, stock_amount=None, day_amount=None, day_orders=None, krx_hours=False,
    error_rate_percent=None, assets_age_s=None, clock_offset_ms=None, duplicate_open=False,
)  # fmt: skip
DEEDS = (
    ("wait",) * 4 + ("serve",) * 6 + ("market",) * 3 + ("notice",) * 3
    + ("sweep", "settle", "settle", "fire", "fire", "rehearse")
)  # fmt: skip
# what ends a queue at once comes in some lives only, or there would be little to send
RARE = (("halt", 0.2), ("jump", 0.3), ("toggle", 0.4), ("pause", 0.4))
# what was claimed is over after a minute, what hangs after 14 s, what is absent 10 s later
CALM_S = (6, 6, 12, 12, 12, 24, 24, 24)
BREAK_SHARE = 0.06  # of the acts have a connection that is going to break


@dataclass
class Fuse:
    """The connection of one act breaks at its n-th statement, or at its n-th COMMIT."""

    how: str
    at_commit: bool
    left: int


class Life:
    """One life; every choice in it is drawn from ``rng``, so the same draws are the same life."""

    def __init__(self, world: World, rng: Any) -> None:
        self.world, self.rng, self.clock = world, rng, world.clock
        self.clock.true = START + rng.randint(0, 40 * 24) * 3600
        self.clock.jump = 0.0
        self.calm = True  # until it begins
        self.depth = 0
        self.fuse: Fuse | None = None
        self.lane_free = 0.0
        self.number = rng.randint(1, 9) * 10**8
        self.symbol = f"L{rng.randint(0, 99_999):05d}"
        self.quantity = 3
        self.messages = 0
        self.gone_until = 0.0  # Redis
        self.whose: dict[int, int] = {}  # id of an order handed to the broker: its strike
        self.seen_orders: list[NewOrder] = []  # kept, so that an id stays one order's
        deeds = list(DEEDS)
        for rare, share in RARE:
            deeds += [rare] * (rng.random() >= 1 - share)
        self.deeds = deeds
        self.slow = rng.random() >= 0.7  # a market in which orders stay open
        self.twins = rng.random() >= 0.7  # all orders of one shape: what the list says is vague
        self.last_tick: tuple[int, datetime] = (PRICE, self.clock.now().replace(tzinfo=None))
        self.shown_tick: tuple[int, datetime] | None = None
        self.notices: list[Notice] = []
        self.told: list[str] = []  # what happened, for whoever has to understand a violation
        self.site = Site()
        self.broker = world.make_broker(self)
        self.book: SimBroker = getattr(self.broker, "inner", self.broker)
        self.shown: Counter[tuple[Any, ...]] = Counter()
        self.holders = 0
        self.workers = [self._worker() for _ in range(2)]
        self.agreed = [False, False]
        self.leader = 0  # who held the lease last
        self.settler = SettleLedger(world.engine, ACCOUNT)

    def _worker(self) -> tuple[str, OrderDesk, CancelDesk]:
        self.holders += 1
        holder = f"worker-{self.holders}"
        ledger = self.world.make_ledger(
            self.world.engine, self.site, ACCOUNT, holder, trading_day=TradingDay
        )
        ledger.life = self  # type: ignore[attr-defined]
        desk = self.world.make_desk(
            ledger, SimLane(self), self.broker, LIMITS,
            sleep=self._sleep, monotonic=lambda: self.clock.true,
        )  # fmt: skip
        cancels = WatchedCancels(self.world.engine, self.site, ACCOUNT)
        cancels.life = self
        return holder, desk, CancelDesk(cancels, SimLane(self), self.broker)

    # -- chance -----------------------------------------------------------------------------

    def chance(self, p: float) -> bool:
        return not self.calm and self.rng.random() >= 1 - p

    def count(self, fault: str) -> None:
        self.world.faults[fault] += 1
        self.tell(fault.upper())

    def tell(self, what: str) -> None:
        self.told.append(f"{self.clock.true - START:.3f} {'  ' * self.depth}{what}")

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
            self._beside("serve")
        if self.depth < 2 and self.chance(0.25):
            self._beside(
                self.rng.choice(
                    (
                        "wait",
                        "serve",
                        "serve",
                        "serve",
                        "sweep",
                        "settle",
                        "notice",
                        "market",
                        "rehearse",
                    )
                )
            )
        if self.chance(kill):
            self.count(f"killed {where}")
            raise Killed

    def _beside(self, what: str) -> None:
        self.depth += 1
        try:
            self.act(what)
        finally:
            self.depth -= 1

    def meet(self, commit: bool) -> str:
        """What happens to the statement or COMMIT that is about to be sent (``wires.Wires``)."""
        fuse = self.fuse
        if fuse is None or (fuse.at_commit and not commit):
            return ""
        fuse.left -= 1
        if fuse.left > 0:
            return ""
        self.fuse = None
        how = fuse.how if commit else fuse.how.split()[0]
        self.count(f"MariaDB {how}{' a COMMIT' if commit else ''}")
        return how

    # -- actors -----------------------------------------------------------------------------

    def act(self, what: str) -> None:
        """One step of one process; a kill ends only that step."""
        outer = self.fuse
        self.fuse = None
        if self.chance(BREAK_SHARE):
            at_commit = self.rng.random() < 0.5
            how = BREAKS[self.rng.randint(0, len(BREAKS) - 1)]
            self.fuse = Fuse(how, at_commit, self.rng.randint(1, 3 if at_commit else 12))
        self.tell(what)
        try:
            getattr(self, "_" + what)()
        except Killed:
            pass
        except (Unavailable, Throttled):
            self.tell("outside trouble")
        finally:
            self.fuse = outer

    def _serve(self) -> None:
        self._show_tick()
        if self.messages:
            self.messages -= 1
        elif self.chance(0.5):
            return  # nobody calls the worker
        else:
            self.count("message doubled")
        number = 1 - self.leader if self.chance(0.3) else self.leader
        if self.chance(0.05):
            self.count("worker started anew")
            self.workers[number], self.agreed[number] = self._worker(), False
        holder, desk, cancels = self.workers[number]
        if not self.agreed[number]:  # before a process sends anything, as runtime.orders.agree does
            settle(self.settler, self.book.orders_of_day, self.clock.now, force=True)
            self.agreed[number] = True
        if self.depth and self.chance(0.5):  # a paused holder whose lease has passed on
            self.count("lease lost")
            self.world.sql("UPDATE lease SET expires_at = NOW(6) - INTERVAL 1 SECOND")
        served = desk.serve_next()
        if served.what == "STANDBY" and lease.take_lease(self.world.engine, lease.ORDERS, holder):
            served = desk.serve_next()
        if served.what != "STANDBY":
            self.leader = number
        self.tell(f"{holder}: {served.what} {served.state or ''} {served.reason}".rstrip())
        if served.what in ("IDLE", "WAIT"):
            self.tell(f"{holder}: cancelled" if cancels.cancel_next() else f"{holder}: done")

    def _rehearse(self) -> None:
        """The way walked in vain, by the trader and by either worker: nothing may come of it."""
        with self.world.engine.connect() as connection:
            rehearse_arming(connection, self.site, ACCOUNT)
        number = 1 - self.leader if self.chance(0.3) else self.leader
        self.tell(self.workers[number][1].rehearse().what)

    def redis_gone(self) -> bool:
        """Now and then, for some seconds, with every message that was in it. It comes back with
        its lane empty, and the gate in MariaDB keeps the pace alone; not where clocks jump: then
        the gate needs the lane."""
        if self.gone_until <= self.clock.true and self.chance(0.02):
            self.count("Redis gone")
            self.gone_until = self.clock.true + self.rng.choice((1, 3, 8))
            self.messages = 0
            if "jump" not in self.deeds:
                self.lane_free = 0.0
        return self.gone_until > self.clock.true

    def _publish(self) -> None:
        if self.redis_gone():
            return
        if self.chance(0.15):
            self.count("message lost")
        else:
            self.messages += 1

    def _sweep(self) -> None:
        wanted = self.settler.sweep()[2]
        if wanted or (not self.calm and self.workers[self.leader][2].wanted()):
            self._publish()

    def _settle(self) -> None:
        settle(self.settler, self.book.orders_of_day, self.clock.now)

    def _notice(self) -> None:
        if not self.notices:
            return
        at = self.rng.randint(0, len(self.notices) - 1) if self.chance(0.5) else 0
        if at:
            self.count("notice reordered")
        one = self.notices.pop(at)
        key = (one.order_no, one.kind, one.at, one.quantity)
        self.shown[key] += 1
        seen = SeenNotice(ACCOUNT, one, self.shown[key], self.clock.now())
        try:
            record_notice(self.world.engine, seen)
        except Unavailable:  # the daemon keeps it and tries again; it may be there already
            self.shown[key] -= 1
            self.notices.insert(0, one)
            raise

    def _market(self) -> None:
        self.book.move()

    def _tick(self) -> None:
        price = PRICE if self.rng.random() < 0.9 else PRICE + 1000
        self.last_tick = price, self.clock.now().replace(tzinfo=None)

    def _show_tick(self) -> None:
        """The last tick into `market`, when somebody is going to look."""
        if self.last_tick == self.shown_tick:
            return
        self.shown_tick = self.last_tick
        self.world.sql(
            "INSERT INTO market (symbol, seq, price, received_at, hour_class)"
            " VALUES (%(s)s, 1, %(p)s, %(at)s, '0') ON DUPLICATE KEY UPDATE price = %(p)s,"
            " received_at = %(at)s, seq = seq + 1",
            s=self.symbol, p=self.last_tick[0], at=self.last_tick[1],
        )  # fmt: skip

    def _fire(self) -> None:
        """Both traders see it; one claims."""
        one = self.rng.choice(self.conditions)
        row = self.world.rows("SELECT * FROM stockd_condition WHERE id = %(i)s", i=one)[0]
        if not row["enabled"]:
            return
        condition = condition_of(row)
        crossing = Crossing(PRICE, 1, self.clock.now(), None)
        for _ in range(2):
            born = claim_arming(
                self.world.engine, self.site, ACCOUNT, condition, crossing, PRICE,
                timedelta(seconds=60),
            )  # fmt: skip
            if born is not None:
                self._publish()

    def _toggle(self) -> None:
        one = self.rng.choice(self.conditions)
        if self.chance(0.5):
            self.count("switched off")
            self.world.sql(
                "UPDATE stockd_condition SET enabled = 0, rev = rev + 1 WHERE id = %(i)s", i=one
            )
        else:  # armed anew: the next arming may send its own order, of another size
            self.world.sql(
                "UPDATE stockd_condition SET enabled = 1, arm_no = arm_no + 1, rev = rev + 1,"
                " quantity = %(q)s WHERE id = %(i)s",
                i=one, q=self._size(),
            )  # fmt: skip

    def _halt(self) -> None:
        wish = self.chance(0.5)  # that what is open be cancelled
        if halt(self.world.engine, self.site, "훈련", "sim", "GUARD", cancel_open=wish):
            self.count("halt with cancel" if wish else "halt")
        elif self.chance(0.9):
            resume(self.world.engine, self.site, "훈련 끝", "sim")

    def _wait(self) -> None:
        self.clock.true += self.rng.choice((0.05, 0.3, 0.9, 1.1))

    def _pause(self) -> None:
        self.clock.true += self.rng.choice((2.5, 6, 15))

    def _jump(self) -> None:
        self.count("clock jump")
        self.clock.jump += self.rng.choice((0.7, -0.5, -2.0, 3.0, 20.0))

    # -- the life ---------------------------------------------------------------------------

    def run(self) -> list[str]:
        """Live it; what was violated."""
        self._begin()
        while self.rng.more():
            self._tick()
            self.act(self.rng.choice(self.deeds))
        self._calm_down()
        wrong = judge(self)
        fault = self.world.chain()
        return [*wrong, f"chain: {fault}"] if fault else wrong

    def _begin(self) -> None:
        gate.ensure_gate(self.world.engine, ACCOUNT)
        self.world.sql(
            "INSERT INTO asset_balance (account, deposit, deposit_d1, deposit_d2, orderable_cash,"
            " securities_value, total_value, net_assets, cost, profit, bought_today, sold_today,"
            " fees_today, snapshot_no, received_at) VALUES (%(a)s, 0, 0, 1e15, 1e15, 0, 0, 0, 0, 0,"
            " 0, 0, 0, 1, NOW(6))",
            a=ACCOUNT,
        )
        self.conditions = [self._condition() for _ in range(self.rng.randint(1, 4))]
        self._tick()
        self.calm = False
        for _ in self.conditions:
            self.act("fire")

    def _size(self) -> int:
        self.quantity += not self.twins
        return self.quantity

    def _condition(self) -> int:
        return self.world.sql(
            "INSERT INTO stockd_condition (owner, symbol, side, trigger_op, strike_price, quantity,"
            " enabled, arm_no, created_by, updated_by, created_at, updated_at) VALUES ('sim',"
            " %(s)s, 'BUY', 'LE', %(p)s, %(q)s, 1, 1, 'sim', 'sim', NOW(6), NOW(6))",
            s=self.symbol, p=PRICE, q=self._size(),
        )  # fmt: skip

    def _calm_down(self) -> None:
        """No more faults: what is left must come to its end by itself."""
        self.calm = True
        for held in self.book.book:
            held.shown_at = 0.0
        for pause in CALM_S:
            self.clock.true += pause
            while self.notices:
                self.act("notice")
            self.act("sweep")
            self.act("settle")
            if not unfinished(self):
                return
