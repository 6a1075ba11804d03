"""What the owner did by hand beside the system, told apart from what the system did, so that a day can be judged.

What can go wrong: an order of ours is taken for the owner's, and what it did is not judged. What this promises: an
order is the owner's only when its client order id is none of the book's intents and does not look like one; every share
that the owner sold, bought or moved away counts against what the book says that it lost.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from infra.simulated_day.book import Book
from infra.simulated_day.ledger import BrokerLedger, LedgerFill, LedgerOrder
from shared.frozen import frozen

_INTENT = re.compile(r"I[A-Z2-7]{19}")


@frozen
class ByHand:
    """A day without the owner's own deeds.

    `ledger` is what the simulator would have counted of the system alone. `profit_known` says whether its realised
    profit can be told apart from the owner's; `amiss` are sentences on owner's sells that the book counts otherwise.
    """

    ledger: BrokerLedger
    profit_known: bool
    amiss: tuple[str, ...]


def by_hand(ledger: BrokerLedger, book: Book) -> ByHand:
    """Take the owner's orders and transfers out of a ledger, and put back what the book says it lost by them."""
    intents = {order.intent_id for order in book.orders}
    theirs = [fill for fill in ledger.fills if not _ours(fill.client_order_id, intents)]
    if not theirs and not ledger.withdrawn and not book.taken:
        return ByHand(ledger=ledger, profit_known=True, amiss=())
    signs = {"BUY": 1, "SELL": -1}
    shares = defaultdict(int, ledger.positions)
    for fill in theirs:
        shares[fill.symbol] -= signs[fill.action] * fill.quantity
    for symbol, moved in ledger.withdrawn.items():
        shares[symbol] += moved
    for taken in book.taken:
        shares[taken.symbol] -= taken.quantity
    symbols = {order.symbol for order in book.orders}
    cash = ledger.cash + sum((signs[fill.action] * fill.quantity * fill.price for fill in theirs), Decimal(0))
    return ByHand(
        ledger=replace(
            ledger, cash=cash, positions={symbol: held for symbol, held in sorted(shares.items()) if held},
            fills=tuple(fill for fill in ledger.fills if _ours(fill.client_order_id, intents)),
            orders=tuple(order for order in ledger.orders if _concerns(order, intents, symbols)),
        ),
        profit_known=not ledger.withdrawn and _counted(book) == _sold(theirs),
        amiss=(*_unexplained(ledger, book, theirs), *_amiss(book, theirs)),
    )  # fmt: skip


def _ours(client_order_id: str, intents: set[str]) -> bool:
    return client_order_id in intents or _INTENT.fullmatch(client_order_id) is not None


def _concerns(order: LedgerOrder, intents: set[str], symbols: set[str]) -> bool:
    """Tell whether an order moves or offers shares of ours: one of ours, or an owner's sell in a symbol of ours."""
    return _ours(order.client_order_id, intents) or (order.action == "SELL" and order.symbol in symbols)


def _sold(theirs: list[LedgerFill]) -> Mapping[int, tuple[int, Decimal]]:
    """Sum up the shares and proceeds of each order of the owner's; a purchase counts as shares that are missing."""
    sums: dict[int, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for fill in theirs:
        sign = 1 if fill.action == "SELL" else -1
        shares, proceeds = sums[fill.order_id]
        sums[fill.order_id] = (shares + sign * fill.quantity, proceeds + sign * fill.quantity * fill.price)
    return sums


def _counted(book: Book) -> Mapping[int, tuple[int, Decimal]]:
    """Sum up what the book counts of each order of the owner's."""
    sums: dict[int, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for sell in (sell for taken in book.taken for sell in taken.sells):
        shares, proceeds = sums[sell.broker_order_id]
        sums[sell.broker_order_id] = (shares + sell.quantity, proceeds + sell.proceeds)
    return sums


def _unexplained(ledger: BrokerLedger, book: Book, theirs: list[LedgerFill]) -> list[str]:
    """Name each symbol of which the book took out more shares than the owner sold or moved away."""
    taken, left = Counter[str](), Counter(ledger.withdrawn)
    for one in book.taken:
        taken[one.symbol] += one.quantity
    for fill in theirs:
        left[fill.symbol] += fill.quantity if fill.action == "SELL" else 0
    return [
        f"Book differs from the simulator's ledger: {shares} shares of {symbol} are taken out by hand in the book, the "
        f"owner took out {left[symbol]}."
        for symbol, shares in sorted(taken.items())
        if shares > left[symbol]
    ]


def _amiss(book: Book, theirs: list[LedgerFill]) -> list[str]:
    """Name each order of which the book counts more than the owner sold, in shares or in money."""
    sold = _sold(theirs)
    return [
        f"Book differs from the simulator's ledger: of order {order} the book counts {shares} shares for "
        f"{proceeds:.2f} USD as taken out by hand, the owner sold {sold[order][0]} for {sold[order][1]:.2f} USD."
        for order, (shares, proceeds) in sorted(_counted(book).items())
        if shares > sold[order][0] or proceeds > sold[order][1]
    ]
