"""Section (섹션): one websocket session of one app key, as a loop of steps the caller owns.

``open()``, then ``step()`` again and again; ``fileno()`` lets one loop select over all sections.
No thread, no sleep of its own. Trade frames are folded into a ``kis.tape.Tape``, or come out
untouched as ``bytes``; everything else is an event.
"""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from kis.acks import Ack, PingPong, Reaction, parse_control
from kis.crypto import decrypt
from kis.deframe import CLOSE, Control
from kis.frames import (
    NOTICE_MOCK,
    NOTICE_REAL,
    TRADE,
    TRADE_PREFIX,
    TradeReader,
    is_data,
    notice_records,
    split_frame,
)
from kis.keys import Env, KisKey
from kis.parse import parse_notice
from kis.registrations import PACE_S, Registration, Registrations
from kis.tape import Tape
from kis.wire import Wire
from trading.clock import KST
from trading.errors import BadInput, Unavailable
from trading.fills import Notice

STOCKS_MAX = 40
DUE_LOOK_S = 0.005  # what is due is looked for so often, not with every frame
CLOSE_PACE_S = 0.03  # 41 unsubscribes have to fit into a shutdown of 5 s
ENDS_SECTION = frozenset({Reaction.BAD_KEY_RENEW, Reaction.IN_USE_WAIT})


