"""An account at the broker: cash in its settlement buckets, holdings, today's trades."""

from dataclasses import dataclass, field
from fractions import Fraction

from simulator.scenario import Scenario
from simulator.stock import Stock


@dataclass(slots=True)
class Holding:
    """A holding in shares; `cost` is what the shares held were bought for, in won."""

    stock: Stock
    quantity: int = 0
    cost: Fraction = Fraction(0)
    bought_today: int = 0
    sold_today: int = 0
    bought_yesterday: int = 0
    sold_yesterday: int = 0
    days_empty: int = 0

    @property
    def average(self) -> Fraction:
        """Average price paid, 0 when nothing is held."""
        return self.cost / self.quantity if self.quantity else Fraction(0)


@dataclass(slots=True)
class Reserved:
    """What an open order keeps from being used twice."""

    cash: int = 0
    shares: int = 0


@dataclass(slots=True)
class Account:
    """One account. D+0 does not move on today's trades, D+2 moves with every fill."""

    number: str  # 10 digits
    label: str
    cash_d0: int
    cash_d1: int
    cash_d2: int
    holdings: dict[str, Holding] = field(default_factory=dict)
    reserved: dict[str, Reserved] = field(default_factory=dict)  # order number → kept
    bought_today: int = 0
    sold_today: int = 0
    costs_today: int = 0
    bought_yesterday: int = 0
    sold_yesterday: int = 0
    costs_yesterday: int = 0
    realised_today: Fraction = Fraction(0)
    realised_cost_today: Fraction = Fraction(0)
    assets_yesterday: int = 0

    @classmethod
    def opened(
        cls, number: str, label: str, scenario: Scenario, stocks: dict[str, Stock]
    ) -> "Account":
        """An account with the scenario's cash and holdings."""
        cash = scenario.cash
        account = cls(number, label, cash, cash, cash)
        for code, (quantity, average) in scenario.holdings.items():
            holding = Holding(stocks[code], quantity, Fraction(quantity * average))
            account.holdings[code] = holding
        account.assets_yesterday = cash + account.value()
        return account

    def value(self) -> int:
        """Holdings at the last price."""
        return sum(one.quantity * one.stock.price for one in self.holdings.values())

    def orderable_cash(self) -> int:
        """Cash that a new buy may use: D+2 money less what open buys keep."""
        return self.cash_d2 - sum(one.cash for one in self.reserved.values())

    def orderable_shares(self, code: str) -> int:
        """Shares of a stock that a new sell may use."""
        held = self.holdings[code].quantity if code in self.holdings else 0
        kept = sum(one.shares for odno, one in self.reserved.items() if odno.startswith(f"{code}/"))
        return held - kept

    def keep(self, code: str, odno: str, *, cash: int = 0, shares: int = 0) -> None:
        """Reserve for an order; nothing left to reserve ends the reservation."""
        if cash or shares:
            self.reserved[f"{code}/{odno}"] = Reserved(cash, shares)
        else:
            self.reserved.pop(f"{code}/{odno}", None)

    def buy(self, stock: Stock, quantity: int, price: int, scenario: Scenario) -> None:
        """Book a fill of a buy order."""
        amount = quantity * price
        fee = amount * scenario.fee_ppm // 1_000_000
        holding = self.holdings.setdefault(stock.listing.code, Holding(stock))
        holding.quantity += quantity
        holding.cost += amount
        holding.bought_today += quantity
        holding.days_empty = 0
        self.cash_d2 -= amount + fee
        self.bought_today += amount
        self.costs_today += fee

    def sell(self, stock: Stock, quantity: int, price: int, scenario: Scenario) -> None:
        """Book a fill of a sell order."""
        amount = quantity * price
        costs = amount * scenario.fee_ppm // 1_000_000 + amount * scenario.tax_ppm // 1_000_000
        holding = self.holdings[stock.listing.code]
        paid = holding.average * quantity
        holding.quantity -= quantity
        holding.cost -= paid
        holding.sold_today += quantity
        self.cash_d2 += amount - costs
        self.sold_today += amount
        self.costs_today += costs
        self.realised_today += amount - paid
        self.realised_cost_today += paid

    def new_day(self) -> None:
        """Settlement moves on a day; rows of shares sold out stay until two days after."""
        self.assets_yesterday = self.cash_d2 + self.value()
        self.cash_d0, self.cash_d1 = self.cash_d1, self.cash_d2
        self.bought_yesterday, self.bought_today = self.bought_today, 0
        self.sold_yesterday, self.sold_today = self.sold_today, 0
        self.costs_yesterday, self.costs_today = self.costs_today, 0
        self.realised_today = self.realised_cost_today = Fraction(0)
        self.reserved.clear()
        for code, one in list(self.holdings.items()):
            one.bought_yesterday, one.bought_today = one.bought_today, 0
            one.sold_yesterday, one.sold_today = one.sold_today, 0
            one.days_empty += 0 if one.quantity else 1
            if one.days_empty > 2:
                del self.holdings[code]
