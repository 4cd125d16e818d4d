"""Prometheus: one exporter, in the watchdog. Hot paths stay untouched: everything is read from what
the last look saw (tables, Redis), never older than two seconds, and a scrape costs one short query.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from db.errors import mapped
from runtime import wiring
from runtime.alarms.judge import Trouble
from runtime.alarms.look import Seen
from runtime.settings import load_settings
from trading.errors import ConfigError, StockdError

log = structlog.get_logger(__name__)

# detail of the market daemon's row -> (metric, what it is); counters end in _total
FEED = {
    "ticks": ("stockd_ticks_total", "Trade records read (체결)"),
    "rows": ("stockd_market_rows_total", "Rows written to table market"),
    "bad": ("stockd_frames_bad_total", "Trade records that could not be read"),
    "repaired": ("stockd_bars_repaired_total", "Bars repaired by the daemon"),
    "connects": ("stockd_connects_total", "Websocket connects"),
    "ticks_per_s": ("stockd_ticks_per_second", "Trade records a second"),
    "row_ms": ("stockd_tick_to_row_milliseconds", "Slowest tick to committed row lately"),
    "sections": ("stockd_sections", "Sections of this daemon"),
    "sections_up": ("stockd_sections_up", "Sections connected"),
    "stocks": ("stockd_stocks", "Stocks watched"),
    "drift": ("stockd_drift_stocks", "Stocks whose records changed shape"),
    "fields": ("stockd_trade_fields", "Fields of a trade record"),
    "refused": ("stockd_stocks_refused", "Stocks no section has room for"),
    "connects_left": ("stockd_connects_left", "Connects left in ten minutes (P11)"),
}
_FACTS = (
    (
        "stockd_order_gap_seconds",
        "Smallest gap between two order calls of the last hour (P5)",
        "SELECT MIN(gap) FROM (SELECT TIMESTAMPDIFF(MICROSECOND, LAG(claimed_at) OVER"
        " (ORDER BY claimed_at), claimed_at) / 1e6 AS gap FROM strike"
        " WHERE claimed_at > NOW(6) - INTERVAL 1 HOUR AND answered_at IS NOT NULL) one",
    ),
    (
        "stockd_fill_delay_seconds",
        "Slowest fill of the last hour, from the exchange to the table (P9)",
        "SELECT MAX(TIMESTAMPDIFF(MICROSECOND, at, recorded_at)) / 1e6 FROM fill"
        " WHERE recorded_at > NOW(6) - INTERVAL 1 HOUR",
    ),
)


class Watch(Protocol):
    """What the exporter reads: ``workers.watchdog.Watchdog``."""

    seen: Seen | None
    engine: sa.Engine
    book: Any  # .open: dict[str, Trouble]


class Exporter(AbstractContextManager["Exporter"]):
    """Serves http://metrics.host:metrics.port/metrics while entered; port 0: nowhere."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._server: Any = None

    def __enter__(self) -> Exporter:
        known = load_settings().metrics
        if known.port:
            registry = CollectorRegistry()
            registry.register(_Everything(self._watch))
            try:
                self._server, _ = start_http_server(known.port, known.host, registry)
            except OSError as error:
                raise ConfigError(
                    "metrics.port (STOCKD_METRICS__PORT)", f"{known.port}: {error.strerror}"
                ) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Everything(Collector):
    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Metric]:
        seen = self._watch.seen
        yield from _open_alarms(self._watch.book.open)
        if seen is None:
            return
        # a watch that hangs leaves its last figures standing here, looking well
        age = time.monotonic() - seen.at
        yield _gauge("stockd_look_age_seconds", "Since the watchdog last looked", age)
        yield _gauge("stockd_mariadb_up", "MariaDB answers", int(not seen.mariadb))
        yield _gauge("stockd_redis_up", "Redis answers", int(not seen.redis))
        yield _gauge("stockd_beat_age_seconds", "Since beat sent a wake-up", seen.beat_s)
        length = GaugeMetricFamily("stockd_queue_length", "Messages waiting", labels=["queue"])
        for name, one in seen.queues.items():
            length.add_metric([name], one.length)
        yield length
        if seen.signs is not None:
            yield from _signs(seen)
            yield from _facts(self._watch.engine)
        if not seen.redis:
            yield from _lanes()


