"""The Broker port on paper: E*TRADE is asked for quotes and the list of accounts; orders stay with us.

What can go wrong: several functions, and several instances of one, change orders at once. Each change is one
compare-and-set of `paper/book`, tried again when another was first, so each sees what the others did. Quoting changes
nothing. One function lets what rests `meet` the market: settlement, before each of its polls, every two seconds while
an order moves or a stop rests. It reads the book anew each time: an empty book that was remembered could miss an order
that another instance has just placed. What fails is journalled, and the next poll meets again.

A broker sees every trade; this one sees the quote of an instant. What it misses: a price that came and went between two
polls, and in the last ten seconds of a minute, in which settlement does not poll. A stop fills at the quote of the next
look, which in a fast fall is below the price at which a broker's would have been triggered, and does not fill where the
price was back by then.

Answers are those of the real client: what it cannot tell from a refusal is UnknownOutcome here, too. One thing
differs: a stop on the wrong side of the market is refused (101) only where this instance saw the market a moment ago;
else it triggers at the next quote.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from shared.domain.base.calendar import is_open
from shared.domain.base.values import Side
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
from shared.domain.broker.tickets import require_sound
from shared.domain.market.quotes import Quote, Quotes
from shared.errors import AuthError, BrokerError, Conflict, InvariantBroken, Malformed, StoreError
from shared.frozen import frozen
from shared.paper.book import (
    LIVE,
    PREVIEW_LIFE,
    PaperBook,
    PaperOrder,
    refusal,
    reserve_price,
    with_cancel,
    with_order,
    with_preview,
)
from shared.paper.books import PaperBooks
from shared.paper.match import aged, matched
from shared.ports import Clock, Journal, Severity, Store
from shared.usecases.base.desk import persist

SURE_REFUSALS = frozenset({"1021", "1037"})
"""What the real client takes for a refusal of a place; behind other codes there may be an order (place_answers)."""
SEEN_WITHIN = timedelta(seconds=5)
_PRICE = Decimal("0.0001")


class AskQuotes(Protocol):
    """The Broker port's `quotes`."""

    def __call__(
        self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None
    ) -> Quotes:
        """Quote symbols; raises AuthError."""
        ...


@frozen
class Source:
    """All that paper mode may ask of E*TRADE; there is no word here for an order."""

    accounts: Callable[[], tuple[Account, ...]]
    quotes: AskQuotes


