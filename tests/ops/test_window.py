"""What only Redis and the lease know is put where the site's page can read it."""

from __future__ import annotations

import time
from typing import Any

from db.lease import ORDERS, give_back, take_lease
from runtime import wiring
from runtime.alarms.pulse import BEAT
from runtime.alarms.window import lanes_shown
from runtime.loop import kst_now
from runtime.settings import load_settings
from workers.watchdog import Watchdog


def wait_for(rig: Any, sql: str, wanted: Any, seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while (found := [tuple(row) for row in rig.rows(sql)]) != wanted:
        assert time.monotonic() < ends, found
        time.sleep(0.2)


def test_each_lane_of_each_app_key_is_in_the_table_within_seconds(rig: Any) -> None:
    label = load_settings().kis.sections[0].label
    of_orders = "SELECT label, used, granted, waiting FROM lane WHERE lane = 'order'"
    with lanes_shown(wiring.engine("watchdog", autocommit=True)):
        permit = wiring.lanes().acquire("order", 5.0)
        wait_for(rig, of_orders, [(label, 1, 1, 0)])
        permit.done()
        wait_for(rig, of_orders, [(label, 0, 1, 0)])
    names = {row.lane for row in rig.rows("SELECT lane FROM v_lane")}
    assert names == {"all", "order", "confirm", "assets", "spare", "sweep"}
    (whole,) = rig.rows("SELECT places, granted FROM lane WHERE lane = 'all'")
    assert tuple(whole) == (wiring.lanes().snapshot().ceiling, 1)
    section = load_settings().kis.sections[0]
    written = str([tuple(row) for row in rig.rows("SELECT * FROM lane")])
    for secret in (section.app_key, section.app_secret, section.account):
        assert secret.get_secret_value() not in written


def test_without_redis_the_old_figures_stay_and_the_watch_goes_on(rig: Any) -> None:
    with lanes_shown(wiring.engine("watchdog", autocommit=True)):
        wait_for(rig, "SELECT COUNT(*) FROM lane", [(6,)])
        broken = f"redis://127.0.0.1:1/{load_settings().redis.state_db}"
        wiring.lanes.cache_clear()
        wiring.redis.cache_clear()
        rig.settings(REDIS__URL=broken.rsplit("/", 1)[0])
        (before,) = rig.rows("SELECT MAX(updated_at) AS at FROM lane")
        time.sleep(2.5)  # two turns that find no Redis
        rig.settings()
        ends = time.monotonic() + 30
        while rig.rows("SELECT MAX(updated_at) AS at FROM lane")[0].at <= before.at:
            assert time.monotonic() < ends, "the thread did not come back with Redis"
            time.sleep(0.2)


def test_beat_and_the_order_worker_have_their_rows(rig: Any) -> None:
    states = "SELECT name, state FROM v_daemon ORDER BY name"
    engine = wiring.engine("orders")
    rig.redis().set(BEAT, time.time())
    take_lease(engine, ORDERS, "worker-orders")
    watchdog = Watchdog()
    try:
        watchdog.look(kst_now())
        wait_for(rig, states, [("beat", "RUNNING"), ("orders", "RUNNING")], 0.0)
        rows = rig.rows("SELECT TIMESTAMPDIFF(SECOND, progress_at, NOW(6)) AS age FROM daemon")
        assert all(abs(row.age) < 20 for row in rows)
        give_back(engine, ORDERS, "worker-orders")
        watchdog.look(kst_now())
        wait_for(rig, states, [("beat", "RUNNING"), ("orders", "STOPPED")], 0.0)
    finally:
        watchdog.close()
