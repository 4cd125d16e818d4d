"""예행연습: when the trader walks the way of a strike in vain, and when it lets that be."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisGone

from runtime.rehearsal import ASIDE_S, REST_S, Rehearsal
from trading.clock import KST
from trading.errors import Unavailable

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=KST)
NIGHT = datetime(2026, 11, 30, 23, 0, tzinfo=KST)
CONNECTION: Any = object()


@dataclass
class Way:
    """The way of a strike, as a rehearsal meets it."""

    time: float = 0.0
    queue: int = 0
    redis_gone: bool = False
    mariadb_gone: bool = False
    walked: int = 0
    called: int = 0
    rehearsal: Rehearsal = field(init=False)
    every_s: float = 0.05

    def __post_init__(self) -> None:
        self.rehearsal = Rehearsal(
            self.every_s, lambda now: now.hour < 20, self._walk, self._waiting, self._call,
            monotonic=lambda: self.time,
        )  # fmt: skip

    def _walk(self, connection: Any) -> None:
        assert connection is CONNECTION
        if self.mariadb_gone:
            raise Unavailable("MariaDB")
        self.walked += 1

    def _waiting(self) -> int:
        if self.redis_gone:
            raise RedisGone
        return self.queue

    def _call(self) -> None:
        self.called += 1

    def looks(self, seconds: float, now: datetime = NOON) -> None:
        """A look every 2 ms for so long."""
        for _ in range(round(seconds / 0.002)):
            self.time += 0.002
            self.rehearsal.look(now, CONNECTION)


def test_twenty_a_second_in_market_hours_and_none_at_night():
    way = Way()
    way.looks(1.0)
    assert 18 <= way.called == way.walked <= 20
    way.looks(1.0, NIGHT)
    assert way.called <= 20


def test_none_where_the_settings_say_so():
    way = Way(every_s=0)
    way.looks(1.0)
    assert way.walked == way.called == 0


def test_a_worker_that_has_something_to_do_is_not_called():
    """Dead or busy: rehearsals never pile up before an order."""
    way = Way(queue=1)
    way.looks(1.0)
    assert way.called == 0
    way.queue = 0
    way.looks(0.1)
    assert way.called


def test_it_steps_aside_for_a_strike():
    way = Way()
    way.looks(0.1)
    called = way.called
    way.rehearsal.step_aside()
    way.looks(ASIDE_S - 0.01)
    assert way.called == called
    way.looks(0.1)
    assert way.called > called


def test_redis_away_costs_rehearsals_and_nothing_else():
    way = Way(redis_gone=True)
    way.looks(REST_S - 1)
    assert way.walked == 1, "asked once, then left alone for a while"
    way.redis_gone = False
    way.looks(2.0)
    assert way.called


def test_mariadb_away_is_the_traders_own_trouble():
    way = Way(mariadb_gone=True)
    with pytest.raises(Unavailable):
        way.looks(0.1)
