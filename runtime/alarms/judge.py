"""From what is seen to faults: pure, with a memory of since when. A cause hides its effects, so
that one thing that stopped is one message (P12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from db.signs import Signs
from kis.frames import KNOWN_TRADE_WIDTHS
from runtime.alarms.look import Seen
from runtime.alarms.outside import SUSPECT_S, Outside

EVENT_EVERY_S = {"ev_bar_minute": 1.0, "ev_asset_history": 60.0, "ev_partitions": 3600.0}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One fault: ``name`` has its section in docs/runbook.md; ``text`` is Korean, for people."""

    name: str
    level: str  # INFO, WARNING, CRITICAL
    text: str

    @property
    def kind(self) -> str:
        """The name without its subject: the runbook's section."""
        return self.name.partition(":")[0]


SERVERS = frozenset({"mariadb", "redis"})
ONCE = frozenset({"fields"})  # to be known, not to be reminded of
# fault -> what is silent because of it
EFFECTS = {"beat": ("asset",), "queue:assets": ("asset",), "orders": ("queue:orders",)}
KINDS = (
    "mariadb", "redis", "broker", "tick", "sections", "asset", "trader", "orders", "beat", "queue",
    "scheduler", "event", "unknown", "rejected", "halt", "guard", "connects", "drift",
    "registration", "fields",
)  # fmt: skip


