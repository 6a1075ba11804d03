"""What a back-test carries from day to day, what a played day leaves, and what a model of the market has to do.

What can go wrong: a day begins with money that has not settled, forgets a loss that still bars a symbol, or counts the
day trades of another week. What this promises: all that the live system knows at an open of the days before is in
`Carried`, and a day that is played gives the one for the next; nothing else passes from day to day.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from infra.backtest.day import Day, Tick
from infra.brokersim.account import Position as Shares
from infra.brokersim.market import Market
from infra.brokersim.orders import Fill as MarketFill
from infra.brokersim.orders import Order as MarketOrder
from infra.results.facts import Mark, Point, Skipped
from shared.domain.base.calendar import TradingSession
from shared.domain.control.control import Control
from shared.domain.market.series import Split
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Fill, Ledger, Position
from shared.domain.orders.signals import Signal
from shared.domain.orders.watches import PositionWatch
from shared.domain.telling.left_out import LeftOut
from shared.frozen import frozen

Book = Callable[[MarketOrder, MarketFill], None]
"""Told of each fill, at its instant, by whoever matches orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overnight:
    """What there is of that which is held over a close, beside the book.

    `shares` are the account's, by symbol, each with its `last` price; `resting` are the orders that go on at the
    market. `orders` are all of ours over these positions, and `watches` what the scan wants of them.
    """

    shares: Mapping[str, Shares] = field(default_factory=dict)
    last: Mapping[str, Mark] = field(default_factory=dict)
    resting: tuple[MarketOrder, ...] = ()
    orders: tuple[Order, ...] = ()
    watches: Mapping[str, PositionWatch] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What is known at an open of the days before; money in USD.

    `capital` is what the owner lets the system use, `mode` the broker's word for the account. `cash` has the proceeds
    of sells in it that settle later: `unsettled` are those, each with its day. `ledgers` are one for each session,
    oldest first: profit, losses in a row and the peak of equity come from them. `day_trades` are the purchases of each
    session that were sold on its day. `positions` are the last ones in each symbol: when it was left, and whether at a
    loss. `control` is a trading state that the days before have restricted, None where they have not. `placed` counts
    the orders that the broker took so far, which numbers the next one; `overnight` is of what is held.
    """

    capital: Decimal
    cash: Decimal
    mode: str
    unsettled: tuple[tuple[date, Decimal], ...] = ()
    ledgers: tuple[Ledger, ...] = ()
    day_trades: tuple[tuple[date, int], ...] = ()
    positions: Mapping[str, Position] = field(default_factory=dict)
    control: Control | None = None
    placed: int = 0
    overnight: Overnight = field(default_factory=Overnight)

    @classmethod
    def first(cls, capital: Decimal, *, mode: str) -> "Carried":
        """Give what an account knows that has not traded: its capital, all of it settled cash."""
        return cls(capital=capital, cash=capital, mode=mode)


@frozen
class Divided:
    """A position that was held over a split of one share into `ratio`; `paid` in USD is for what is no whole share."""

    ratio: Decimal
    before: Position
    after: Position
    paid: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One day as it was played.

    `signals`, `orders`, `fills` and `positions` are the documents that the live system would have written, in the order
    of their instants; a fill's instant is when it was booked. `traded` are the same fills as the market made them.
    `equity` has a point for each minute, before fees. `carried` is what the next day begins with. `left_out` are
    strategies that did what none may and were asked no more. `splits` are those of its symbols that are known on it,
    `divided` what was held over one of them.
    """

    session: TradingSession
    signals: tuple[Signal, ...]
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    positions: tuple[Position, ...]
    traded: tuple[MarketFill, ...]
    skipped: tuple[Skipped, ...]
    equity: tuple[Point, ...]
    carried: Carried
    left_out: tuple[LeftOut, ...] = ()
    splits: Mapping[str, tuple[Split, ...]] = field(default_factory=dict)
    divided: tuple[Divided, ...] = ()


class Fills(Protocol):
    """A model of the market: what becomes of orders, instant by instant; time only moves forward.

    An order is changed by it alone: `filled`, `paid`, `status`, `events` as the simulated broker keeps them.
    """

    def begin(self, day: Day, market: Market, book: Book) -> None:
        """Begin a day without orders; `market` shows what was known last, `book` is told of each fill."""

    def show(self, tick: Tick) -> None:
        """Take the day's next instant: what happens up to it may use it, and nothing later."""

    def enter(self, order: MarketOrder) -> None:
        """Take a new order, which works from `order.works_from` on."""

    def cancel(self, order: MarketOrder, effective: datetime) -> None:
        """Take a cancel that becomes true then, unless the order fills first."""

    def advance(self, now: datetime) -> None:
        """Let everything happen that happens up to `now`."""
