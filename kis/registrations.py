"""Registrations of one section: what is wished, held, asked and refused. No socket in here.

The rules of the venue: 41 a session, fill notice included; one message each 0.1 s; no request id,
so acks are matched by (tr_id, tr_key) and, where KIS leaves those out, by order; a stock is
replaced by unsubscribe -> its ack -> subscribe, else OPSP0008 (fact sheet §4, §5, gotchas §4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kis.acks import Ack, Reaction
from trading.errors import BadInput

CAPACITY = 41
PACE_S = 0.1
ACK_TIMEOUT_S = 5.0
RETRY_S = {Reaction.FULL: 30.0, Reaction.RETRY_LATER: 10.0}  # the others: not on this connection
UNANSWERED_MAX = 3

Registration = tuple[str, str]  # (tr_id, tr_key)
SUBSCRIBE, UNSUBSCRIBE = "1", "2"  # tr_type; the "0" of some docstrings is wrong


@dataclass(slots=True)
class _Asked:
    tr_type: str
    at: float


class Registrations:
    """The bookkeeping; times are the caller's monotonic seconds."""

    def __init__(self) -> None:
        self.wished: dict[Registration, None] = {}  # in order of importance
        self.held: dict[Registration, None] = {}
        self.unanswered = 0  # asked, no ack within 5 s; counted for the alarm
        self.refused: dict[Registration, str] = {}  # code of those not held, nor soon to be
        self.pace_s = PACE_S
        self._asked: dict[Registration, _Asked] = {}  # in the order they were sent
        self._silent: dict[Registration, int] = {}  # times in a row without an ack
        self._not_before: dict[Registration, float] = {}
        self._last_sent = float("-inf")

    def wish(self, wished: Iterable[Registration]) -> None:
        """Replace the wishes. BadInput names the one that does not fit; nothing changes then."""
        fresh = dict.fromkeys(wished)
        if len(fresh) > CAPACITY:
            beyond = list(fresh)[CAPACITY]
            raise BadInput("tr_key", beyond[1], f"한 섹션에는 {CAPACITY}건까지만 등록됩니다")
        self.wished = fresh
        self.refused = {reg: code for reg, code in self.refused.items() if reg in fresh}

    def connection_lost(self) -> None:
        """KIS remembers nothing after a drop: everything is to be asked again."""
        self.held.clear()
        self.refused = {}
        self._asked.clear()
        self._silent.clear()
        self._not_before.clear()
        self._last_sent = float("-inf")

    @property
    def settled(self) -> bool:
        """Held is exactly what is wished and nothing is under way."""
        return not self._asked and self.held.keys() == self.wished.keys()

    def next_due(self, now: float) -> tuple[str, Registration] | None:
        """(tr_type, registration) to send now, if any; it is noted as sent."""
        self._expire(now)
        if now - self._last_sent < self.pace_s:
            return None
        due = self._choose(now)
        if due is not None:
            self._asked[due[1]] = _Asked(due[0], now)
            self._last_sent = now
        return due

    def _choose(self, now: float) -> tuple[str, Registration] | None:
        leaving = [reg for reg in self.held if reg not in self.wished]
        for reg in leaving:
            if reg not in self._asked and self._not_before.get(reg, 0.0) <= now:
                return UNSUBSCRIBE, reg
        if any(asked.tr_type == UNSUBSCRIBE for asked in self._asked.values()):
            return None  # a subscribe waits for the ack of what it replaces
        taken = len(self.held) + len(self._asked.keys() - self.held.keys())
        if taken >= CAPACITY:
            return None
        for reg in self.wished:
            if (
                reg not in self.held
                and reg not in self._asked
                and self._not_before.get(reg, 0.0) <= now
            ):
                return SUBSCRIBE, reg
        return None

    def _expire(self, now: float) -> None:
        late = [reg for reg, asked in self._asked.items() if now - asked.at > ACK_TIMEOUT_S]
        for reg in late:
            del self._asked[reg]
            self.unanswered += 1
            self._silent[reg] = self._silent.get(reg, 0) + 1
            if self._silent[reg] >= UNANSWERED_MAX:
                self._silent[reg] = 0
                self._not_before[reg] = now + 60.0

    def answer(self, ack: Ack, now: float) -> Registration | None:
        """Take an ack; returns the registration it was about, None if it matches nothing asked."""
        reg = self._match(ack)
        if reg is None:
            return None
        asked = self._asked.pop(reg)
        self._silent.pop(reg, None)
        if ack.reaction in (Reaction.OK, Reaction.ALREADY):
            self.refused.pop(reg, None)
            if asked.tr_type == SUBSCRIBE:
                self.held[reg] = None
            else:
                self.held.pop(reg, None)
                # a slot came free: who was refused for want of one may ask at once
                self._not_before = {
                    other: until for other, until in self._not_before.items() if until == _NEVER
                }
        else:
            if asked.tr_type == SUBSCRIBE and ack.reaction is not Reaction.RETRY_LATER:
                self.refused[reg] = ack.code
            wait = RETRY_S.get(ack.reaction)
            self._not_before[reg] = _NEVER if wait is None else now + wait
        return reg

    def _match(self, ack: Ack) -> Registration | None:
        for reg, asked in self._asked.items():
            same_way = asked.tr_type == UNSUBSCRIBE or not ack.of_unsubscribe
            if same_way and ack.tr_id in ("", reg[0]) and ack.tr_key in ("", reg[1]):
                return reg
        return None


_NEVER = float("inf")
