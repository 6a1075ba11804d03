"""Positions of a day from entry to exit, as a person counts trades.

What was bought and sold comes from the book; when it happened comes from the simulator, which filled it, or where no
simulator is at hand from the book as well: then it is when the system learned of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.day.book import Book
from infra.day.ledger import BrokerLedger
from shared.domain.positions import Fill
from shared.domain.taken import Taken

_PERCENT = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One position; prices are averages in USD, `realized` in USD, `left_at` None while shares are held.

    `percent` is the profit in percent of what those shares cost that left at a known price, None while there are none.
    `unpriced` shares are those that the owner took out at a price that is not known: they are in neither price nor
    profit. `held` are the shares that it still has.
    `possible_wash_sale` is the mark of its entry: shares of the symbol were sold at a loss in the thirty days before.
    """

    position_id: str
    symbol: str
    strategy: str
    shares: int
    entered_at: datetime
    entry_price: Decimal
    left_at: datetime | None
    exit_price: Decimal | None
    exit_reason: str
    realized: Decimal
    possible_wash_sale: bool
    percent: Decimal | None = None
    unpriced: int = 0
    held: int = 0


def trades(book: Book, ledger: BrokerLedger | None = None) -> list[Trade]:
    """Give the positions of a book by the time of their first fill; a `ledger` knows when it was."""
    when: dict[int, list[datetime]] = {}
    for filled in ledger.fills if ledger is not None else ():
        when.setdefault(filled.order_id, []).append(filled.at)
    strategies = {order.position_id: order.strategy for order in book.orders}
    gone: dict[str, list[Taken]] = {}
    for taken in book.taken:
        gone.setdefault(taken.position_id, []).append(taken)
    by_position: dict[str, list[Fill]] = {}
    for fill in book.fills:
        by_position.setdefault(fill.position_id, []).append(fill)
    marked = {order.position_id for order in book.orders if order.possible_wash_sale}
    found = [
        _trade(fills, gone.get(position, []), strategies.get(position, ""), when, marked=position in marked)
        for position, fills in by_position.items()
    ]
    return sorted(found, key=lambda trade: (trade.entered_at, trade.symbol))


def _trade(
    fills: list[Fill], gone: list[Taken], strategy: str, when: dict[int, list[datetime]], *, marked: bool
) -> Trade:
    bought = [fill for fill in fills if fill.side == "BUY"]
    sold = [fill for fill in fills if fill.side == "SELL"]
    shares = sum(fill.quantity for fill in bought)
    held = shares - sum([*(fill.quantity for fill in sold), *(taken.quantity for taken in gone)])
    begins = min(at for fill in fills for at in when.get(fill.broker_order_id, [fill.at]))
    left = [at for fill in sold for at in when.get(fill.broker_order_id, [fill.at])] + [taken.at for taken in gone]
    brought = [fill.price * fill.quantity for fill in sold] + [one.proceeds for taken in gone for one in taken.sells]
    proceeds = sum(brought, Decimal(0))
    realized = sum([*(fill.realized for fill in fills), *(taken.realized for taken in gone)], Decimal(0))
    priced = sum(fill.quantity for fill in sold) + sum(taken.quantity - taken.unpriced for taken in gone)
    reasons = [fill.reason for fill in sold] + ["taken out by hand" for _ in gone]
    return Trade(
        position_id=fills[0].position_id,
        symbol=fills[0].symbol,
        strategy=strategy,
        shares=shares,
        entered_at=begins,
        entry_price=average(bought) or Decimal(0),
        left_at=max(left) if left and not held else None,
        exit_price=proceeds / priced if priced else None,
        exit_reason=", ".join(dict.fromkeys(reasons)),
        realized=realized,
        possible_wash_sale=marked,
        percent=_percent(realized, cost=proceeds - realized) if priced else None,
        unpriced=sum(taken.unpriced for taken in gone),
        held=held,
    )


def _percent(realized: Decimal, *, cost: Decimal) -> Decimal | None:
    return (realized * 100 / cost).quantize(_PERCENT) if cost > 0 else None


def average(fills: Iterable[Fill]) -> Decimal | None:
    """Give the mean price of shares that changed hands in USD, or None for none."""
    listed = list(fills)
    shares = sum(fill.quantity for fill in listed)
    return sum((fill.quantity * fill.price for fill in listed), Decimal(0)) / shares if shares else None
