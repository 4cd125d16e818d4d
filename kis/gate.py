"""CallGate: what kis/ asks of the call budget, which lives in Redis and is plugged by runtime/."""

from __future__ import annotations

from typing import Protocol


class Permit(Protocol):
    """The right to make one REST call.

    ``done()`` is called once, when an answer (any answer, errors included) has been read: the
    permit is then given back one second later. When no answer came, ``done()`` is never called and
    the permit stays taken for the whole hold time: the request may still be on its way.
    """

    def done(self) -> None: ...


class CallGate(Protocol):
    """The call budget of one app key, shared by every process.

    ``lane`` is one of ``order confirm assets spare sweep`` (``kis.endpoints.Lane``). ``timeout`` is
    in seconds; 0 means "now or not at all". ``ledger`` asks for the per-account pacing of ledger
    queries (EGW00215, about 1.05 s from the previous answer) on top of the lane.
    Raises ``trading.errors.Throttled`` when no permit came free in time, ``Unavailable`` when the
    budget cannot be asked (Redis gone: fail closed, no call goes out).
    """

    def acquire(self, lane: str, timeout: float, *, ledger: bool = False) -> Permit: ...
