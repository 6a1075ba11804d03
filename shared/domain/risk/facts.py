"""The facts that sizing and the risk rules rest on, and the sums that both take from them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import TradingSession
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Balance, Holding
from shared.domain.broker.day_trades import DayTrades
from shared.domain.control.control import Control
from shared.domain.market.quotes import Quote
from shared.domain.orders import book
from shared.domain.orders.orders import Kind, Order
from shared.domain.orders.positions import Ledger, Position
from shared.domain.orders.sizing import Means, equity
from shared.frozen import frozen


@frozen
class RiskFacts:
    """Everything the rules look at; None means not known, and what is not known denies. Money in USD.

    `live_orders` and `positions` are all that our book has open, `ledger` is the session's; both without this
    order and its own reservation. `realized_before` is the profit of earlier sessions, `equity_peak` the
    highest own equity so far, `marks` the last price of each held symbol, `closed_at` when our last position
    in the symbol closed (None: never), `lost_at` when shares of it were last sold at a loss (None: never).
    `daily_close` is the close of the last daily bar that the signal rests on (None: it had none). `day_trades` need
    to be known only where a rule counts them; `restriction` is the broker's code that bars the account ("": none).
    `clock_ahead` is by how much our clock is surely ahead of the broker's; not measured, it denies nothing.
    `replaces` names the live order that this one takes the place of.
    """

    now: datetime
    kind: Kind
    symbol: str
    side: Side
    price_type: PriceType
    term: Term
    quantity: int
    limit_price: Decimal | None
    decided_at: datetime
    replaces: str | None = None
    closed_at: datetime | None = None
    daily_close: Decimal | None = None
    lost_at: datetime | None = None
    day_trades: DayTrades | None = None
    restriction: str | None = None
    clock_ahead: timedelta | None = None
    session: TradingSession | None = None
    control: Control | None = None
    quote: Quote | None = None
    ledger: Ledger | None = None
    positions: tuple[Position, ...] | None = None
    live_orders: tuple[Order, ...] | None = None
    holdings: tuple[Holding, ...] | None = None
    balance: Balance | None = None
    capital: Decimal | None = None
    realized_before: Decimal | None = None
    equity_peak: Decimal | None = None
    marks: Mapping[str, Decimal] | None = None

    @property
    def notional(self) -> Decimal | None:
        """What the order may cost, in USD; not known without a limit or for a part of a share."""
        if self.limit_price is None or type(self.quantity) is not int:
            return None
        return self.limit_price * self.quantity

    @property
    def usable(self) -> Decimal | None:
        """What the broker lets us spend, in USD."""
        return None if self.balance is None else self.balance.usable

    @property
    def invested(self) -> Decimal | None:
        """What all open positions cost, in USD."""
        return None if self.positions is None else sum(map(book.invested, self.positions), Decimal(0))

    @property
    def exposure(self) -> Decimal | None:
        """What open positions cost and live entries reserve, in USD."""
        if self.invested is None or self.ledger is None:
            return None
        return self.invested + self.ledger.reserved

    @property
    def open_profit(self) -> Decimal | None:
        """The profit of all open positions at their marks, in USD; not known when a mark is missing."""
        positions, marks = self.positions, self.marks
        if positions is None or marks is None or any(held.symbol not in marks for held in positions):
            return None
        return sum((book.open_profit(held, marks[held.symbol]) for held in positions), Decimal(0))

    @property
    def session_profit(self) -> Decimal | None:
        """The session's realised and open profit, in USD."""
        open_profit = self.open_profit
        return None if open_profit is None or self.ledger is None else self.ledger.realized + open_profit

    @property
    def own_equity(self) -> Decimal | None:
        """Capital plus all our realised and open profit, in USD, whatever the broker lets us use."""
        profit = self.session_profit
        if self.capital is None or self.realized_before is None or profit is None:
            return None
        return self.capital + self.realized_before + profit

    @property
    def equity(self) -> Decimal | None:
        """What sizes and shares are measured on (`sizing.equity`), in USD."""
        own, usable, invested = self.own_equity, self.usable, self.invested
        if own is None or usable is None or invested is None:
            return None
        return equity(own=own, usable=usable, invested=invested)

    @property
    def live_entries(self) -> tuple[Order, ...]:
        """The live orders that are entries."""
        return tuple(order for order in self.live_orders or () if order.kind is Kind.ENTRY)

    @property
    def in_symbol(self) -> Decimal | None:
        """What our shares of the symbol cost and its live entries reserve, in USD."""
        if self.positions is None or self.live_orders is None:
            return None
        held = (book.invested(position) for position in self.positions if position.symbol == self.symbol)
        asked = (order.reserved for order in self.live_entries if order.symbol == self.symbol)
        return sum(held, Decimal(0)) + sum(asked, Decimal(0))

    @property
    def means(self) -> Means | None:
        """What sizing may draw on; None when anything of it is not known."""
        usable, exposure, in_symbol = self.equity, self.exposure, self.in_symbol
        if usable is None or exposure is None or in_symbol is None or self.usable is None or self.ledger is None:
            return None
        cash, own = self.usable - self.ledger.reserved, self.own_equity or Decimal(0)
        if self.balance is not None and self.balance.account_value is not None:
            own = min(own, self.balance.account_value)
        return Means(own=own, equity=usable, cash=cash, exposure=exposure, in_symbol=in_symbol)
