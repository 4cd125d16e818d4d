"""The trader (매매 데몬): reads the platform tables and the conditions, writes strikes, no more.

A look is one statement for the conditions' revisions and one for the rows of ``market``; it is
taken some 300 times a second. When a condition fires, its arming is claimed in the ledger and,
after the commit, the order worker is woken. The wake-up carries nothing and may be lost: the
sweeper repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from db.conditions import typed
from db.errors import mapped
from db.halt import halted
from db.heartbeat import Heartbeat
from db.ledger import Site, claim_arming, rehearse_arming
from db.stock_days import not_bought_today
from db.trader_reads import (
    Kept,
    Signature,
    Struck,
    TraderReads,
    condition_of,
    extremes_since,
    read_trails,
    write_state,
    write_trail,
)
from runtime import orders, wake_ups, wiring
from runtime.awake import Awake
from runtime.large_pages import take_large_pages
from runtime.loop import Step, Stop, kst_now, supervise
from runtime.rehearsal import Rehearsal
from runtime.scheduling import take_short_turns
from runtime.settings import load_settings
from trading.clock import KST
from trading.conditions import Condition, Context, TriggerOp, in_its_time, validate
from trading.errors import BadInput
from trading.fills import Side
from trading.firing import Crossing, Look, Trail, fires, is_usable
from trading.phases import takes_now

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.002  # pause between two looks: some 300 a second with the work of one
LINKS_EVERY = timedelta(milliseconds=50)  # how often parents, siblings and strikes are read again
TICKING = timedelta(minutes=15)  # longer than between the pre-market and the opening auction
STATES_EVERY = timedelta(seconds=1)
DAYS_EVERY = timedelta(seconds=5)  # how often designations are read again
# what is known only at a certain time (limits, cash) the guards ask when the order goes out
ANY_TIME = Context(now=datetime(2000, 1, 1, tzinfo=KST))


@dataclass(slots=True)
class Watched:
    """An armed condition as the trader follows it."""

    condition: Condition
    looked: bool = False  # the first look at an arming sees one tick only
    trail: Trail | None = None
    kept_trail: Trail | None = None  # as it stands in condition_state
    strike: Struck | None = None
    fired: bool = False

    @property
    def key(self) -> tuple[int, int, int]:
        return self.condition.id, self.condition.rev, self.condition.arm_no


@dataclass
class Trader:
    """One account's trader on an engine in autocommit. ``wake`` publishes and never raises."""

    engine: Engine  # autocommit: what the site switches off is seen at the next look
    site: Site
    account: str
    patience: timedelta
    wake: Callable[[], None]
    krx_hours: bool = True  # False: a venue that is always open (the simulator)
    signature: Signature | None = None
    watched: dict[int, Watched] = field(default_factory=dict)
    last: dict[str, Look] = field(default_factory=dict)
    links: dict[int, Struck] = field(default_factory=dict)
    siblings: dict[int, set[int]] = field(default_factory=dict)
    told: dict[int, tuple[tuple[int, int, int], str, str]] = field(default_factory=dict)
    not_bought: dict[str, str] = field(default_factory=dict)  # stock: its designations
    _links_at: datetime | None = None
    _days_at: datetime | None = None
    _states_at: datetime | None = None
    _stopped: bool = False

    def __post_init__(self) -> None:
        self._reads = TraderReads(self.site)

    def look(self, connection: Connection) -> int:
        """One look; the number of strikes it made. Raises Unavailable when MariaDB is gone."""
        with mapped():
            signature, now = self._reads.signature(connection)
            if signature != self.signature:
                self._reload(connection, signature)
            symbols = sorted({w.condition.symbol for w in self.watched.values() if not w.fired})
            looks = self._reads.looks(connection, symbols, now)
        self._refresh_links(connection, now)
        self._refresh_days(connection, now)
        crossings = self._crossings(looks)
        self.last.update(looks)
        for watched in self.watched.values():
            self._keep_trail(connection, watched, now)
        struck = sum(self._strike(connection, *one) for one in crossings)
        self._tell(connection, looks, now)
        return struck

    def hears_ticks(self, now: datetime) -> bool:
        """Whether a stock with an armed condition has traded within ``TICKING``. (The calendar
        would know too, and takes seconds to load: a trader that has just started has none.)"""
        return any(
            look.received_at is not None and now - look.received_at < TICKING
            for look in (self.last.get(w.condition.symbol) for w in self.watched.values())
            if look is not None
        )

    def _reload(self, connection: Connection, signature: Signature) -> None:
        before, self.watched = self.watched, {}
        for row in self._reads.armed(connection):
            key, old = (row.id, row.rev, row.arm_no), before.get(row.id)
            if old is not None and old.key == key:
                self.watched[row.id] = old
                continue
            try:
                found = dict(row._mapping)
                validate(typed(found), ANY_TIME)  # whoever wrote the row: one set of rules
                self.watched[row.id] = Watched(condition_of(found))
            except (ValueError, BadInput) as error:
                self._say(connection, key, "BAD", str(error), None)
        for one, old in before.items():
            if one not in self.watched:
                self._say(connection, old.key, "OFF", "", None)
        self._take_up_trails(connection, before)
        self.signature = signature
        self._links_at = self._days_at = None
        groups = {w.condition.oco_group for w in self.watched.values()} - {None}
        self.siblings = self._reads.siblings(connection, groups)  # type: ignore[arg-type]

    def _take_up_trails(self, connection: Connection, before: Mapping[int, Watched]) -> None:
        """Trailing stops that a trader before us has followed are followed on from there."""
        fresh = {
            one: w
            for one, w in self.watched.items()
            if w.condition.trail_percent is not None and w is not before.get(one)
        }
        for key, kept in read_trails(connection, fresh).items():
            if (watched := fresh[key[0]]).key == key:
                watched.trail = self._since(connection, watched.condition, kept)

    @staticmethod
    def _since(connection: Connection, condition: Condition, kept: Kept) -> Trail:
        # the bars know the minutes in which nobody looked; of a condition with hours of its own
        # they also know minutes that do not count
        windowed = condition.window_from or condition.window_until or condition.valid_from
        found = None if windowed else extremes_since(connection, condition.symbol, kept.at)
        if found is None:
            return Trail(kept.best)
        low, high = found
        falls = condition.trigger_op is TriggerOp.LE  # sells when it falls: the best is the highest
        return Trail(max(kept.best, high) if falls else min(kept.best, low))

    def _keep_trail(self, connection: Connection, watched: Watched, now: datetime) -> None:
        trail = watched.trail
        if trail is not None and trail != watched.kept_trail:
            with mapped():
                write_trail(connection, watched.key, trail.best, now)
            watched.kept_trail = trail

    def _refresh_links(self, connection: Connection, now: datetime) -> None:
        """Strikes of this arming, of parents (arms_after) and of siblings (oco_group)."""
        linked = any(w.condition.arms_after or w.condition.oco_group for w in self.watched.values())
        if self._links_at is not None and (not linked or now - self._links_at < LINKS_EVERY):
            return
        self._links_at = now
        wanted = set(self.watched).union(*self.siblings.values())
        wanted |= {w.condition.arms_after for w in self.watched.values() if w.condition.arms_after}
        with mapped():
            self.links = self._reads.struck(connection, wanted)
        for one, watched in self.watched.items():
            watched.strike = self.links.get(one)
            watched.fired = watched.fired or watched.strike is not None

    def _refresh_days(self, connection: Connection, now: datetime) -> None:
        """Which stocks their owner does not buy today (db/stock_days.py)."""
        if self._days_at is not None and now - self._days_at < DAYS_EVERY:
            return
        self._days_at = now
        bought = {w.condition.symbol for w in self.watched.values() if w.condition.side is Side.BUY}
        with mapped():
            self.not_bought = not_bought_today(connection, bought, now.date())

    def _waits_for(self, condition: Condition) -> str:
        """Why a condition may not fire by its stock or its links; "" when it may."""
        if condition.side is Side.BUY and condition.symbol in self.not_bought:
            return f"{self.not_bought[condition.symbol]} 종목은 사지 않습니다"
        if condition.arms_after is not None:
            parent = self.links.get(condition.arms_after)
            if parent is None or parent.filled == 0:
                return f"조건 {condition.arms_after}의 체결을 기다립니다"
        for other in self.siblings.get(condition.oco_group or 0, ()):
            taken = self.links.get(other)
            fired_now = (w := self.watched.get(other)) is not None and w.fired and taken is None
            if other == condition.id or not (fired_now or (taken is not None and not taken.dead)):
                continue
            loose = taken is not None and taken.loose and taken.side == condition.side == Side.SELL
            if not loose:
                return f"같은 묶음의 조건 {other}이 먼저 발동했습니다"
        if (left := self._left(condition)) is not None and left <= 0:
            return "팔 주식이 남지 않았습니다"
        return ""

    def _left(self, condition: Condition) -> int | None:
        """Shares that an exit may still sell by its links: what the parent has bought so far, less
        what the others of its group have sold. None: nothing bounds it."""
        if condition.side is not Side.SELL:
            return None
        parent = self.links.get(condition.arms_after or 0)
        of = parent.filled if parent is not None and parent.side == Side.BUY else condition.quantity
        if of is None:
            return None
        others = self.siblings.get(condition.oco_group or 0, set()) - {condition.id}
        sold = (self.links[one] for one in others if one in self.links)
        return of - sum(one.filled for one in sold if one.side == Side.SELL)

    def _crossings(self, looks: dict[str, Look]) -> list[tuple[Watched, Crossing, Look]]:
        found = []
        for watched in self.watched.values():
            look = looks.get(watched.condition.symbol)
            if look is None or watched.fired or self._waits_for(watched.condition):
                watched.looked = False  # what it may not see now, it must not catch up with later
                continue
            last = self.last.get(look.symbol) if watched.looked else None
            watched.looked = True
            crossing, watched.trail = fires(watched.condition, look, last, watched.trail)
            if crossing is not None and self._takes(watched.condition, look.now):
                found.append((watched, crossing, look))
        # in the order they became true
        return sorted(found, key=lambda one: (one[1].received_at, one[0].condition.id))

    def _takes(self, condition: Condition, now: datetime) -> bool:
        return not self.krx_hours or takes_now(condition.venue, condition.order_kind, now)

    def _strike(self, connection: Connection, watched: Watched, by: Crossing, look: Look) -> bool:
        condition = watched.condition
        if self._waits_for(condition):  # a sibling of the same look was first
            return False
        if self._stopped:  # as of the last claim; the claim itself asks in its own statement
            self._stopped = self._is_halted(connection)
            if self._stopped:
                watched.looked = False
                return False
        level = condition.strike_price
        if condition.trail_percent is not None and watched.trail is not None:
            level = watched.trail.stop(condition)
        quantity = condition.order_quantity(level, by.price)
        if quantity <= 0:
            self._say(connection, watched.key, "BAD", "한 주도 살 수 없는 금액입니다", None)
            watched.fired = True
            return False
        left = self._left(condition)
        strike_id = claim_arming(  # on the connection that has just been looked through
            connection, self.site, self.account, condition, by, level, self.patience,
            quantity=quantity if left is None else min(quantity, left),
        )  # fmt: skip
        self._links_at = None
        if strike_id is None:
            # switched off, or another trader was first: read everything anew; or halted, and then
            # what crosses meanwhile is not caught up with later
            self.signature = None
            self._stopped = self._is_halted(connection)
            watched.looked = False
            return False
        watched.fired = True
        self.wake()
        log.info("타격", strike_id=strike_id, condition=condition.id, symbol=condition.symbol,
                 price=by.price, seq=by.seq)  # fmt: skip
        return True

    def _is_halted(self, connection: Connection) -> bool:
        with mapped():
            return halted(connection, self.site) is not None

    # -- for the page -----------------------------------------------------------------------

    def _tell(self, connection: Connection, looks: dict[str, Look], now: datetime) -> None:
        if self._states_at is not None and now - self._states_at < STATES_EVERY:
            return
        self._states_at = now
        for watched in self.watched.values():
            if watched.strike is not None:
                self._say(connection, watched.key, "STRUCK", "", watched.strike.strike_id)
            elif not watched.fired:
                why = self._why_not(watched.condition, looks.get(watched.condition.symbol), now)
                self._say(connection, watched.key, "WAITING" if why else "ARMED", why, None)

    def _why_not(self, condition: Condition, look: Look | None, now: datetime) -> str:
        if look is None:
            return "시세가 없습니다"
        if not in_its_time(condition, now):
            return "유효한 시간이 아닙니다"
        if not self._takes(condition, now):
            return "지금은 이 주문을 받지 않는 시간입니다"
        if not is_usable(look, condition):
            return "시세가 오래되었거나 체결 가격이 아닙니다"
        return self._waits_for(condition)

    def _say(
        self,
        connection: Connection,
        key: tuple[int, int, int],
        state: str,
        reason: str,
        strike_id: int | None,
    ) -> None:
        if self.told.get(key[0]) == (key, state, reason):
            return
        with mapped():
            write_state(connection, key, state, reason, strike_id, kst_now())
        self.told[key[0]] = (key, state, reason)


