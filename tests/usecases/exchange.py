"""A scripted broker: a small order book that a test moves, with every way in which an answer can go wrong.

It accepts what it is told to accept, also a sell of shares that another sell already holds: refusing it would hide
our mistake behind the broker's care. What it counts is the evidence: each place per clientOrderId, each sell beyond
the shares held, and how long shares lay at the broker without any sell order over them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Protocol, TypeVar

from infra.one_machine.kernel import Kernel
from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import Account, Balance, BrokerOrder, BrokerStatus, Holding, Ticket
from shared.domain.broker.outcomes import (
    Accepted,
    CancelAnswer,
    CancelRefused,
    CancelTaken,
    NeverSent,
    PlaceAnswer,
    PreviewAnswer,
    Previewed,
    Rejected,
    UnknownOutcome,
)
from shared.domain.market.quotes import Quote, Quotes, QuoteStatus
from shared.errors import BrokerError, DeskError

T = TypeVar("T")
OPEN = frozenset({BrokerStatus.OPEN, BrokerStatus.CANCEL_REQUESTED})
CASH = Decimal(100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What happens to the next place that matches: `how` is one of the words of `Exchange.place`."""

    how: str
    side: Side | None = None
    price_type: PriceType | None = None
    after: timedelta = timedelta(0)
    code: str = "1026"


class Plain(BrokerOrder):
    """A row that the exchange made: nothing of it is missing."""

    order_id: int
    symbol: str
    side: Side
    quantity: int
    filled: int
    status: BrokerStatus
    placed_at: datetime