@dataclass(frozen=True, slots=True)
class Noticed:
    """One fill notice of our account's HTS id (possibly of another account under it)."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class Registered:
    """A registration is held (``on``) or given up."""

    registration: Registration
    on: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """KIS refused a registration; ``ack.reaction`` says what that asks for."""

    registration: Registration | None
    ack: Ack


@dataclass(frozen=True, slots=True)
class Unread:
    """A message or a notice record that could not be read; the rest goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is over. ``clean`` when it was we who unsubscribed and closed.

    ``reaction`` is BAD_KEY_RENEW or IN_USE_WAIT where KIS said so, else None.
    """

    reason: str
    clean: bool
    reaction: Reaction | None = None


Event = Noticed | Registered | Refusal | Unread | Lost


class Section:
    """One session. ``trades`` counts its trade records; ``last_frame_at`` is monotonic seconds."""

    def __init__(
        self,
        key: KisKey,
        env: Env,
        ws_url: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(KST),
    ) -> None:
        self.label = key.label
        self.trades = TradeReader()
        self.last_frame_at = monotonic()
        self.opened_at = 0.0
        self.keeps_alive = False  # a PINGPONG came on this connection
        self.on_messages: Callable[[list[bytes | Control]], object] | None = None  # a recorder
        self._key = key
        self._url = ws_url
        self._notice_tr = NOTICE_REAL if env is Env.REAL else NOTICE_MOCK
        self._monotonic = monotonic
        self._now = now
        self._registrations = Registrations()
        self._ciphers: dict[str, tuple[str, str]] = {}  # tr_id -> (key, iv)
        self._wire: Wire | None = None
        self._approval = ""
        self._reaction: Reaction | None = None
        self._closing = False
        self._next_look = 0.0

    # -- life -------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Connected, as far as is known."""
        return self._wire is not None

    @property
    def held(self) -> list[str]:
        """Stocks that are registered now."""
        return [tr_key for tr_id, tr_key in self._registrations.held if tr_id == TRADE]

    @property
    def stocks(self) -> int:
        """How many trade here: those registered, or those asked for while none is yet."""
        wished = sum(tr_id == TRADE for tr_id, _ in self._registrations.wished)
        return len(self.held) or wished

    @property
    def refused(self) -> dict[str, str]:
        """Stocks that KIS will not deliver here, and its code; "notice" for the fill notice."""
        found = list(self._registrations.refused.items())
        return {key if tr_id == TRADE else "notice": code for (tr_id, key), code in found}

    @property
    def settled(self) -> bool:
        """Registered is exactly what is wanted."""
        return self._registrations.settled

    @property
    def has_notice(self) -> bool:
        """Whether the fill notice is registered now."""
        return (self._notice_tr, self._key.hts_id) in self._registrations.held

    def fileno(self) -> int:
        """For select and selectors. Unavailable when not connected."""
        if self._wire is None:
            raise Unavailable(f"{self.label}: not connected")
        return self._wire.fileno()

    def want(self, symbols: Iterable[str], notice: bool = True) -> None:
        """The stocks (at most 40, most important first) and whether the fill notice, to be held.

        Changes go out from the next steps: unsubscribe, its ack, subscribe. BadInput names the
        stock that does not fit, and nothing changes.
        """
        stocks = list(dict.fromkeys(symbols))
        if len(stocks) > STOCKS_MAX:
            raise BadInput("symbols", stocks[STOCKS_MAX], f"섹션당 {STOCKS_MAX}종목까지입니다")
        wished = [(TRADE, symbol) for symbol in stocks]
        if notice and self._key.hts_id:
            wished.insert(0, (self._notice_tr, self._key.hts_id))
        self._registrations.wish(wished)

    def open(self, approval_key: str, timeout: float = 5.0) -> None:
        """Connect. The caller has a claim of the reconnect budget. Unavailable if it fails,
        Unreached if KIS saw nothing of it."""
        self._drop()
        self._approval = approval_key
        self._reaction = None
        self._closing = self.keeps_alive = False
        self._registrations.pace_s = PACE_S
        self._wire = Wire(self._url, timeout)
        self.opened_at = self.last_frame_at = self._monotonic()

    def begin_close(self) -> None:
        """Give up all registrations from the next steps on; ``step`` until ``Lost`` comes."""
        self._closing = True
        self._registrations.wish(())
        self._registrations.pace_s = CLOSE_PACE_S

    def close(self, timeout: float = 3.0, tape: Tape | None = None) -> list[bytes | Event]:
        """Unsubscribe all, close frame, done; at most ``timeout`` s. Returns what still came."""
        return close_all([self], timeout, tape)

    def abort(self, reason: str) -> Lost:
        """Drop the connection now (it was silent for too long, say): a close frame, no waiting."""
        if self._wire is not None and not self._wire.lost:
            self._wire.send(CLOSE, b"\x03\xe8")  # even so: a close frame may free the slot
        self._drop()
        return Lost(reason, clean=False)

    # -- steps ------------------------------------------------------------------------------

    def step(self, timeout: float = 0.0, tape: Tape | None = None) -> list[bytes | Event]:
        """Receive what is there (waiting up to ``timeout`` s), send what is due.

        Returns trade frames (``bytes``) and events in the order they came; with a ``tape`` the
        trade frames are folded into it and only events come back (the fast way). After ``Lost``
        the section is closed; ``open`` begins anew.
        """
        wire = self._wire
        if wire is None:
            return []
        if timeout > 0:
            select.select([wire], [wire] if wire.has_unsent else [], [], timeout)
        messages = wire.receive()
        if messages:
            self.last_frame_at = self._monotonic()
            if self.on_messages is not None:
                self.on_messages(messages)
        if tape is not None:
            messages = tape.fold(self.trades, messages)
        out = self.take(messages, tape)
        now = self._monotonic()
        if not wire.lost and self._reaction is None:
            self._send_due(wire, now)
        if self._closing and not self._registrations.held and not wire.lost:
            wire.send(CLOSE, b"\x03\xe8")  # 1000
            self._drop()
            out.append(Lost("closed by us", clean=True))
        elif wire.lost or self._reaction is not None:
            reason = wire.lost or f"KIS: {self._reaction}"
            self._drop()
            out.append(Lost(reason, clean=False, reaction=self._reaction))
        return out

    def take(
        self, messages: list[bytes | Control], tape: Tape | None = None
    ) -> list[bytes | Event]:
        """Sort messages: trade frames pass untouched, the rest becomes events."""
        out: list[bytes | Event] = []
        for message in messages:
            if isinstance(message, Control):
                continue
            if message[:11] == TRADE_PREFIX:
                out.append(message)
                continue
            try:
                if is_data(message):
                    self._take_data(message, out, tape)
                else:
                    self._take_control(message, out)
            except BadInput as error:
                out.append(Unread(str(error)))
        return out

    def _take_data(self, message: bytes, out: list[bytes | Event], tape: Tape | None) -> None:
        frame = split_frame(message)
        body = frame.body
        if frame.encrypted:  # the frame says so; the ack's encrypt flag is not to be trusted
            if frame.tr_id not in self._ciphers:
                raise BadInput("tr_id", frame.tr_id, "encrypted, and no ack brought its key")
            body = decrypt(body, *self._ciphers[frame.tr_id])
        if frame.tr_id == TRADE:
            opened = TRADE_PREFIX + b"%03d|" % frame.count + body
            if tape is None:
                out.append(opened)
            else:
                tape.fold(self.trades, [opened])
        elif frame.tr_id in (NOTICE_REAL, NOTICE_MOCK):
            records = notice_records(body)
            for record in records:
                try:
                    out.append(Noticed(parse_notice(record, self._now())))
                except BadInput as error:
                    out.append(Unread(f"notice: {error}"))
            if len(records) < frame.count:
                out.append(Unread(f"notice: {len(records)} records of {frame.count}"))
        else:
            raise BadInput("tr_id", frame.tr_id, "nothing of this kind was asked for")

    def _take_control(self, message: bytes, out: list[bytes | Event]) -> None:
        control = parse_control(message)
        if isinstance(control, PingPong):
            self.keeps_alive = True
            if self._wire is not None:
                self._wire.send_text(control.message)
            return
        registration = self._registrations.answer(control, self._monotonic())
        if control.iv and control.key and registration is not None:
            self._ciphers[registration[0]] = (control.key, control.iv)
        if control.reaction in ENDS_SECTION:
            self._reaction = control.reaction
        if control.reaction in (Reaction.OK, Reaction.ALREADY):
            if registration is not None:
                out.append(Registered(registration, registration in self._registrations.held))
        else:
            out.append(Refusal(registration, control))

    def _send_due(self, wire: Wire, now: float) -> None:
        wire.flush()
        if now < self._next_look:
            return
        self._next_look = now + DUE_LOOK_S
        due = self._registrations.next_due(now)
        if due is not None:
            wire.send_text(self._message(*due))

    def _message(self, tr_type: str, registration: Registration) -> bytes:
        header = {
            "approval_key": self._approval,
            "custtype": "P",
            "tr_type": tr_type,
            "content-type": "utf-8",
        }
        asked = {"tr_id": registration[0], "tr_key": registration[1]}
        return json.dumps({"header": header, "body": {"input": asked}}).encode()

    def _drop(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        self._registrations.connection_lost()
        self._ciphers.clear()


def close_all(
    sections: Iterable[Section], timeout: float = 3.0, tape: Tape | None = None
) -> list[bytes | Event]:
    """Close sections side by side, each unsubscribed and with a close frame; at most ``timeout`` s.

    A slot that is not closed like this stays taken at KIS for minutes or hours.
    """
    out: list[bytes | Event] = []
    opened = [section for section in sections if section.is_open]
    for section in opened:
        section.begin_close()
    ends = time.monotonic() + timeout
    while opened and time.monotonic() < ends:
        select.select(opened, [], [], 0.01)
        for section in opened:
            out += section.step(0.0, tape)
        opened = [section for section in opened if section.is_open]
    for section in opened:
        out.append(section.abort("not all unsubscribed in time"))
    return out
