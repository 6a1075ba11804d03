"""Order requests as E*TRADE wants them: JSON, arrays even for one, numbers as text, unused prices left out.

Sources: etrade-api.md 4.2, 4.3, 4.5, 4.7, 4.9. Preview and place share one body, so what is placed is what
was previewed, under the same clientOrderId. A ticket that E*TRADE could read otherwise than it was meant is
our own bug.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from shared.domain.brokerage import Ticket
from shared.domain.values import PriceType, price_down, tick
from shared.errors import InvariantBroken

_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9]{1,20}")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-^]{0,20}")
_HIGHEST_PRICE = Decimal(1_000_000)


def preview(ticket: Ticket) -> bytes:
    """Write a preview request; raises InvariantBroken for a ticket that cannot be meant."""
    return msgspec.json.encode({"PreviewOrderRequest": _order(ticket)})


def place(ticket: Ticket, preview_ids: Sequence[int]) -> bytes:
    """Write the place request of a previewed ticket; raises InvariantBroken without a preview id."""
    if not preview_ids or min(preview_ids) <= 0:
        raise InvariantBroken("a place without the ids of its preview")
    ids = [{"previewId": preview_id} for preview_id in preview_ids]
    return msgspec.json.encode({"PlaceOrderRequest": {**_order(ticket), "PreviewIds": ids}})


def cancel(order_id: int) -> bytes:
    """Write a cancel request."""
    return msgspec.json.encode({"CancelOrderRequest": {"orderId": order_id}})


def _order(ticket: Ticket) -> dict[str, Any]:
    if not _CLIENT_ORDER_ID.fullmatch(ticket.client_order_id):
        raise InvariantBroken("a client order id that is not 1 to 20 letters and digits")
    if not _SYMBOL.fullmatch(ticket.symbol):
        raise InvariantBroken("a ticket for something that is no symbol")
    if ticket.quantity < 1:
        raise InvariantBroken("a ticket for less than one share")
    order: dict[str, Any] = {
        "allOrNone": "false",
        "priceType": ticket.price_type.value,
        "orderTerm": ticket.term.value,
        "marketSession": "REGULAR",
        **_prices(ticket),
        "Instrument": [
            {
                "Product": {"securityType": "EQ", "symbol": ticket.symbol},
                "orderAction": ticket.side.value,
                "quantityType": "QUANTITY",
                "quantity": str(ticket.quantity),
            }
        ],
    }
    return {"orderType": "EQ", "clientOrderId": ticket.client_order_id, "Order": [order]}


def _prices(ticket: Ticket) -> dict[str, str]:
    """Give the prices that the price type needs (etrade-api.md 4.2); more or fewer are a bug."""
    given = {"limitPrice": ticket.limit_price, "stopPrice": ticket.stop_price}
    wanted = {PriceType.LIMIT: {"limitPrice"}, PriceType.STOP: {"stopPrice"}, PriceType.MARKET: set[str]()}
    prices = {name: price for name, price in given.items() if price is not None}
    if prices.keys() != wanted[ticket.price_type]:
        raise InvariantBroken(f"the prices of a {ticket.price_type} ticket do not fit its type")
    return {name: _price(price) for name, price in prices.items()}


def _price(price: Decimal) -> str:
    if not price.is_finite() or not 0 < price < _HIGHEST_PRICE or price != price_down(price):
        raise InvariantBroken("a price that is not on its tick")
    return format(price.quantize(tick(price)), "f")
