"""The paper account as a ledger: what a day on paper is judged by, in the place of the simulator's own.

It is our own record, so it shows that book and paper account agree, not that a broker would have done the same.
The simulator still counts the calls, and so shows that none of them was about an order.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from infra.simulated_day.book import Documents
from infra.simulated_day.environment import STARTING_CASH
from infra.simulated_day.ledger import BrokerEvent, BrokerLedger, LedgerFill, LedgerOrder, PlaceRequest
from shared.codec import decode
from shared.paper.book import PaperBook, PaperOrder
from shared.paper.books import BOOK
from shared.settings import Mode, Settings


def starting_cash(settings: Settings) -> Decimal:
    """Give what the account that takes the orders began with, in USD."""
    return STARTING_CASH if settings.mode is Mode.LIVE else settings.capital_usd


def account_ledger(settings: Settings, store: Documents, simulator: BrokerLedger) -> BrokerLedger:
    """Give the ledger of whoever takes the orders: the simulator's own, or the paper account's of a store."""
    if settings.mode is Mode.LIVE:
        return simulator
    return paper_ledger(store, simulator, opened_with=starting_cash(settings))


def paper_ledger(store: Documents, simulator: BrokerLedger, *, opened_with: Decimal) -> BrokerLedger:
    """Give the paper account of a store in the words of a ledger; calls and throttles are the simulator's."""
    rows = {row.path: row.data for row in store.query("paper")}
    plain = rows.pop(BOOK, None)
    book = PaperBook(account_mode="", cash=opened_with) if plain is None else decode(PaperBook, plain)
    ended = (decode(PaperOrder, row) for row in rows.values())
    orders = tuple(_order(order) for order in sorted((*ended, *book.orders), key=lambda order: order.order_id))
    return replace(
        simulator,
        cash=book.cash,
        settled_cash=book.cash - sum((owed.amount for owed in book.proceeds), Decimal(0)),
        positions={symbol: held.quantity for symbol, held in sorted(book.positions.items())},
        orders=orders,
        fills=tuple(sorted((fill for order in orders for fill in _fills(order)), key=lambda fill: fill.at)),
        place_requests=tuple(
            PlaceRequest(at=order.placed_at, client_order_id=order.client_order_id, outcome="placed")
            for order in orders
        ),
        realized_pnl=book.realized,
    )


def _order(order: PaperOrder) -> LedgerOrder:
    ticket = order.ticket
    return LedgerOrder(
        order_id=order.order_id, client_order_id=ticket.client_order_id, symbol=ticket.symbol,
        action=ticket.side.value, quantity=ticket.quantity, filled=order.filled, price_type=ticket.price_type.value,
        term=ticket.term.value, limit_price=ticket.limit_price, stop_price=ticket.stop_price,
        status=order.status.value, placed_at=order.placed_at,
        history=tuple(sorted(_events(order), key=lambda event: event.at)),
    )  # fmt: skip


def _events(order: PaperOrder) -> Iterator[BrokerEvent]:
    instants: dict[str, datetime | None] = {
        "placed": order.placed_at,
        "working": order.works_from if order.ended_at is None or order.works_from < order.ended_at else None,
        "cancel_requested": order.cancel_asked_at,
    }
    yield from (BrokerEvent(at=at, event=event) for event, at in instants.items() if at is not None)
    for fill in order.fills:
        yield BrokerEvent(at=fill.at, event="fill", quantity=fill.quantity, price=fill.price)
    if order.ended_at is not None and order.status.value != "EXECUTED":
        yield BrokerEvent(at=order.ended_at, event=order.status.value.lower())


def _fills(order: LedgerOrder) -> Iterator[LedgerFill]:
    for event in order.history:
        if event.quantity is not None and event.price is not None:
            yield LedgerFill(
                at=event.at, order_id=order.order_id, client_order_id=order.client_order_id, symbol=order.symbol,
                action=order.action, quantity=event.quantity, price=event.price,
            )  # fmt: skip
