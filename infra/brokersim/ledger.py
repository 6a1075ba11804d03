"""The simulator's own record of what happened, in plain JSON values, to hold any client's book against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from infra.brokersim.account import Account
from infra.brokersim.orders import Event, Fill, Order


class LedgerEvent(TypedDict):
    """One event of an order; quantity (shares) and price (dollars) only for a fill."""

    at: str
    event: str
    quantity: NotRequired[int]
    price: NotRequired[str]


class LedgerOrder(TypedDict):
    """One order with everything that happened to it."""

    order_id: int
    client_order_id: str
    symbol: str
    action: str
    quantity: int
    filled: int
    price_type: str
    term: str
    limit_price: str | None
    stop_price: str | None
    status: str
    placed_at: str
    history: list[LedgerEvent]


class LedgerFill(TypedDict):
    """One fill, in the order in which fills happened."""

    at: str
    order_id: int
    client_order_id: str
    symbol: str
    action: str
    quantity: int
    price: str


class PlaceRequest(TypedDict):
    """One place request that arrived; `outcome` is `placed`, or why not."""

    at: str
    client_order_id: str | None
    preview_id: int | None
    outcome: str


class Ledger(TypedDict):
    """One account's book and the simulator's counters; money as text in dollars, instants ISO-8601 UTC."""

    account: str
    cash: str
    settled_cash: str
    realized_pnl: str
    positions: dict[str, int]
    withdrawn: dict[str, int]
    orders: list[LedgerOrder]
    fills: list[LedgerFill]
    calls: dict[str, int]
    throttled: int
    place_requests: list[PlaceRequest]


def iso(at: datetime) -> str:
    """An instant in ISO-8601, UTC, with microseconds always."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def ledger_of(
    account: Account,
    *,
    at: datetime,
    calls: Mapping[str, int],
    throttled: int,
    placed: Sequence[PlaceRequest],
) -> Ledger:
    """A snapshot that shares nothing with the simulator."""
    return {
        "account": account.key,
        "cash": str(account.cash),
        "settled_cash": str(account.settled_cash(at)),
        "realized_pnl": f"{account.realized:.2f}",
        "positions": {symbol: position.quantity for symbol, position in sorted(account.positions.items())},
        "withdrawn": dict(sorted(account.withdrawn.items())),
        "orders": [_order(order) for order in account.orders.values()],
        "fills": [_fill(fill) for fill in account.fills],
        "calls": dict(calls),
        "throttled": throttled,
        "place_requests": [request.copy() for request in placed],
    }


def _order(order: Order) -> LedgerOrder:
    ticket = order.ticket
    return {
        "order_id": order.order_id,
        "client_order_id": ticket.client_order_id,
        "symbol": ticket.symbol,
        "action": ticket.action.value,
        "quantity": ticket.quantity,
        "filled": order.filled,
        "price_type": ticket.price_type.value,
        "term": ticket.term.value,
        "limit_price": _text(ticket.limit_price),
        "stop_price": _text(ticket.stop_price),
        "status": order.status.value,
        "placed_at": iso(order.placed_at),
        "history": [_event(event) for event in order.events],
    }


def _event(event: Event) -> LedgerEvent:
    told: LedgerEvent = {"at": iso(event.at), "event": event.kind.value}
    if event.quantity is not None:
        told["quantity"] = event.quantity
        told["price"] = str(event.price)
    return told


def _fill(fill: Fill) -> LedgerFill:
    return {
        "at": iso(fill.at),
        "order_id": fill.order_id,
        "client_order_id": fill.ticket.client_order_id,
        "symbol": fill.ticket.symbol,
        "action": fill.ticket.action.value,
        "quantity": fill.quantity,
        "price": str(fill.price),
    }


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)
