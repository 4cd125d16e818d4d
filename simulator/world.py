"""Everything one simulated broker is made of, plugged together."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from random import Random

from simulator.account import Account
from simulator.auth import Desk
from simulator.clock import ExchangeClock
from simulator.exchange import Exchange
from simulator.journal import Journal
from simulator.keys import Customer, customer
from simulator.market import Market
from simulator.meter import Connects, Gap, Window
from simulator.notices import NoticeDesk
from simulator.scenario import Scenario
from simulator.symbols import listings


@dataclass(slots=True)
class Counters:
    """What the simulator has seen, for /_sim/stats."""

    windows: dict[str, Window]  # app key label → REST calls
    ledgers: dict[str, Window]  # account label → ledger queries
    order_gaps: dict[str, Gap]  # account label → order calls
    connects: dict[str, Connects]  # app key label → websocket connects
    refused: dict[str, int] = field(default_factory=dict)  # msg_cd → how often
    order_calls: int = 0
    lost_replies: int = 0
    in_use: int = 0  # OPSP8996 sent

    def refuse(self, msg_cd: str) -> None:
        """Count a refusal by its code."""
        self.refused[msg_cd] = self.refused.get(msg_cd, 0) + 1


@dataclass(slots=True)
class World:
    """The broker and its market."""

    scenario: Scenario
    clock: ExchangeClock
    market: Market
    customers: list[Customer]
    desk: Desk
    accounts: dict[str, Account]  # by number
    exchange: Exchange
    notices: NoticeDesk
    journal: Journal
    counters: Counters
    seed: int
    dice: Random  # of faults and session keys, so that they do not disturb the market's walk
    lose_next: list[str] = field(default_factory=list)  # how the next order answers get lost

    def reset_books(self) -> None:
        """Accounts, orders and counters as at the start; prices and connections stay."""
        for stock in self.market.stocks.values():
            stock.orders.clear()
            self.market.review(stock)
        self.accounts.update(_accounts(self.customers, self.scenario, self.market))
        self.notices = NoticeDesk(self.market, self.seed)
        self.exchange = Exchange(self.market, self.journal, self.notices.tell, self.seed + 1)
        self.counters = _counters(self.customers)


def _accounts(customers: list[Customer], scenario: Scenario, market: Market) -> dict[str, Account]:
    return {
        one.account: Account.opened(one.account, one.account_label, scenario, market.stocks)
        for one in customers
    }


def _counters(customers: list[Customer]) -> Counters:
    labels = [one.label for one in customers]
    accounts = [one.account_label for one in customers]
    return Counters(
        {one: Window() for one in labels},
        {one: Window() for one in accounts},
        {one: Gap() for one in accounts},
        {one: Connects() for one in labels},
    )


def build(
    scenario: Scenario,
    journal: Journal,
    *,
    seed: int = 1,
    sections: int = 5,
    symbols: int | Path = 200,
    start: str = "",
    day: date | None = None,
) -> World:
    """A broker with `sections` customers and a market of `symbols` stocks."""
    clock = ExchangeClock(start, day)
    market = Market(listings(symbols, seed), scenario, clock, seed)
    customers = [customer(number) for number in range(1, sections + 1)]
    unknown = [code for code in scenario.holdings if code not in market.stocks]
    if unknown:
        raise ValueError(f"holdings={unknown[0]!r}: not among the {len(market.stocks)} stocks")
    notices = NoticeDesk(market, seed)
    return World(
        scenario,
        clock,
        market,
        customers,
        Desk(customers, scenario, seed),
        _accounts(customers, scenario, market),
        Exchange(market, journal, notices.tell, seed),
        notices,
        journal,
        _counters(customers),
        seed,
        Random(seed ^ 0xD1CE),
    )
