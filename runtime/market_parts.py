"""What the market daemon is made of, plugged together from the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy import Engine

from db.tables import ConditionTables, condition_tables
from db.watch import wanted_symbols
from kis.keys import KisKey
from kis.reconnect import ReconnectBudget
from kis.stream import Section
from runtime import wiring
from runtime.calendar import Calendar, market_is_awake, market_is_continuous, prints_missed
from runtime.feed_link import ApprovalKeys, Link
from runtime.record.place import recorder
from runtime.record.recorder import Recorder
from runtime.settings import load_settings
from trading.errors import BadInput

SILENCE_S = 60.0  # no trade on a whole section of 40 stocks while the market trades (gotchas §4)


class NoticeStored(Protocol):
    """Told after the commit of a new notice: wakes whoever settles fills. Must not wait."""

    def __call__(self, account: str, order_no: str) -> object: ...


@dataclass(frozen=True)
class SectionParts:
    """One section's key and what speaks for it."""

    number: int  # 1-based, as in market.section
    key: KisKey
    section: Section
    auth: ApprovalKeys


@dataclass
class MarketParts:
    """Everything the daemon needs from outside; tests and benchmarks make their own."""

    engine: Engine
    sections: Sequence[SectionParts]  # those this process runs
    numbers: Sequence[int]  # all sections there are: the watch list is spread over these
    budget: ReconnectBudget
    wanted: Callable[[], list[str]]  # stocks, most important first
    accounts: dict[str, str]  # account number (10 digits) -> label
    awake: Callable[[datetime], bool]
    trading: Callable[[datetime], bool] = field(default=lambda at: True)  # continuous, no auction
    # from when on prints were missed by who heard nothing in between, None: there were none
    missed: Callable[[datetime, datetime], datetime | None] = field(
        default=lambda since, now: since
    )
    name: str = "market"
    silence_s: float = SILENCE_S
    notice_stored: NoticeStored | None = None
    written: Callable[[list[tuple[str, int]], float], object] | None = None
    budget_left: Callable[[], int] = field(default=lambda: -1)
    recorder: Recorder | None = None  # raw frames to disk

    def links(self, pool: Executor) -> list[Link]:
        """A link for each of our sections, not connected yet."""
        if self.recorder is not None:
            for one in self.sections:
                one.section.on_messages = partial(self.recorder.take, one.number)
        return [
            Link(
                one.number,
                one.section,
                key_id=one.key.key_id,
                auth=one.auth,
                budget=self.budget,
                pool=pool,
            )
            for one in self.sections
        ]


def market_parts(only: int | None = None, notice_stored: NoticeStored | None = None) -> MarketParts:
    """From the settings; ``only`` one section of them. BadInput when there is no such section."""
    settings = load_settings()
    labels = [one.label for one in settings.kis.sections]
    numbers = list(range(1, len(labels) + 1))
    if only is not None and only not in numbers:
        raise BadInput("--section", only, f"1 … {len(labels)}")
    sections = [
        SectionParts(
            number,
            wiring.kis_key(label),
            Section(wiring.kis_key(label), wiring.kis_env(), settings.kis.ws_url),
            wiring.kis_auth(label),
        )
        for number, label in zip(numbers, labels, strict=True)
        if only in (None, number)
    ]
    calendar = Calendar(wiring.state_dir())
    budget = wiring.reconnect_budget()
    return MarketParts(
        engine=wiring.engine("market"),
        sections=sections,
        numbers=numbers,
        budget=budget,
        wanted=lambda: wanted(wiring.engine("market"), condition_place(), settings.watch.symbols),
        accounts={wiring.kis_key(label).account_no: label for label in labels},
        awake=lambda at: market_is_awake(settings, calendar, at),
        trading=lambda at: market_is_continuous(settings, calendar, at),
        missed=lambda since, now: prints_missed(settings, calendar, since, now),
        name="market" if only is None else f"market-{only}",
        notice_stored=notice_stored,
        recorder=recorder(),
        budget_left=lambda: min(int(budget.look(one.key.key_id)["left"]) for one in sections),
    )


def condition_place() -> ConditionTables:
    """The conditions' tables where the settings say they stand."""
    site = load_settings().site
    return condition_tables(site.database or None, site.prefix)


def wanted(engine: Engine, tables: ConditionTables, configured: Sequence[str]) -> list[str]:
    """Armed stocks, then table `watch`, then the settings' watch list."""
    return list(dict.fromkeys([*wanted_symbols(engine, tables), *configured]))
