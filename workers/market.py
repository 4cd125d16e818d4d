"""The market daemon: KIS websockets in, table `market` out, notices and gaps beside it.

One thread reads all sections, folds every record into the state of its stock (kis/tape.py) and
writes what changed (runtime/market_writer.py); another asks the databases for everything else
(runtime/market_clerk.py).
``Market`` is the step of the supervised loop, ``main`` what `stockd market` runs.
"""

from __future__ import annotations

import select
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog

from db.heartbeat import Heartbeat
from db.notices import SeenNotice, record_notice
from db.ticks import TickWriter
from kis.frames import TRADE
from kis.parse import parse_figures, parse_moment, parse_tick
from kis.stream import Event, Lost, Noticed, Refusal, Registered, Unread
from kis.tape import Tape
from runtime.feed_link import Link
from runtime.loop import Step, Stop, kst_now, supervise
from runtime.market_bars import BarKeeper
from runtime.market_clerk import Clerk
from runtime.market_gaps import FeedGaps
from runtime.market_parts import MarketParts, market_parts
from runtime.market_signs import MarketSigns
from runtime.market_silence import Sight, Silence
from runtime.market_watch import WatchList
from runtime.market_writer import MarketWriter
from runtime.scheduling import take_short_turns
from trading.conflation import Conflator
from trading.errors import OutsideError, StockdError

log = structlog.get_logger(__name__)

SELECT_S = 0.02  # registrations and connects are looked at this often when nothing comes
CLOSE_S = 2.5  # unsubscribe 41 and close, of the 5 s a shutdown has
COVERED_AFTER_S = 20.0  # a section whose last registrations KIS keeps refusing counts as back
PACE_S = 0.001  # frames are looked at so often while they come, the first after silence at once
SWITCH_S = 0.0005  # the feed gets its turn back from the clerk within half a millisecond