class Exchange:
    """The broker's own truth, on the kernel's clock."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.book: dict[int, Plain] = {}
        self.clients: dict[int, str] = {}
        self.posts: Counter[str] = Counter()
        self.posted: list[tuple[datetime, Ticket]] = []
        self.oversold: list[str] = []
        self.cancels: list[int] = []
        self.scripts: list[Script] = []
        self.shares: Counter[str] = Counter()
        self.prices: dict[str, tuple[Decimal, Decimal]] = {}
        self.cash = CASH
        self.says: dict[str, Any] = {}
        self.restricted = False
        self.beside: tuple[str, ...] = ()
        self.list_lag = timedelta(0)
        self.cancel_takes = timedelta(seconds=1)
        self.cancel_lost = 0
        self.entry_fill: int | None = None
        self.sells_fill = True
        self.refuses_term = False
        self.term_code = "7777"
        self.surcharge = Decimal(0)
        self.refuses_late_stops = False
        self.guards_shares = False
        self.fills_hidden_until: datetime | None = None
        self.portfolio: Callable[[], tuple[Holding, ...]] = self.holdings
        self.keeps_deadlines = True
        self.longest_naked = timedelta(0)
        self.shows: Callable[[BrokerOrder], BrokerOrder] = lambda row: row
        self.strange: list[BrokerOrder] = []
        self.in_cancel: Callable[[Plain], None] | None = None
        self.down: dict[str, DeskError] = {}
        self._naked: dict[str, datetime] = {}
        self._shows: dict[int, datetime] = {}
        self._ids = count(501)

    def set_price(self, symbol: str, bid: str, ask: str) -> None:
        """Move the market, which may fill what rests."""
        self.prices[symbol] = (Decimal(bid), Decimal(ask))
        for order in list(self.book.values()):
            if order.symbol == symbol and order.status in OPEN:
                self._match(order.order_id)

    def quote(self, symbol: str) -> Quote:
        """Give the market of this moment."""
        bid, ask = self.prices[symbol]
        now = self.kernel.now()
        return Quote(
            symbol=symbol, bid=bid, bid_size=1000, ask=ask, ask_size=1000, last=ask, day_volume=5_000_000,
            previous_close=bid, at=now, received_at=now, status=QuoteStatus.REALTIME, source="etrade",
        )  # fmt: skip

    def balance(self) -> Balance:
        """Give what the account can spend, with what a test wants said otherwise."""
        plain = Balance(
            at=self.kernel.now(), account_mode="MARGIN", settled_cash=self.cash, cash_buying_power=self.cash,
            account_value=self.cash,
        )  # fmt: skip
        return replace(plain, **self.says)

    def holdings(self) -> tuple[Holding, ...]:
        """Give every share of the account."""
        return tuple(
            Holding(symbol=symbol, quantity=held, cost_per_share=Decimal(100))
            for symbol, held in self.shares.items()
            if held
        )

    def refusal(self, ticket: Ticket) -> Rejected | None:
        """Say why a ticket would not be taken, at preview and at place alike."""
        if self.restricted:
            return Rejected(code="1036", message="the account is restricted")
        if self.refuses_term and ticket.term is Term.IMMEDIATE_OR_CANCEL:
            return Rejected(code=self.term_code, message="term")
        bid = self.prices[ticket.symbol][0]
        if self.guards_shares and ticket.side is Side.SELL:
            offered = sum(left(order) for order in self.live(ticket.symbol, Side.SELL))
            if ticket.quantity + offered > self.shares[ticket.symbol]:
                return Rejected(code="1037", message="the shares are not there")
        if self.refuses_late_stops and ticket.stop_price is not None and ticket.stop_price >= bid:
            return Rejected(code="1056", message="the stop is not below the market")
        return None

    def place(self, ticket: Ticket, deadline: datetime) -> PlaceAnswer:
        """Take one POST; the first script that matches decides how it goes."""
        now = self.kernel.now()
        if self.keeps_deadlines and now >= deadline:
            return NeverSent(why="too late")
        script = self._script(ticket)
        if script.how == "never_sent":
            return NeverSent(why="refused connection")
        self.posts[ticket.client_order_id] += 1
        self.posted.append((now, ticket))
        match script.how:
            case "reject":
                return Rejected(code=script.code, message="no")
            case "lost_before":
                return UnknownOutcome(why="reset")
            case "unclear":
                return UnknownOutcome(why="not listed", code=script.code)
            case "late":
                self.kernel.spawn(lambda: self.accept(ticket), at=now + script.after, name="exchange")
                return UnknownOutcome(why="time-out")
        refused = self.refusal(ticket)
        if refused is not None:
            return refused
        order_id = self.accept(ticket)
        return UnknownOutcome(why="time-out") if script.how == "lost_after" else Accepted(order_id=order_id, at=now)

    def accept(self, ticket: Ticket) -> int:
        """Take an order into the book, whoever sent it, and match it."""
        order_id = next(self._ids)
        if ticket.side is Side.SELL:
            asked = ticket.quantity + sum(left(order) for order in self.live(ticket.symbol, Side.SELL))
            if asked > self.shares[ticket.symbol]:
                self.oversold.append(f"{asked} asked of {self.shares[ticket.symbol]} {ticket.symbol}: {ticket}")
        self.clients[order_id] = ticket.client_order_id
        self._shows[order_id] = self.kernel.now() + self.list_lag
        self.book[order_id] = Plain(
            order_id=order_id, symbol=ticket.symbol, side=ticket.side, quantity=ticket.quantity, filled=0,
            average_price=None, price_type=ticket.price_type, term=ticket.term, limit_price=ticket.limit_price,
            stop_price=ticket.stop_price, status=BrokerStatus.OPEN, placed_at=self.kernel.now(),
        )  # fmt: skip
        self._match(order_id)
        if ticket.term is Term.IMMEDIATE_OR_CANCEL and self.book[order_id].status in OPEN:
            self.end(order_id, BrokerStatus.CANCELLED)
        self._look()
        return order_id

    def sell_by_hand(self, symbol: str, quantity: int, price: str) -> int:
        """Let the owner end what offers these shares and sell them at E*TRADE's own page."""
        for order in self.live(symbol, Side.SELL):
            self.end(order.order_id, BrokerStatus.CANCELLED)
        order_id = next(self._ids)
        self.clients[order_id], self._shows[order_id] = "owner", self.kernel.now()
        self.book[order_id] = Plain(
            order_id=order_id, symbol=symbol, side=Side.SELL, quantity=quantity, filled=0, average_price=None,
            price_type=PriceType.MARKET, term=Term.GOOD_FOR_DAY, limit_price=None, stop_price=None,
            status=BrokerStatus.OPEN, placed_at=self.kernel.now(),
        )  # fmt: skip
        self.fill(order_id, quantity, Decimal(price))
        return order_id

    def transfer_out(self, symbol: str, quantity: int) -> None:
        """Let shares leave the account without an order; what offers them stays."""
        self.shares[symbol] -= quantity
        self._look()

    def live(self, symbol: str, side: Side) -> list[Plain]:
        """Give the orders that may still fill."""
        mine = (order for order in self.book.values() if (order.symbol, order.side) == (symbol, side))
        return [order for order in mine if order.status in OPEN]

    def fill(self, order_id: int, quantity: int, price: Decimal) -> None:
        """Let shares change hands."""
        order = self.book[order_id]
        before = (order.average_price or Decimal(0)) * order.filled
        filled = order.filled + quantity
        done = filled == order.quantity
        self.book[order_id] = replace(
            order, filled=filled, average_price=((before + price * quantity) / filled).quantize(Decimal("0.000001")),
            status=BrokerStatus.EXECUTED if done else order.status,
        )  # fmt: skip
        sign = 1 if order.side is Side.BUY else -1
        self.shares[order.symbol] += sign * quantity
        self.cash -= sign * quantity * price
        self._look()

    def end(self, order_id: int, status: BrokerStatus) -> None:
        """End an order that is still open."""
        if self.book[order_id].status in OPEN:
            self.book[order_id] = replace(self.book[order_id], status=status)
        self._look()

    def cancel(self, order_id: int) -> CancelAnswer:
        """Take a cancel; the order ends `cancel_takes` later unless it fills before."""
        self.cancels.append(order_id)
        if self.cancel_lost:
            self.cancel_lost -= 1
            return UnknownOutcome(why="reset")
        if self.book[order_id].status not in OPEN:
            return CancelRefused(code="5001")
        if self.in_cancel is not None:
            self.in_cancel(self.book[order_id])
        at = self.kernel.now() + self.cancel_takes
        self.kernel.spawn(lambda: self.end(order_id, BrokerStatus.CANCELLED), at=at, name="exchange")
        return CancelTaken()

    def listing(self) -> tuple[BrokerOrder, ...]:
        """List all that is not too young for the list, newest first, as `shows` has it, behind what is strange."""
        now = self.kernel.now()
        seen = [order for order in self.book.values() if self._shows[order.order_id] <= now]
        if self.fills_hidden_until is not None and now < self.fills_hidden_until:
            seen = [
                replace(order, filled=0, average_price=None, status=BrokerStatus.OPEN) if order.filled else order
                for order in seen
            ]
        return (*self.strange, *(self.shows(order) for order in sorted(seen, key=lambda order: -order.order_id)))

    def naked(self) -> timedelta:
        """Give the longest time that shares of ours lay without any sell over them, the present one included."""
        now = self.kernel.now()
        return max([self.longest_naked, *(now - since for since in self._naked.values())])

    def _script(self, ticket: Ticket) -> Script:
        for script in self.scripts:
            if script.side in (None, ticket.side) and script.price_type in (None, ticket.price_type):
                self.scripts.remove(script)
                return script
        return Script(how="take")

    def _match(self, order_id: int) -> None:
        order = self.book[order_id]
        bid, ask = self.prices[order.symbol]
        if order.side is Side.BUY:
            wanted = left(order) if self.entry_fill is None else min(self.entry_fill, left(order))
            if order.limit_price is not None and ask <= order.limit_price and order.filled == 0 and wanted:
                self.fill(order_id, wanted, ask)
        elif order.price_type is PriceType.STOP:
            if order.stop_price is not None and bid <= order.stop_price:
                self.fill(order_id, left(order), bid)
        elif self.sells_fill and (order.limit_price is None or bid >= order.limit_price):
            self.fill(order_id, left(order), bid)

    def _look(self) -> None:
        now = self.kernel.now()
        for symbol, held in self.shares.items():
            covered = sum(left(order) for order in self.live(symbol, Side.SELL))
            if held > covered:
                self._naked.setdefault(symbol, now)
            elif symbol in self._naked:
                self.longest_naked = max(self.longest_naked, now - self._naked.pop(symbol))


