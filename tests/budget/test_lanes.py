"""The user's split: 8 fixed calls and a surplus, order first, and nobody let in on a guess."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import redis

from budget.connect import connect
from budget.lanes import Lanes
from budget.plan import LANES, plan
from trading.errors import BadInput, ConfigError, Throttled, Unavailable


def open_lanes(store: redis.Redis, ceiling: int = 18, **settings: object) -> Lanes:
    lanes = Lanes(store, "main", plan(ceiling), **settings)  # type: ignore[arg-type]
    lanes.vouch()
    return lanes


def take(lanes: Lanes, lane: str) -> int:
    """How many calls of a lane go out at once."""
    count = 0
    while True:
        try:
            lanes.acquire(lane, 0)
        except Throttled:
            return count
        count += 1


def test_the_plan_of_8_and_12_at_twenty_a_second() -> None:
    assert plan(20).limits == {"order": 1, "confirm": 1, "assets": 4, "spare": 2, "sweep": 12}
    assert plan(18).limits["sweep"] == 10
    assert plan(18, margin=2).limits["sweep"] == 8
    assert plan(18, sweep=6).limits["sweep"] == 6


@pytest.mark.parametrize("ceiling", [1, 3, 8, 9, 18, 20])
def test_all_lanes_together_never_exceed_the_ceiling(store: redis.Redis, ceiling: int) -> None:
    lanes = open_lanes(store, ceiling)
    assert sum(take(lanes, lane) for lane in LANES) <= ceiling
    assert lanes.snapshot().used <= ceiling


def test_an_order_goes_out_although_every_poll_has_filled_its_lane(store: redis.Redis) -> None:
    lanes = open_lanes(store)
    polled = {lane: take(lanes, lane) for lane in ("sweep", "assets", "confirm", "spare")}
    assert polled == {"sweep": 10, "assets": 4, "confirm": 1, "spare": 1}
    first, second = lanes.acquire("order", 0), lanes.acquire("order", 0)
    assert (first.pool, second.pool) == ("order", "spare")
    with pytest.raises(Throttled):
        lanes.acquire("order", 0)


def test_a_place_comes_back_one_second_after_the_answer_and_not_before(store: redis.Redis) -> None:
    lanes = open_lanes(store)
    permit = lanes.acquire("confirm", 0)
    time.sleep(0.2)
    answered = time.monotonic()
    permit.done()
    lanes.acquire("confirm", 3.0)
    assert time.monotonic() - answered >= 1.0


def test_a_call_without_an_answer_keeps_its_place_for_the_whole_hold(store: redis.Redis) -> None:
    lanes = open_lanes(store, hold_s=1.5)
    asked = time.monotonic()
    lanes.acquire("confirm", 0)
    with pytest.raises(Throttled):
        lanes.acquire("confirm", 1.2)
    lanes.acquire("confirm", 2.0)
    assert time.monotonic() - asked >= 1.5


def test_ledger_queries_keep_the_pace_of_the_account_and_orders_do_not_wait_for_it(
    store: redis.Redis,
) -> None:
    lanes = open_lanes(store)
    at = []
    for lane in ("assets", "confirm", "assets"):
        permit = lanes.acquire(lane, 5.0, ledger=True)
        at.append(time.monotonic())
        permit.done()
        assert lanes.acquire("sweep", 0)  # quotes have no part in it
    lanes.acquire("order", 0)
    assert all(later - earlier >= 1.05 for earlier, later in pairwise(at))


def in_line(lanes: Lanes, callers: list[tuple[str, str]]) -> list[str]:
    """Ledger queries that ask one after the other, (who, lane); in which order they are served."""
    served: list[str] = []

    def query(who: str, lane: str) -> None:
        permit = lanes.acquire(lane, 20.0, ledger=True)
        served.append(who)
        permit.done()

    with ThreadPoolExecutor(len(callers)) as pool:
        for who, lane in callers:
            pool.submit(query, who, lane)
            time.sleep(0.1)
    return served


def test_who_waits_for_the_ledger_is_served_first_come_first_served(store: redis.Redis) -> None:
    """Drawing lots, a poll of four calls lost so often against a resting order's confirmation (one
    a second) that every fifth cycle took longer than its turn."""
    lanes = open_lanes(store)
    lanes.acquire("assets", 0, ledger=True).done()
    callers = [("holdings", "assets"), ("a fill", "confirm"), ("profit", "assets"),
               ("holidays", "spare"), ("cash", "assets")]  # fmt: skip
    assert in_line(lanes, callers) == [who for who, _ in callers]


def test_a_poll_that_booked_the_ledger_goes_before_who_came_earlier(store: redis.Redis) -> None:
    lanes = open_lanes(store)
    lanes.book("assets", 5.0)
    callers = [("a fill", "confirm"), ("holidays", "spare"), ("holdings", "assets"),
               ("cash", "assets")]  # fmt: skip
    # it booked one call: the next one of its lane stands where it came
    assert in_line(lanes, callers) == ["holdings", "a fill", "holidays", "cash"]


def test_a_booking_that_nobody_comes_for_holds_nobody_up_for_long(store: redis.Redis) -> None:
    lanes = open_lanes(store)
    lanes.book("assets", 0.5)
    with pytest.raises(Throttled):
        lanes.acquire("confirm", 0, ledger=True)
    lanes.acquire("order", 0)  # an order has no part in it
    lanes.acquire("sweep", 0)
    lanes.acquire("confirm", 1.0, ledger=True)


def test_who_was_killed_while_it_waited_for_the_ledger_holds_nobody_up(store: redis.Redis) -> None:
    killed = open_lanes(store, sleep=_killed)
    killed.acquire("assets", 0, ledger=True).done()
    with pytest.raises(KeyboardInterrupt):
        killed.acquire("assets", 5.0, ledger=True)
    open_lanes(store).acquire("confirm", 4.0, ledger=True)


def _killed(_seconds: float) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("ceiling", [1, 3])
def test_where_lanes_share_by_rank_a_booking_changes_nothing(
    store: redis.Redis, ceiling: int
) -> None:
    lanes = open_lanes(store, ceiling)
    lanes.book("assets", 5.0)
    lanes.acquire("confirm", 0, ledger=True)


def test_with_one_call_a_second_a_waiting_order_goes_before_everybody(store: redis.Redis) -> None:
    lanes = open_lanes(store, 1)
    served: list[str] = []

    def call(lane: str) -> None:
        permit = lanes.acquire(lane, 20.0)
        served.append(lane)
        permit.done()

    lanes.acquire("sweep", 0).done()
    with ThreadPoolExecutor(4) as pool:
        for lane in ("sweep", "assets", "confirm", "order"):
            pool.submit(call, lane)
            time.sleep(0.1)
    assert served == ["order", "confirm", "assets", "sweep"]


def test_a_redis_that_lost_its_memory_lets_nobody_in_for_window_and_hold(
    store: redis.Redis,
) -> None:
    lanes = Lanes(store, "main", plan(18), hold_s=1.0)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="just started"):
        lanes.acquire("order", 0.5)
    lanes.acquire("order", 5.0)
    assert time.monotonic() - started >= 2.0
    store.flushall()  # the scripts are still known, the places are not
    with pytest.raises(Unavailable):
        lanes.acquire("order", 0)
    lanes.vouch()
    lanes.acquire("order", 0)
    store.script_flush()  # the data came back from an older save, the scripts did not
    with pytest.raises(Unavailable):
        lanes.acquire("spare", 0)


def test_without_redis_no_call_goes_out() -> None:
    lanes = Lanes(connect("redis://127.0.0.1:1/0", 0.2), "main", plan(18))
    for lane in LANES:
        with pytest.raises(Unavailable):
            lanes.acquire(lane, 1.0)
    with pytest.raises(Unavailable):
        lanes.snapshot()


def test_an_answer_that_cannot_be_reported_breaks_nothing(store: redis.Redis) -> None:
    permit = open_lanes(store).acquire("order", 0)
    store.connection_pool.disconnect()
    store.connection_pool.connection_kwargs["port"] = 1
    permit.done()


def test_the_live_view_shows_used_waiting_and_refused(store: redis.Redis) -> None:
    lanes = open_lanes(store)
    assert take(lanes, "assets") == 4
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lanes.acquire, "confirm", 3.0)
        waiting.result().done()
        late = pool.submit(lanes.acquire, "confirm", 3.0)
        time.sleep(0.1)
        view = {one.lane: one for one in lanes.snapshot().lanes}
        late.result()
    assert (view["assets"].used, view["assets"].refused, view["assets"].granted) == (4, 1, 4)
    assert view["confirm"].waiting == 1
    assert lanes.snapshot().ceiling == 18


def test_two_app_keys_have_two_budgets(store: redis.Redis) -> None:
    one, two = open_lanes(store), Lanes(store, "second", plan(18))
    two.vouch()
    assert take(one, "sweep") == take(two, "sweep") == 10
    assert b"" not in store.keys("stockd:lanes:{main}:*")


@pytest.mark.parametrize(("margin", "sweep"), [(18, None), (-1, None), (0, -1)])
def test_a_senseless_margin_is_named(margin: int, sweep: int | None) -> None:
    with pytest.raises(ConfigError, match=r"kis\."):
        plan(18, margin, sweep)


def test_an_unknown_lane_is_named(store: redis.Redis) -> None:
    with pytest.raises(BadInput, match="lane='fast'"):
        open_lanes(store).acquire("fast", 0)