class Market:
    """The feed loop. ``start``, then call it again and again, then ``stop``."""

    def __init__(self, parts: MarketParts) -> None:
        self.parts = parts
        self.lock = threading.Lock()
        self.conflator = Conflator(parse_moment)
        self.tape = Tape(self.conflator)
        self._pool = ThreadPoolExecutor(max_workers=max(2, len(parts.sections)) + 1)
        self.writer = MarketWriter(
            TickWriter(parts.engine),
            self.conflator,
            self._pool,
            parse_tick,
            parse_figures,
            parts.written,
        )
        self.clerk = Clerk()
        self.keeper = BarKeeper(parts.engine, self.conflator, self.lock)
        self.foreign_notices = 0
        self.links = parts.links(self._pool)
        self.gaps = FeedGaps(parts.engine, self.conflator, self.lock, self.clerk)
        self.watch = WatchList(parts, self.links, self.conflator, self.lock, self.gaps)
        self.signs = MarketSigns(parts, self.links, self.conflator, self.writer, self.keeper)
        self._by_fd: dict[int, Link] = {}
        self._epoll = select.epoll()
        self._copies: dict[int, Counter[tuple]] = {link.number: Counter() for link in self.links}
        self._silences = {link.number: Silence(parts.silence_s) for link in self.links}
        self._widths: set[int] = set()
        self._awake = True
        self._today = kst_now().date()
        self._next_take = self._next_look = self._next_second = 0.0
        self._rows_told = 0

    # -- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Read where the last run stopped and begin. Raises Unavailable without MariaDB."""
        self.watch.resume()
        self.gaps.start([link.number for link in self.links], kst_now(), self.parts.missed)
        self.watch.make()
        self.clerk.every(1.0, self.watch.make)
        self.clerk.every(1.0, self.beat)
        self.clerk.every(5.0, lambda: self.keeper.check(kst_now()))
        self.clerk.every(60.0, self.watch.forget_rows)
        if self.parts.recorder is not None:
            self.parts.recorder.start()
        self.clerk.start()

    def __call__(self, now: datetime) -> bool:
        """One turn: wait shortly for frames, take them, keep the sections going."""
        self._wait()
        for fd, _ in self._epoll.poll(0.0 if self._moving else SELECT_S):
            link = self._by_fd.get(fd)
            if link is not None:
                self._take(link)
        self.writer.turn()
        clock = time.monotonic()
        self._next_take = clock + PACE_S
        if clock >= self._next_look:
            self._next_look = clock + SELECT_S
            self._look(now, clock)
        moved, self._rows_told = self.writer.rows > self._rows_told, self.writer.rows
        return moved

    @property
    def _moving(self) -> bool:
        return self.writer.busy or bool(self.conflator.dirty and not self.writer.failing)

    def _wait(self) -> None:
        """While ticks come: until the next look at them, taking the answer of the last write."""
        while self._moving and (left := self._next_take - time.monotonic()) > 0:
            if self.writer.busy:
                self.writer.await_answer(left)
            else:
                time.sleep(left)

    def stop(self) -> None:
        """Unsubscribe, close frames, last rows written: within 5 s."""
        now = kst_now()
        ends = time.monotonic() + CLOSE_S
        for link in self.links:
            if link.section.is_open:
                link.section.begin_close()
        while (left := [link for link in self.links if link.section.is_open]) and (
            time.monotonic() < ends
        ):
            self._epoll.poll(0.01)
            for link in left:
                self._take(link, closing=True)
        for link in self.links:
            if link.section.is_open:
                link.section.abort("not all unsubscribed in time")
                self._tell_closed(link, clean=False)
            if self._awake:
                self.gaps.note(link.number, now, "데몬을 끔")
        written = self.writer.stop(1.0)
        if self.parts.recorder is not None:
            self.parts.recorder.stop(1.0)
        self.clerk.stop(1.0)
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._epoll.close()
        log.info("시장 데몬 끝", written=written, notices_left=self.clerk.waiting)

    def _tell_closed(self, link: Link, clean: bool) -> None:
        try:
            link.closed(clean)
        except StockdError as error:
            log.warning("재접속 예산에 알리지 못함", section=link.number, error=str(error))

    # -- frames and events ------------------------------------------------------------------

    def _take(self, link: Link, closing: bool = False) -> None:
        with self.lock:
            self.conflator.received = time.time()
            events = link.section.step(0.0, self.tape)
        widths = link.section.trades.extra_widths
        if widths and widths - self._widths:
            self._widths |= widths
            log.error("체결 전문 필드 수가 늘어남", widths=sorted(self._widths))
        if self.tape.shorts:
            log.error("체결 전문 필드 부족: 이 종목 매매 중지", symbols=self.tape.shorts)
            self.tape.shorts = []
        for event in events:
            if not isinstance(event, bytes):  # trade frames are in the tape
                self._event(link, event, closing)

    def _event(self, link: Link, event: Event, closing: bool) -> None:
        match event:
            case Noticed():
                self._noticed(link, event)
            case Registered(registration, on):
                if on and registration[0] == TRADE and link.number not in self.gaps:
                    with self.lock:
                        self.conflator.back([registration[1]], kst_now())
            case Refusal(registration, ack):
                log.error(
                    "등록 거절",
                    section=link.number,
                    symbol=registration[1] if registration and registration[0] == TRADE else "",
                    code=ack.code,
                    reaction=ack.reaction.value,
                )
            case Unread(reason):
                log.warning("읽을 수 없는 전문", section=link.number, reason=reason)
            case Lost():
                self._lost(link, event, closing)

    def _noticed(self, link: Link, event: Noticed) -> None:
        one = event.notice
        label = self.parts.accounts.get(one.account)
        if label is None:  # another account under the same HTS id
            self.foreign_notices += 1
            return
        content = (one.account, one.order_no, one.kind, one.at, one.price, one.quantity)
        copies = self._copies[link.number]
        copies[content] += 1
        seen = SeenNotice(label, one, copies[content], kst_now())
        self.clerk.put(lambda: self._store(seen))

    def _store(self, seen: SeenNotice) -> None:
        if record_notice(self.parts.engine, seen) and self.parts.notice_stored is not None:
            try:
                self.parts.notice_stored(seen.account, seen.notice.order_no)
            except OutsideError as error:  # the wake-up is a convenience: polls come by anyway
                log.warning("체결 확인을 깨우지 못함", error=str(error))

    def _lost(self, link: Link, lost: Lost, closing: bool) -> None:
        self._by_fd = {fd: other for fd, other in self._by_fd.items() if other is not link}
        if closing:
            self._tell_closed(link, lost.clean)
            return
        silent = time.monotonic() - link.section.last_frame_at
        log.warning("섹션 끊김", section=link.number, reason=lost.reason)
        link.lost(lost)
        if self._awake:
            self.gaps.note(link.number, kst_now() - timedelta(seconds=silent), lost.reason)

    # -- by turns ---------------------------------------------------------------------------

    def _look(self, now: datetime, clock: float) -> None:
        self.watch.apply()
        for link in self.links:
            if link.up:
                self._take(link)  # sends what is due
            elif link.tick(self._awake):
                fd = link.section.fileno()
                self._by_fd[fd] = link
                self._epoll.register(fd, select.EPOLLIN)
            self._look_at_cover(link, now, clock)
        if clock >= self._next_second:
            self._next_second = clock + 1.0
            self._awake = self.parts.awake(now + timedelta(minutes=10))
            if now.date() != self._today:
                self._today = now.date()
                with self.lock:
                    self.conflator.look_at_dates()
            self._look_at_silence(now, clock)

    def _look_at_cover(self, link: Link, now: datetime, clock: float) -> None:
        """A section is back when all its stocks are registered (or what is left is refused)."""
        if link.number not in self.gaps or not link.up:
            return
        section = link.section
        if not section.settled and clock - section.opened_at < COVERED_AFTER_S:
            return
        self.gaps.back(link.number, section.held, now)

    def _look_at_silence(self, now: datetime, clock: float) -> None:
        if not self.parts.awake(now):
            return
        trading = self.parts.trading(now)
        for link in self.links:
            one, silence = link.section, self._silences[link.number]
            seen = Sight(
                one.trades.frames, one.stocks, one.opened_at, one.last_frame_at, one.keeps_alive
            )
            if link.up and (why := silence.look(seen, clock, trading)):
                one.last_frame_at = silence.since  # what came after it was no trade
                self._lost(link, one.abort(why), False)

    @property
    def records(self) -> int:
        """Trade records read since the start, over all sections."""
        return self.signs.records

    def detail(self) -> Mapping[str, Any]:
        """What `stockd status` shows of the feed."""
        return self.signs.detail(len(self.watch.refused))

    def beat(self) -> None:
        """The row of `daemon`."""
        self.signs.beat(self.detail())


@contextmanager
def running(parts: MarketParts) -> Iterator[Market]:
    """A market daemon that runs, and is closed tidily."""
    market = Market(parts)
    market.start()
    try:
        yield market
    finally:
        market.stop()


class _RoundBeats:
    """Beats of the supervised loop that are not the daemon's own: it knows more when it runs."""

    def __init__(self, parts: MarketParts) -> None:
        self._heartbeat = Heartbeat(parts.engine, parts.name, kst_now())

    def beat(
        self, at: datetime, state: str = "RUNNING", detail: Mapping[str, Any] | None = None
    ) -> None:
        if state != "RUNNING":
            self._heartbeat.beat(at, state, detail)


def main(section: int | None = None) -> int:
    """`stockd market`: until SIGTERM. The exit code. ``section``: that one alone."""
    sys.setswitchinterval(SWITCH_S)
    take_short_turns()
    stop = Stop().on_signals()

    @contextmanager
    def opened() -> Iterator[Step]:
        with running(market_parts(section)) as market:
            yield market

    return supervise("market", opened, stop, beats=_RoundBeats(market_parts(section)))


if __name__ == "__main__":
    sys.exit(main())