@dataclass
class Judge:
    """``silence_s`` is the patience; ``reaches()`` asks whether the broker can be reached."""

    silence_s: float
    reaches: Callable[[], bool]
    _since: dict[str, datetime] = field(default_factory=dict)  # since when it was to be expected
    _last: dict[str, datetime] = field(default_factory=dict)  # its last sign
    _heads: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)  # who was silent when all could be seen
    _spent: bool = False  # the connect budget, as last known
    _width: int = 0  # fields of a trade record, as last known

    def __post_init__(self) -> None:
        self._outside = Outside(self.silence_s, self.reaches)

    def judge(self, seen: Seen, now: datetime, *, awake: bool, ticking: bool) -> list[Trouble]:
        """What is wrong at ``now``; silence only counts while the market is ``awake``."""
        found = []
        if seen.mariadb:
            found.append(Trouble("mariadb", "CRITICAL", f"MariaDB 가 없습니다: {seen.mariadb}"))
        if seen.redis:
            found.append(Trouble("redis", "CRITICAL", f"Redis 가 없습니다: {seen.redis}"))
        if found or not awake or seen.signs is None:
            # nothing else can be told, and after it everybody gets the time to come back, but for
            # who was silent before it
            self._since = {name: at for name, at in self._since.items() if name in self._told}
            self._heads.clear()
        else:
            silent = self._silence(seen, seen.signs, now, ticking)
            self._told = {one.name for one in silent}
            found += silent
        return found + (self._ledger(seen.signs) if seen.signs else [])

    # -- silence ----------------------------------------------------------------------------

    def _silence(self, seen: Seen, signs: Signs, now: datetime, ticking: bool) -> list[Trouble]:
        beat = self._silent_s("beat", seen.beat_s, now)
        stuck = {name: self._stuck_s(name, one.head, now) for name, one in seen.queues.items()}
        lease = self._silent_s("orders", signs.lease_s, now)
        asset = self._silent_s("asset", signs.asset_s, now)
        tick = self._silent_s("tick", signs.tick_s, now, ticking and signs.watched > 0)
        trader = signs.workers.get("trader")
        runs = trader.age_s if trader and trader.state == "RUNNING" else None
        found = []
        if beat > self.silence_s:
            found.append(Trouble("beat", "CRITICAL", f"beat 가 {beat:.0f}초째 깨우지 않습니다"))
        if lease > self.silence_s:
            found.append(Trouble("orders", "CRITICAL", f"주문 워커가 {lease:.0f}초째 없습니다"))
        for name, seconds in stuck.items():
            hidden = name == "orders" and lease > SUSPECT_S
            if seconds > self.silence_s - 5 and not hidden:
                waiting = seen.queues[name].length
                words = f"큐 {name} 가 {seconds:.0f}초째 움직이지 않습니다 ({waiting}개 대기)"
                found.append(Trouble(f"queue:{name}", "CRITICAL", words))
        silent_s = self._silent_s("trader", runs, now)
        if silent_s > self.silence_s:
            words = f"매매 데몬이 {silent_s:.0f}초째 표를 보지 않습니다{_why(signs, 'trader')}"
            found.append(Trouble("trader", "CRITICAL", words))
        hidden = beat > SUSPECT_S or stuck.get("assets", 0.0) > SUSPECT_S / 2
        names, back = self._outside.look(tick, 0.0 if hidden else asset)
        if back:
            self._patient_with(("tick", "asset"), now)
        why_tick, why_asset = _why(signs, "market"), _why(signs, "assets")
        outside = (
            Trouble("tick", "CRITICAL", f"체결이 {tick:.0f}초째 들어오지 않습니다{why_tick}"),
            Trouble("asset", "CRITICAL", f"자산이 {asset:.0f}초째 적히지 않습니다{why_asset}"),
            Trouble("broker", "CRITICAL", "증권사에 닿지 않거나, 체결과 자산이 함께 끊겼습니다"),
        )
        found += [one for one in outside if one.name in names]
        for one in found:
            self._patient_with(EFFECTS.get(one.name, ()), now)
        return found + self._events(signs, now)

    def _patient_with(self, effects: tuple[str, ...], now: datetime) -> None:
        """What a cause that was told has silenced gets its whole patience once the cause is over:
        it comes back a little later than its cause, and nobody is to be told of that."""
        for name in effects:
            queue = name.removeprefix("queue:")
            if queue != name and queue in self._heads:
                self._heads[queue] = (self._heads[queue][0], now)
            elif name in self._since:
                self._since[name] = now

    def _events(self, signs: Signs, now: datetime) -> list[Trouble]:
        if not signs.scheduler_on:
            self._since = {k: v for k, v in self._since.items() if not k.startswith("event:")}
            return [Trouble("scheduler", "CRITICAL", "MariaDB 의 event_scheduler 가 꺼져 있습니다")]
        found = []
        for name, every_s in EVENT_EVERY_S.items():
            seconds = self._silent_s(f"event:{name}", signs.events.get(name), now)
            if seconds > every_s + self.silence_s:
                error = signs.event_errors.get(name, "")
                words = f"EVENT {name} 이 {seconds:.0f}초째 돌지 않습니다 {error}".strip()
                found.append(Trouble(f"event:{name}", "CRITICAL", words))
        return found

    def _silent_s(
        self, name: str, age_s: float | None, now: datetime, expected: bool = True
    ) -> float:
        """Seconds without a sign, counted from when it was first to be expected."""
        if not expected:
            self._since.pop(name, None)
            return 0.0
        since = self._since.setdefault(name, now)
        if age_s is not None:
            self._last[name] = max(self._last.get(name, since), now - timedelta(seconds=age_s))
        return (now - max(since, self._last.get(name, since))).total_seconds()

    def _stuck_s(self, name: str, head: str, now: datetime) -> float:
        """Seconds for which the same message has been next."""
        known, since = self._heads.get(name, ("", now))
        if not head or head != known:
            since = now
        self._heads[name] = (head, since)
        return (now - since).total_seconds()

    # -- the ledger and the daemons' own words ------------------------------------------------

    def _ledger(self, signs: Signs) -> list[Trouble]:
        found = []
        if signs.unknown:
            words = f"타격 {', '.join(map(str, signs.unknown))} 의 주문 결과를 모릅니다"
            found.append(Trouble("unknown", "CRITICAL", words))
        if signs.rejected:
            words = f"타격 {', '.join(map(str, signs.rejected))} 을 증권사가 거부했습니다"
            found.append(Trouble("rejected", "WARNING", words))
        if signs.halt:
            level = "INFO" if signs.halt_source in ("CLI", "PLUGIN") else "CRITICAL"
            found.append(Trouble("halt", level, f"주문이 멈춰 있습니다: {signs.halt}"))
        for guard, words in signs.trips.items():
            found.append(Trouble(f"guard:{guard}", "WARNING", f"가드 {guard} 작동: {words}"))
        feeds = [one for name, one in signs.workers.items() if name.startswith("market")]
        up = [(one.detail.get("sections_up", 0), one.detail.get("sections", 0)) for one in feeds]
        if any(0 < some < all_ for some, all_ in up):
            some, all_ = sum(one for one, _ in up), sum(one for _, one in up)
            found.append(Trouble("sections", "WARNING", f"섹션 {all_}개 중 {some}개만 붙어 있음"))
        left = [one.detail.get("connects_left", -1) for one in feeds]
        if any(one >= 0 for one in left):  # below 0: not known now (Redis is away)
            self._spent = 0 in left
        if self._spent and any(some for some, _ in up):
            # none up: the silence is told, and why. All up: nothing to do but not to restart
            whole = all(some == all_ for some, all_ in up)
            level = "INFO" if whole else "WARNING"
            found.append(Trouble("connects", level, "재접속 예산을 다 썼습니다 (10분에 4번)"))
        if any(one.detail.get("drift", 0) > 0 for one in feeds):
            found.append(Trouble("drift", "WARNING", "체결 전문의 모양이 달라진 종목이 있습니다"))
        if unheld := [str(d) for one in feeds if (d := one.detail.get("unregistered"))]:
            words = f"증권사가 등록을 거절해 시세가 없습니다: {', '.join(unheld)}"
            found.append(Trouble("registration", "WARNING", words))
        widths = [int(one.detail.get("fields", 0)) for one in feeds]
        self._width = max(widths, default=0) or self._width  # a daemon just started knows none yet
        if self._width > max(KNOWN_TRADE_WIDTHS):
            words = "칸으로 늘었습니다. 아는 칸만 읽고 매매는 계속합니다"
            found.append(
                Trouble(f"fields:{self._width}", "WARNING", f"체결 전문이 {self._width}{words}")
            )
        return found


def _why(signs: Signs, name: str) -> str:
    worker = signs.workers.get(name)
    why = worker.detail.get("why") or worker.detail.get("refused") if worker else ""
    return f" ({str(why)[:100]})" if why else ""