class PaperBroker:
    """The Broker port over a store; the account opens with `capital_usd` in cash, in the real account's mode."""

    def __init__(self, *, source: Source, store: Store, clock: Clock, journal: Journal, capital_usd: Decimal) -> None:
        self._source = source
        self._clock = clock
        self._journal = journal
        self._seen: dict[str, Quote] = {}
        self._books = PaperBooks(
            store=store, clock=clock, journal=journal, mode_of=self._mode_of,
            capital_usd=capital_usd,
        )  # fmt: skip

    def accounts(self) -> tuple[Account, ...]:
        """List the owner's real accounts; raises AuthError, BrokerError."""
        return self._source.accounts()

    def balance(self, account_key: str) -> Balance:
        """Give what the paper account can spend; raises AuthError, BrokerError, StoreError."""
        book, now = persist(lambda: self._aged(account_key))
        worth = sum((held.quantity * self._mark(symbol, held.cost / held.quantity)
                     for symbol, held in book.positions.items()), Decimal(0))  # fmt: skip
        return Balance(
            at=now, account_mode=book.account_mode, settled_cash=book.settled_cash(now) - book.reserved,
            cash_buying_power=book.buying_power(now), account_value=book.cash + worth,
        )  # fmt: skip

    def portfolio(self, account_key: str) -> tuple[Holding, ...]:
        """List what the paper account holds; raises AuthError, BrokerError, StoreError."""
        book, _ = persist(lambda: self._aged(account_key))
        return tuple(
            Holding(symbol=symbol, quantity=held.quantity, cost_per_share=(held.cost / held.quantity).quantize(_PRICE))
            for symbol, held in sorted(book.positions.items())
        )

    def quotes(self, symbols: Sequence[str], *, others: Sequence[str] = (), next_at: datetime | None = None) -> Quotes:
        """Quote symbols as E*TRADE does; raises AuthError."""
        found = self._source.quotes(symbols, others=others, next_at=next_at)
        self._seen |= found.heard
        return found

    def meet(self) -> bool:
        """Let what rests meet the market of this moment, and tell whether anything rests in an open session.

        Raises nothing of E*TRADE and nothing of the store: what fails is journalled.
        """
        try:
            held = self._books.held()
            if held is None or not held.value.orders or not is_open(self._clock.now()):
                return False
            asked_at = self._clock.now()
            found = self.quotes(sorted({order.ticket.symbol for order in held.value.orders}))
            persist(lambda: self._match(found, asked_at))
        except (AuthError, BrokerError, StoreError, Malformed) as problem:
            kind = type(problem).__name__
            self._journal.line("paper_not_matched", Severity.WARNING, kind=kind, detail=problem.detail)
        return True

    def preview(self, account_key: str, ticket: Ticket) -> PreviewAnswer:
        """Say whether E*TRADE would take the order; raises AuthError, BrokerError, StoreError."""
        require_sound(ticket)
        quote = self._seen_lately(ticket.symbol)
        if quote is None and ticket.side is Side.BUY:
            quote = self.quotes([ticket.symbol]).get(ticket.symbol)
        answer = persist(lambda: self._preview(account_key, ticket, quote))
        self._told("preview", answer, about=ticket.client_order_id)
        return answer

    def place(self, account_key: str, ticket: Ticket, preview_ids: Sequence[int], *, deadline: datetime) -> PlaceAnswer:
        """Take the order once, before `deadline` or never."""
        require_sound(ticket)
        if not preview_ids:
            raise InvariantBroken("a place without the ids of its preview")
        try:
            answer: PlaceAnswer = persist(lambda: self._place(account_key, ticket, preview_ids, deadline))
        except (AuthError, BrokerError) as problem:
            answer = NeverSent(why=problem.detail)
        except Conflict:
            answer = NeverSent(why="others changed the paper book each time")
        except StoreError as problem:
            answer = UnknownOutcome(why=problem.detail)
        self._told("place", answer, about=ticket.client_order_id)
        return answer

    def orders(self, account_key: str, *, since: date) -> tuple[BrokerOrder, ...]:
        """List every order since a New York day, newest first; raises AuthError, BrokerError, StoreError."""
        # The book first: an order that ends in between is then in both, one that is missing in both cannot be.
        book, _ = persist(lambda: self._aged(account_key))
        ended = self._books.ended_since(since)
        live = (order for order in book.orders if order.day >= since)
        found = {order.order_id: order for order in (*live, *ended)}
        return tuple(told(found[order_id]) for order_id in sorted(found, reverse=True))

    def order(self, account_key: str, order_id: int) -> BrokerOrder | None:
        """Read one order; raises AuthError, BrokerError, StoreError."""
        book, _ = persist(lambda: self._aged(account_key))
        for order in book.orders:
            if order.order_id == order_id:
                return told(order)
        ended = self._books.ended_as(order_id)
        return told(ended) if ended else None

    def cancel(self, account_key: str, order_id: int) -> CancelAnswer:
        """Ask to cancel: a live order ends a moment later, unless it fills before."""
        try:
            answer: CancelAnswer = persist(lambda: self._cancel(account_key, order_id))
        except (AuthError, BrokerError, StoreError) as problem:
            answer = UnknownOutcome(why=problem.detail)
        self._told("cancel", answer, about=str(order_id))
        return answer

    def _mode_of(self, account_key: str) -> str:
        """Give the real account's mode; one that the account list does not name spends settled cash."""
        return next((one.mode for one in self._source.accounts() if one.key == account_key), "")

    def _match(self, quotes: Mapping[str, Quote], asked_at: datetime) -> None:
        held = self._books.held()
        if held is not None and held.value.orders:
            now = self._clock.now()
            self._books.keep(held, matched(aged(held.value, now), quotes, asked_at=asked_at, now=now))

    def _preview(self, account_key: str, ticket: Ticket, quote: Quote | None) -> PreviewAnswer:
        held, book, now = self._books.open(account_key)
        if ticket.side is Side.BUY and quote is None:
            return Rejected(code="101", message="the symbol is not quoted")
        reserve = reserve_price(ticket, quote)
        refused = refusal(book, ticket, quote=quote, reserve=reserve, at=now)
        if refused is not None:
            return refused
        self._books.keep(held, with_preview(book, ticket, reserve, now))
        seen = None if quote is None else quote.ask if ticket.side is Side.BUY else quote.bid
        price = ticket.limit_price or ticket.stop_price or seen or Decimal(0)
        total = price * ticket.quantity * (1 if ticket.side is Side.BUY else -1)
        return Previewed(preview_ids=(book.next_preview_id,), at=now, estimated_total=total)

    def _place(self, account_key: str, ticket: Ticket, preview_ids: Sequence[int], deadline: datetime) -> PlaceAnswer:
        held, book, now = self._books.open(account_key)
        if now >= deadline:
            return NeverSent(why="place: its turn came too late")
        preview = next((one for one in book.previews if one.preview_id in preview_ids and one.ticket == ticket), None)
        if preview is None or now - preview.at > PREVIEW_LIFE:
            return UnknownOutcome(why="code 1033: no preview of this order that is young and not used")
        name = ticket.client_order_id
        if any(order.ticket.client_order_id == name for order in book.orders) or self._books.was_used(name):
            return UnknownOutcome(why="code 1042: the client order id was used before")
        quote = self._seen_lately(ticket.symbol)
        refused = refusal(book, ticket, quote=quote, reserve=preview.reserve_price, at=now)
        if refused is not None:
            return refused if refused.code in SURE_REFUSALS else UnknownOutcome(why=f"code {refused.code}")
        self._books.keep(held, with_order(book, preview, now))
        return Accepted(order_id=book.next_order_id, at=now)

    def _cancel(self, account_key: str, order_id: int) -> CancelAnswer:
        held, book, now = self._books.open(account_key)
        order = next((order for order in book.orders if order.order_id == order_id), None)
        if order is None or order.status not in LIVE:
            known = order or self._books.ended_as(order_id)
            return CancelRefused(code="5001") if known else UnknownOutcome(why="code 1005: there is no such order")
        if order.status is BrokerStatus.CANCEL_REQUESTED:
            return CancelRefused(code="5003")
        self._books.keep(held, with_cancel(book, order_id, now))
        return CancelTaken()

    def _aged(self, account_key: str) -> tuple[PaperBook, datetime]:
        """Give the account of this moment, as it is then also in the store."""
        held, book, now = self._books.open(account_key)
        return self._books.keep(held, book), now

    def _seen_lately(self, symbol: str) -> Quote | None:
        quote = self._seen.get(symbol)
        return quote if quote is not None and self._clock.now() - quote.received_at <= SEEN_WITHIN else None

    def _mark(self, symbol: str, cost: Decimal) -> Decimal:
        quote = self._seen_lately(symbol)
        return cost if quote is None else quote.last

    def _told(self, call: str, answer: PreviewAnswer | PlaceAnswer | CancelAnswer, *, about: str) -> None:
        code = answer.code if isinstance(answer, Rejected | CancelRefused) else None
        self._journal.line("paper_call", call=call, order=about, answer=type(answer).__name__, code=code)


def told(order: PaperOrder) -> BrokerOrder:
    """Give an order as the broker lists it, its mean price to the broker's four places."""
    ticket, filled = order.ticket, order.filled
    return BrokerOrder(
        order_id=order.order_id, symbol=ticket.symbol, side=ticket.side, quantity=ticket.quantity, filled=filled,
        average_price=(order.paid / filled).quantize(_PRICE) if filled else None, price_type=ticket.price_type,
        term=ticket.term, limit_price=ticket.limit_price, stop_price=ticket.stop_price, status=order.status,
        placed_at=order.placed_at,
    )  # fmt: skip