def left(order: Plain) -> int:
    """Give the shares that an order may still move."""
    return order.quantity - order.filled


class Call(Protocol):
    """How a port's call reaches its effect."""

    def __call__(self, name: str, effect: Callable[[], T]) -> T:
        """Make the call."""
        ...


class ScriptedBroker:
    """The Broker port over the exchange; `call` lets a bench see, delay or break each call.

    What the exchange has in `down` fails for as long as it is there, by the name of the call; `preview LIMIT` is that
    of such a ticket.
    """

    def __init__(self, exchange: Exchange, call: Call) -> None:
        self._exchange = exchange
        self._pass = call

    def accounts(self) -> tuple[Account, ...]:
        """List the one account."""
        return self._call("accounts", lambda: (Account(key="key", number="1", mode="MARGIN", active=True),))

    def balance(self, account_key: str) -> Balance:
        """Read what the account can spend."""
        return self._call("balance", self._exchange.balance)

    def portfolio(self, account_key: str) -> tuple[Holding, ...]:
        """List everything held."""
        return self._call("portfolio", self._exchange.portfolio)

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote all of the symbols."""
        wanted = (*symbols, *others)
        try:
            return self._call("quotes", lambda: Quotes({symbol: self._exchange.quote(symbol) for symbol in wanted}))
        except BrokerError as problem:
            return Quotes({}, failed=dict.fromkeys(wanted, problem))

    def preview(self, account_key: str, ticket: Ticket) -> PreviewAnswer:
        """Ask whether an order would be taken."""
        return self._call("preview", lambda: self._previewed(ticket))

    def place(self, account_key: str, ticket: Ticket, preview_ids: Sequence[int], *, deadline: datetime) -> PlaceAnswer:
        """Send an order."""
        return self._call("place", lambda: self._exchange.place(ticket, deadline))

    def orders(self, account_key: str, *, since: date) -> tuple[BrokerOrder, ...]:
        """List the orders."""
        return self._call("orders", self._exchange.listing)

    def order(self, account_key: str, order_id: int) -> BrokerOrder | None:
        """Read one order."""
        return self._call("order", lambda: self._exchange.book.get(order_id))

    def cancel(self, account_key: str, order_id: int) -> CancelAnswer:
        """Ask to cancel."""
        return self._call("cancel", lambda: self._exchange.cancel(order_id))

    def _call(self, name: str, effect: Callable[[], T]) -> T:
        def answer() -> T:
            if name in self._exchange.down:
                raise self._exchange.down[name]
            return effect()

        return self._pass(name, answer)

    def _previewed(self, ticket: Ticket) -> PreviewAnswer:
        if (down := self._exchange.down.get(f"preview {ticket.price_type}")) is not None:
            raise down
        refused = self._exchange.refusal(ticket)
        if refused is not None:
            return refused
        price = ticket.limit_price or ticket.stop_price or self._exchange.prices[ticket.symbol][0]
        total, beside = price * ticket.quantity + self._exchange.surcharge, self._exchange.beside
        return Previewed(preview_ids=(7,), at=self._exchange.kernel.now(), estimated_total=total, codes=beside)
