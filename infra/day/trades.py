"""Positions of a day from entry to exit, as a person counts trades.

What was bought and sold comes from the book; when it happened comes from the simulator, which filled it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from infra.day.book import Book
from infra.day.ledger import BrokerLedger
from shared.domain.positions import Fill
from shared.domain.taken import Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One position; prices are averages in USD, `realized` in USD, `left_at` None while shares are held.

    Shares that the owner took out at a price that is not known are in neither price nor profit.
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


def trades(book: Book, ledger: BrokerLedger) -> list[Trade]:
    """Give the day's positions by the time of their first fill."""
    when: dict[int, list[datetime]] = {}
    for filled in ledger.fills:
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
    flat = shares == sum([*(fill.quantity for fill in sold), *(taken.quantity for taken in gone)])
    begins = min(at for fill in fills for at in when.get(fill.broker_order_id, [fill.at]))
    left = [at for fill in sold for at in when.get(fill.broker_order_id, [fill.at])] + [taken.at for taken in gone]
    proceeds = [fill.price * fill.quantity for fill in sold] + [one.proceeds for taken in gone for one in taken.sells]
    priced = sum(fill.quantity for fill in sold) + sum(taken.quantity - taken.unpriced for taken in gone)
    reasons = [fill.reason for fill in sold] + ["taken out by hand" for _ in gone]
    return Trade(
        position_id=fills[0].position_id,
        symbol=fills[0].symbol,
        strategy=strategy,
        shares=shares,
        entered_at=begins,
        entry_price=average(bought) or Decimal(0),
        left_at=max(left) if flat else None,
        exit_price=sum(proceeds, Decimal(0)) / priced if priced else None,
        exit_reason=", ".join(dict.fromkeys(reasons)),
        realized=sum([*(fill.realized for fill in fills), *(taken.realized for taken in gone)], Decimal(0)),
        possible_wash_sale=marked,
    )


def average(fills: Iterable[Fill]) -> Decimal | None:
    """Give the mean price of shares that changed hands in USD, or None for none."""
    listed = list(fills)
    shares = sum(fill.quantity for fill in listed)
    return sum((fill.quantity * fill.price for fill in listed), Decimal(0)) / shares if shares else None
