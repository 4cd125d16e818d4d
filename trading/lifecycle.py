"""The life of a strike as a table of allowed steps, the ugly ones included.

A strike is born CLAIMED: the trader has claimed this arming. The order worker then claims the right
to send (SENDING, committed before the one HTTP call). One thing alone leads back to CLAIMED, once a
strike: the gateway refused the token of the call, so no order was read (docs/adr/0011).
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """타격 상태."""

    CLAIMED = "CLAIMED"  # 대기: in the ledger, not sent
    SENDING = "SENDING"  # 전송 중: committed, the call is being made
    ACCEPTED = "ACCEPTED"  # 접수: the broker gave an order number
    REJECTED = "REJECTED"  # 거부: the broker's own word
    UNKNOWN = "UNKNOWN"  # 결과 불명: settled by the broker's lists only, never sent again
    PART_FILLED = "PART_FILLED"  # 일부 체결
    FILLED = "FILLED"  # 체결
    CANCELLED = "CANCELLED"  # 취소 (the rest of it)
    EXPIRED = "EXPIRED"  # 만료: its time passed before it was sent
    DENIED = "DENIED"  # 차단: a guard said no
    NOT_SENT = "NOT_SENT"  # 미전송 확인: the broker's lists do not know it


S = State
ALLOWED: dict[State, frozenset[State]] = {
    S.CLAIMED: frozenset({S.SENDING, S.EXPIRED, S.DENIED}),
    S.SENDING: frozenset({S.ACCEPTED, S.REJECTED, S.UNKNOWN, S.NOT_SENT, S.CLAIMED}),
    # the answer of a call that the sweeper had given up may still come, and it is the broker's word
    S.UNKNOWN: frozenset({S.ACCEPTED, S.REJECTED, S.NOT_SENT}),
    # an exchange can refuse what the broker had accepted (RFUS_YN 1)
    S.ACCEPTED: frozenset({S.PART_FILLED, S.FILLED, S.CANCELLED, S.REJECTED}),
    S.PART_FILLED: frozenset({S.FILLED, S.CANCELLED, S.ACCEPTED}),
    # a fill can follow a cancel: the notice of the fill was the slower one
    S.CANCELLED: frozenset({S.FILLED}),
    S.REJECTED: frozenset(),
    # a notice came twice, and the broker's list says that fewer shares changed hands, or none; if
    # it was the list that lagged, an order that is open again is asked for until the fills are back
    S.FILLED: frozenset({S.PART_FILLED, S.ACCEPTED}),
    S.EXPIRED: frozenset(),
    S.DENIED: frozenset(),
    # the broker's list was late: the order turned up after two reads without it
    S.NOT_SENT: frozenset({S.ACCEPTED}),
}

OPEN = frozenset({S.ACCEPTED, S.PART_FILLED})  # an order stands at the broker
UNSETTLED = frozenset({S.SENDING, S.UNKNOWN})  # there may be one
FINAL = frozenset(s for s in State if s not in OPEN | UNSETTLED | {S.CLAIMED})


class BadStep(Exception):
    """A step that the table does not allow: a bug, never input."""


def check(before: State, after: State) -> None:
    """BadStep unless ``after`` may follow ``before``."""
    if after not in ALLOWED[before]:
        raise BadStep(f"{before} -> {after} is not an allowed step")


def state_after_fills(quantity: int, filled: int, current: State) -> State:
    """The state that ``filled`` of ``quantity`` shares means for an order now in ``current``."""
    if filled >= quantity:
        return State.FILLED if State.FILLED in ALLOWED[current] else current
    if current not in (State.ACCEPTED, State.PART_FILLED, State.FILLED):
        return current
    return State.PART_FILLED if filled > 0 else State.ACCEPTED