def build() -> Trader:
    """The trader of this machine's settings."""
    return Trader(
        engine=wiring.engine("trader", autocommit=True),
        site=orders.site(),
        account=orders.account(),
        patience=orders.patience(),
        wake=wake_ups.wake,
        krx_hours=orders.limits().krx_hours,
    )


@contextmanager
def opened(trader: Trader | None = None) -> Iterator[Step]:
    """A round of the supervised loop: one connection, looked through again and again."""
    own = trader or build()
    wake_ups.warm_up_publisher()
    take_large_pages()
    settings = load_settings()
    awake = Awake(lambda now: settings.local.awake and own.hears_ticks(now))
    rehearsal = Rehearsal(
        settings.local.rehearsal_ms / 1000,
        own.hears_ticks,
        lambda connection: rehearse_arming(connection, own.site, own.account),
        wake_ups.waiting,
        wake_ups.call_to_rehearsal,
    )
    try:
        with mapped(), own.engine.connect() as connection:

            def step(now: datetime) -> bool:
                awake.look(now)
                if own.look(connection):
                    rehearsal.step_aside()
                rehearsal.look(now, connection)
                return True

            yield step
    finally:
        awake.give_back()


def main() -> int:
    """Run until SIGTERM."""
    take_short_turns()
    stop = Stop().on_signals()
    beats = Heartbeat(wiring.engine("trader"), "trader", kst_now())
    return supervise("trader", opened, stop, beats=beats, idle_s=LOOK_EVERY_S)


if __name__ == "__main__":
    raise SystemExit(main())
