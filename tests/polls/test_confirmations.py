"""체결 확인: every second, and out of the way of the next poll."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runtime import polls


@pytest.fixture
def confirmed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], list[str]]:
    """What a confirmation does so many seconds before (0: at or after) the moment of a poll."""
    done: list[str] = []

    class FreeTurns:
        @contextmanager
        def turn(self, *_: Any, **__: Any) -> Iterator[bool]:
            yield True

    def settle() -> int:
        done.append("list")
        return 0

    def apply_notices() -> int:
        done.append("notices")
        return 0

    monkeypatch.setattr(polls.wiring, "slots", FreeTurns)
    monkeypatch.setattr(polls.orders, "settle", settle)
    monkeypatch.setattr(polls.orders, "apply_notices", apply_notices)

    def at(seconds: float) -> list[str]:
        monkeypatch.setattr(polls, "until_the_moment", lambda every_s: seconds)
        done.clear()
        assert polls.confirm_orders() == "0"
        return list(done)

    return at


@pytest.mark.parametrize("seconds", [0.0, 1.3, 4.9])
def test_the_brokers_list_is_read_while_there_is_time(
    confirmed_at: Callable[[float], list[str]], seconds: float
) -> None:
    assert confirmed_at(seconds) == ["list"]


@pytest.mark.parametrize("seconds", [0.01, 0.6, 1.2])
def test_just_before_a_poll_a_confirmation_reads_its_notices_and_asks_nobody(
    confirmed_at: Callable[[float], list[str]], seconds: float
) -> None:
    assert confirmed_at(seconds) == ["notices"]
