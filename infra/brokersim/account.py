"""The book of one account: cash to the cent, positions at average cost, what is settled or reserved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from infra.brokersim.orders import Action, Fill, Order
from infra.brokersim.tape import NEW_YORK

CASH_ACCOUNT_KEY = "-simulated-cash-key-01"
MARGIN_ACCOUNT_KEY = "simulated_margin-key-2"
CLOSED_ACCOUNT_KEY = "simulated_closed-key-3"

MARGIN_MODES = frozenset({"MARGIN", "PDT ACCOUNT", "REGT"})


def next_weekday(day: date) -> date:
    """The next weekday, on which a trade settles where nobody gives another calendar: no holidays, and T+1 always."""
    day += timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day


@dataclass(slots=True, kw_only=True)
class Position:
    """Shares held and what they cost in dollars."""

    quantity: int
    cost: Decimal
    opened: datetime


@dataclass(slots=True, kw_only=True)
class Account:
    """One account of the simulated owner; never holds less than zero of anything.

    `unsettled` are the proceeds of sells by the day from which a cash account may spend them, `settles` gives that day
    of a trade's.

    `earlier` are orders of the days before, oldest first; `lost_in` the symbols that were sold at a loss today.
    """

    account_id: str
    key: str
    mode: str
    description: str
    cash: Decimal
    closed_at: datetime | None = None
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    earlier: list[Order] = field(default_factory=list)
    lost_in: set[str] = field(default_factory=set)
    client_order_ids: set[str] = field(default_factory=set)
    fills: list[Fill] = field(default_factory=list)
    realized: Decimal = Decimal(0)
    withdrawn: dict[str, int] = field(default_factory=dict)
    settles: Callable[[date], date] = next_weekday
    unsettled: dict[date, Decimal] = field(default_factory=dict)

    @property
    def margin(self) -> bool:
        """Whether it may spend proceeds that are not settled."""
        return self.mode in MARGIN_MODES

    def live_orders(self) -> list[Order]:
        """Orders that may still fill, oldest first."""
        return [order for order in self.orders.values() if order.live]

    def settled_cash(self, at: datetime) -> Decimal:
        """Cash without the proceeds of sells that settle after the New York date of `at`."""
        today = at.astimezone(NEW_YORK).date()
        return self.cash - sum((usd for day, usd in self.unsettled.items() if day > today), Decimal(0))

    def reserved_cash(self) -> Decimal:
        """Dollars that live buy orders may still spend."""
        buys = (order for order in self.live_orders() if order.ticket.action is Action.BUY)
        return sum((order.reserve_price * order.remaining for order in buys), Decimal(0))

    def buying_power(self, at: datetime) -> Decimal:
        """Dollars that a new buy may spend: settled cash (margin account: all cash) less what is reserved."""
        spendable = self.cash if self.margin else self.settled_cash(at)
        return spendable - self.reserved_cash()

    def available_shares(self, symbol: str) -> int:
        """Shares that a new sell may offer: those held less those that live sells offer already."""
        position = self.positions.get(symbol)
        held = position.quantity if position else 0
        return held - sum(
            order.remaining
            for order in self.live_orders()
            if order.ticket.action is Action.SELL and order.ticket.symbol == symbol
        )

    def book(self, fill: Fill) -> None:
        """Moves cash and shares for one fill; commission is zero."""
        self.fills.append(fill)
        amount, symbol = fill.price * fill.quantity, fill.ticket.symbol
        if fill.ticket.action is Action.BUY:
            position = self.positions.setdefault(symbol, Position(quantity=0, cost=Decimal(0), opened=fill.at))
            position.quantity += fill.quantity
            position.cost += amount
            self.cash -= amount
            return
        position = self.positions[symbol]
        cost = position.cost * fill.quantity / position.quantity
        position.quantity -= fill.quantity
        position.cost -= cost
        if not position.quantity:
            del self.positions[symbol]
        self.cash += amount
        self.realized += amount - cost
        if amount < cost:
            self.lost_in.add(symbol)
        settles = self.settles(fill.at.astimezone(NEW_YORK).date())
        self.unsettled[settles] = self.unsettled.get(settles, Decimal(0)) + amount

    def withdraw(self, symbol: str, quantity: int) -> None:
        """Moves shares to another broker, at their cost; what sells offer of them stays as it is."""
        position = self.positions[symbol]
        position.cost -= position.cost * quantity / position.quantity
        position.quantity -= quantity
        self.withdrawn[symbol] = self.withdrawn.get(symbol, 0) + quantity
        if not position.quantity:
            del self.positions[symbol]