def _signs(seen: Seen) -> Iterator[Metric]:
    signs = seen.signs
    assert signs is not None  # noqa: S101  the caller asked
    for name, words, age in (
        ("stockd_tick_age_seconds", "Since the last tick", signs.tick_s),
        ("stockd_asset_age_seconds", "Since the last asset row", signs.asset_s),
    ):
        yield _gauge(name, words, age)
    yield _gauge("stockd_event_scheduler", "MariaDB's scheduler is on", int(signs.scheduler_on))
    yield _gauge("stockd_halted", "New orders are stopped (P10)", int(bool(signs.halt)))
    yield _gauge("stockd_orders_unknown", "Orders whose outcome is not known", len(signs.unknown))
    held = signs.lease_s is not None and signs.lease_s < 0
    yield _gauge("stockd_order_worker", "An order worker holds the lease", int(held))
    for name, words, label, values in (
        ("stockd_event_age_seconds", "Since an EVENT last ended", "event", signs.events),
        ("stockd_strikes", "Strikes of today by state", "state", signs.strikes),
        (
            "stockd_heartbeat_age_seconds", "Since a process's work last moved", "process",
            {name: one.age_s for name, one in signs.workers.items()},
        ),
    ):  # fmt: skip
        family = GaugeMetricFamily(name, words, labels=[label])
        for key, value in values.items():
            family.add_metric([key], value)
        yield family
    feeds = {n: w.detail for n, w in signs.workers.items() if n.startswith("market")}
    for key, (name, words) in FEED.items():
        kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        feed = kind(name, words, labels=["daemon"])
        for daemon, detail in feeds.items():
            if key in detail:
                feed.add_metric([daemon], float(detail[key]))
        yield feed


def _facts(engine: sa.Engine) -> Iterator[Metric]:
    try:
        with mapped(), engine.connect() as connection:
            for name, words, query in _FACTS:
                yield _gauge(name, words, connection.scalar(sa.text(query)))
            trips = CounterMetricFamily(
                "stockd_guard_trips_total", "Guard trips, drills left out", labels=["guard"]
            )
            for guard, count in connection.execute(
                sa.text("SELECT guard, COUNT(*) FROM guard_trip WHERE drill = 0 GROUP BY guard")
            ):
                trips.add_metric([guard], count)
            yield trips
    except (StockdError, SQLAlchemyError) as error:
        log.debug("측정값 일부를 읽지 못함", error=type(error).__name__)


def _lanes() -> Iterator[Metric]:
    labels = ["section", "lane"]
    limit = GaugeMetricFamily("stockd_lane_limit", "Calls a second", labels=labels)
    used = GaugeMetricFamily("stockd_lane_used", "Places taken now", labels=labels)
    waiting = GaugeMetricFamily("stockd_lane_waiting", "Calls waiting now", labels=labels)
    granted = CounterMetricFamily("stockd_lane_granted_total", "Calls let in", labels=labels)
    refused = CounterMetricFamily("stockd_lane_refused_total", "Calls not let in", labels=labels)
    left = GaugeMetricFamily("stockd_section_connects_left", "Of ten minutes", labels=["section"])
    try:
        for one in load_settings().kis.sections:
            for lane in wiring.lanes(one.label).snapshot().lanes:
                key = [one.label, lane.lane]
                limit.add_metric(key, lane.limit)
                used.add_metric(key, lane.used)
                waiting.add_metric(key, lane.waiting)
                granted.add_metric(key, lane.granted)
                refused.add_metric(key, lane.refused)
            seen = wiring.reconnect_budget().look(wiring.kis_key(one.label).key_id)
            left.add_metric([one.label], seen["left"])
    except StockdError as error:
        log.debug("레인을 읽지 못함", error=str(error))
    yield from (limit, used, waiting, granted, refused, left)


def _open_alarms(open_: dict[str, Trouble]) -> Iterator[Metric]:
    family = GaugeMetricFamily("stockd_alarm", "Faults open now", labels=["fault", "level"])
    for name, one in open_.items():
        family.add_metric([name, one.level], 1)
    yield family


def _gauge(name: str, words: str, value: float | Decimal | None) -> Metric:
    """One figure; a name without a sample while there has never been one."""
    family = GaugeMetricFamily(name, words)
    if value is not None:
        family.add_metric([], float(value))
    return family
