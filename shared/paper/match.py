"""What time and the market do to the paper account: cancels, expiries, triggers and fills.

What can go wrong: an order fills at a price from before it worked, takes shares that nobody offered, or takes the same
displayed shares again at every look; it fills although it was cancelled, or after the bell. What this promises: a quote
counts only when it was asked for after the order began to work; all orders together take no more than one quote of
the market displays, however often it is seen; time comes first, so what a cancel or the close has ended does not fill.
A quote that nobody has seen fills nothing: a price that came and went between two looks is missed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.base.calendar import is_open
from shared.domain.base.values import Side, Term
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.market.quality import faults
from shared.domain.market.quotes import Quote
from shared.paper.book import CANCEL_TAKES, LIVE, PaperBook, PaperFill, PaperOrder, Taken, booked, reached

# A quote is as old as the market is still, and one side of it may be empty: neither keeps the other from trading.
_LIVABLE = frozenset({"STALE", "NO_SIZE"})
_FORGOTTEN = timedelta(days=1)


def aged(book: PaperBook, now: datetime) -> PaperBook:
    """End what time has ended; the same book when it has ended nothing."""
    orders = tuple(_aged(order, now) for order in book.orders)
    same = all(after is before for after, before in zip(orders, book.orders, strict=True))
    return book if same else replace(book, orders=orders)


def matched(book: PaperBook, quotes: Mapping[str, Quote], *, asked_at: datetime, now: datetime) -> PaperBook:
    """Offer quotes to the orders that work, oldest first; the same book when nothing came of it."""
    if not is_open(now):
        return book
    for order in book.orders:
        quote = quotes.get(order.ticket.symbol)
        if quote is None or order.status not in LIVE or asked_at < order.works_from:
            continue
        if _LIVABLE.issuperset(faults(quote, now=now, max_age_s=0)):
            book = _offered(book, order, quote, now)
    return book


def _aged(order: PaperOrder, now: datetime) -> PaperOrder:
    if order.status not in LIVE:
        return order
    ends = [(order.expires_at, BrokerStatus.EXPIRED)] if order.expires_at is not None else []
    if order.cancel_asked_at is not None:
        ends.append((order.cancel_asked_at + CANCEL_TAKES, BrokerStatus.CANCELLED))
    over = min((end for end in ends if end[0] <= now), default=None)
    return order if over is None else replace(order, status=over[1], ended_at=over[0])


def _offered(book: PaperBook, order: PaperOrder, quote: Quote, now: datetime) -> PaperBook:
    """Trigger and fill what this quote allows; an order that is for now only ends here, filled or not."""
    ticket = order.ticket
    if not (order.triggered or reached(ticket, quote.last)):
        return book
    after = order if ticket.stop_price is None else replace(order, triggered=True)
    quantity = min(order.remaining, _displayed(book, order, quote))
    if quantity > 0:
        fill = PaperFill(at=now, quantity=quantity, price=quote.ask if ticket.side is Side.BUY else quote.bid)
        after = replace(after, fills=(*order.fills, fill))
        book = _had(booked(book, ticket, fill), order, quote, quantity)
    if after.filled == ticket.quantity:
        after = replace(after, status=BrokerStatus.EXECUTED, ended_at=now)
    elif ticket.term is Term.IMMEDIATE_OR_CANCEL:
        after = replace(after, status=BrokerStatus.CANCELLED, ended_at=now)
    if after == order:
        return book
    return replace(book, orders=tuple(after if one.order_id == order.order_id else one for one in book.orders))


def _displayed(book: PaperBook, order: PaperOrder, quote: Quote) -> int:
    """Give the shares at the touch, within the limit, that no order of ours has had of this market yet."""
    ticket = order.ticket
    buys = ticket.side is Side.BUY
    price, shown = (quote.ask, quote.ask_size) if buys else (quote.bid, quote.bid_size)
    if ticket.limit_price is not None and (price > ticket.limit_price if buys else price < ticket.limit_price):
        return 0
    had = book.taken.get(_place(order))
    if had is None or had.at < quote.at:
        return shown
    return shown - had.shares if had.at == quote.at else 0


def _had(book: PaperBook, order: PaperOrder, quote: Quote, quantity: int) -> PaperBook:
    place = _place(order)
    had = book.taken.get(place)
    before = had.shares if had is not None and had.at == quote.at else 0
    young = {name: taken for name, taken in book.taken.items() if quote.at - taken.at < _FORGOTTEN}
    return replace(book, taken={**young, place: Taken(at=quote.at, shares=before + quantity)})


def _place(order: PaperOrder) -> str:
    return f"{order.ticket.symbol} {order.ticket.side}"
