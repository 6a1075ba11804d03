"""What the report of a day is made of: its book, at the instants of the simulator's ledger."""

from collections import defaultdict
from datetime import datetime

from infra.day.book import Book
from infra.day.ledger import BrokerLedger
from infra.results.facts import Trade
from infra.results.receipts import Decision, decisions
from infra.results.trades import trades


def trades_of(book: Book, ledger: BrokerLedger) -> list[Trade]:
    """Give the day's trades at the instants of whoever filled them."""
    when = defaultdict[int, list[datetime]](list)
    for filled in ledger.fills:
        when[filled.order_id].append(filled.at)
    return trades(orders=book.orders, fills=book.fills, taken=book.taken, signals=book.signals, filled_at=when)


def decisions_of(book: Book) -> list[Decision]:
    """Give every signal's receipt."""
    return decisions(book.signals, orders=book.orders, events=book.events, fills=book.fills)
