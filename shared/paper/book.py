"""The paper account: what is held, spent, reserved and asked for, as one value that is replaced whole.

Everything that must agree (cash, shares, what live orders may still take of both) is in one document, so one
compare-and-set of it is one step of the account: no order is filled twice, no share is sold twice, whichever instances
write at the same time. An order that has ended leaves the book for a document of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.domain.base.calendar import TradingSession, new_york_day, session_at, session_of
from shared.domain.base.settlement import settles_on
from shared.domain.base.values import Side, Term
from shared.domain.broker.brokerage import FIRST_PAPER_ORDER, BrokerStatus, Ticket, is_margin
from shared.domain.broker.outcomes import Rejected
from shared.domain.market.quotes import Quote
from shared.frozen import frozen

FIRST_PREVIEW_ID = 100_000_000_001
PREVIEW_LIFE = timedelta(seconds=180)
FILL_LATENCY = timedelta(milliseconds=500)
CANCEL_TAKES = timedelta(seconds=1)
UNPRICED_RESERVE = Decimal("1.05")
LIVE = frozenset({BrokerStatus.OPEN, BrokerStatus.CANCEL_REQUESTED})
_ZERO = Decimal(0)
_DAY = timedelta(days=1)


@frozen
class PaperFill:
    """Shares of one order that changed hands, price in USD."""

    at: datetime
    quantity: int
    price: Decimal


@frozen
class PaperOrder:
    """One order and all that became of it; `reserve_price` is the USD that a share of a buy holds back.

    It meets quotes that were asked for from `works_from` on; `expires_at` is None for one that outlives its session.
    """

    order_id: int
    ticket: Ticket
    day: date
    placed_at: datetime
    works_from: datetime
    expires_at: datetime | None
    reserve_price: Decimal
    status: BrokerStatus = BrokerStatus.OPEN
    triggered: bool = False
    fills: tuple[PaperFill, ...] = ()
    cancel_asked_at: datetime | None = None
    ended_at: datetime | None = None
    schema_version: int = 1

    @property
    def filled(self) -> int:
        """Shares that changed hands."""
        return sum(fill.quantity for fill in self.fills)

    @property
    def remaining(self) -> int:
        """Shares that it may still take."""
        return self.ticket.quantity - self.filled if self.status in LIVE else 0

    @property
    def paid(self) -> Decimal:
        """What its shares cost or brought in USD."""
        return sum((fill.quantity * fill.price for fill in self.fills), _ZERO)


@frozen
class PaperPreview:
    """A ticket that may be placed once while it is young, and what a share of it would hold back in USD."""

    preview_id: int
    ticket: Ticket
    at: datetime
    reserve_price: Decimal


@frozen
class PaperPosition:
    """Shares held and what they cost in USD."""

    quantity: int
    cost: Decimal


@frozen
class Proceeds:
    """USD from sells, and the New York day on which they may be spent in a cash account."""

    settles: date
    amount: Decimal


@frozen
class Taken:
    """How many shares of a market's displayed size our orders have had; `at` is the quote's own instant."""

    at: datetime
    shares: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperBook:
    """The account at one version; `orders` are the live ones, oldest first, `taken` is by symbol and side."""

    account_mode: str
    cash: Decimal
    realized: Decimal = _ZERO
    positions: Mapping[str, PaperPosition] = field(default_factory=dict)
    proceeds: tuple[Proceeds, ...] = ()
    orders: tuple[PaperOrder, ...] = ()
    previews: tuple[PaperPreview, ...] = ()
    taken: Mapping[str, Taken] = field(default_factory=dict)
    next_order_id: int = FIRST_PAPER_ORDER
    next_preview_id: int = FIRST_PREVIEW_ID
    schema_version: int = 1

    @property
    def reserved(self) -> Decimal:
        """The USD that live buys may still spend."""
        return sum((order.reserve_price * order.remaining for order in self.orders), _ZERO)

    def settled_cash(self, at: datetime) -> Decimal:
        """Give the cash in USD that no sell still owes, reserved or not."""
        today = new_york_day(at)
        return self.cash - sum((owed.amount for owed in self.proceeds if owed.settles > today), _ZERO)

    def buying_power(self, at: datetime) -> Decimal:
        """Give what a new buy may spend: all cash in a margin account, else settled cash, less what buys reserve."""
        return (self.cash if is_margin(self.account_mode) else self.settled_cash(at)) - self.reserved

    def available(self, symbol: str) -> int:
        """Give the shares that a new sell may offer: those held less those that live sells offer."""
        sells = (order for order in self.orders if (order.ticket.side, order.ticket.symbol) == (Side.SELL, symbol))
        held = self.positions.get(symbol)
        return (held.quantity if held else 0) - sum(order.remaining for order in sells)


def refusal(book: PaperBook, ticket: Ticket, *, quote: Quote | None, reserve: Decimal, at: datetime) -> Rejected | None:
    """Say why E*TRADE would not take a ticket (etrade-api.md 4.14), or None.

    `quote` is None where nobody looked lately; `reserve` is the USD that a share of a buy would hold back.
    """
    if quote is not None and ticket.stop_price is not None and reached(ticket, quote.last):
        return Rejected(code="101", message="the stop price is on the wrong side of the market")
    if ticket.side is Side.SELL and ticket.quantity > book.available(ticket.symbol):
        return Rejected(code="1037", message="not enough shares are available")
    if ticket.side is Side.BUY and reserve * ticket.quantity > book.buying_power(at):
        return Rejected(code="1021", message="there are not enough funds")
    return None


def reached(ticket: Ticket, last: Decimal) -> bool:
    """Tell whether the last trade is at or through a stop price; true for an order that has none."""
    if ticket.stop_price is None:
        return True
    return last <= ticket.stop_price if ticket.side is Side.SELL else last >= ticket.stop_price


def reserve_price(ticket: Ticket, quote: Quote | None) -> Decimal:
    """Give the USD that a share of a buy holds back; one without a limit holds a twentieth more than it was seen at."""
    if ticket.side is Side.SELL or quote is None:
        return _ZERO
    return ticket.limit_price or (ticket.stop_price or quote.ask) * UNPRICED_RESERVE


def with_preview(book: PaperBook, ticket: Ticket, reserve: Decimal, at: datetime) -> PaperBook:
    """Remember a preview, its id the last that the book has given, and forget those that are too old."""
    young = (preview for preview in book.previews if at - preview.at <= PREVIEW_LIFE)
    preview = PaperPreview(preview_id=book.next_preview_id, ticket=ticket, at=at, reserve_price=reserve)
    return replace(book, previews=(*young, preview), next_preview_id=book.next_preview_id + 1)


def with_order(book: PaperBook, preview: PaperPreview, at: datetime) -> PaperBook:
    """Take a previewed order; it works after the latency of a fill, or from the next open if that is later."""
    session = _next_session(at)
    lasts = preview.ticket.term is Term.GOOD_UNTIL_CANCEL
    order = PaperOrder(
        order_id=book.next_order_id, ticket=preview.ticket, day=new_york_day(at), placed_at=at,
        works_from=max(at + FILL_LATENCY, session.opens_at), expires_at=None if lasts else session.closes_at,
        reserve_price=preview.reserve_price,
    )  # fmt: skip
    previews = tuple(other for other in book.previews if other.preview_id != preview.preview_id)
    return replace(book, previews=previews, orders=(*book.orders, order), next_order_id=book.next_order_id + 1)


def with_cancel(book: PaperBook, order_id: int, at: datetime) -> PaperBook:
    """Write down that a live order is to be cancelled; it may fill until `CANCEL_TAKES` later."""
    return replace(
        book,
        orders=tuple(
            replace(order, status=BrokerStatus.CANCEL_REQUESTED, cancel_asked_at=at)
            if order.order_id == order_id
            else order
            for order in book.orders
        ),
    )


def booked(book: PaperBook, ticket: Ticket, fill: PaperFill) -> PaperBook:
    """Move cash and shares for one fill, without commission."""
    amount, positions = fill.price * fill.quantity, dict(book.positions)
    held = positions.pop(ticket.symbol, PaperPosition(quantity=0, cost=_ZERO))
    if ticket.side is Side.BUY:
        positions[ticket.symbol] = PaperPosition(quantity=held.quantity + fill.quantity, cost=held.cost + amount)
        return replace(book, positions=positions, cash=book.cash - amount)
    cost = held.cost * fill.quantity / held.quantity
    if held.quantity > fill.quantity:
        positions[ticket.symbol] = PaperPosition(quantity=held.quantity - fill.quantity, cost=held.cost - cost)
    today = new_york_day(fill.at)
    owed = {one.settles: one.amount for one in book.proceeds if one.settles > today}
    settles = settles_on(today)
    owed[settles] = owed.get(settles, _ZERO) + amount
    proceeds = tuple(Proceeds(settles=day, amount=sum_of) for day, sum_of in owed.items())
    return replace(
        book, positions=positions, cash=book.cash + amount, realized=book.realized + amount - cost, proceeds=proceeds
    )


def _next_session(at: datetime) -> TradingSession:
    """Give the first session that has not closed at an instant."""
    day, session = new_york_day(at), session_at(at)
    while session is None or session.closes_at <= at:
        day += _DAY
        session = session_of(day)
    return session
