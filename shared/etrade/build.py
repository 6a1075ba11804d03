"""Order requests as E*TRADE wants them: JSON, arrays even for one, numbers as text, unused prices left out.

Sources: etrade-api.md 4.2, 4.3, 4.5, 4.7, 4.9. Preview and place share one body, so what is placed is what
was previewed, under the same clientOrderId. A ticket that E*TRADE could read otherwise than it was meant is
our own bug.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from shared.domain.base.values import tick
from shared.domain.broker.brokerage import Ticket
from shared.domain.broker.tickets import require_sound
from shared.errors import InvariantBroken


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
    require_sound(ticket)
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
    given = {"limitPrice": ticket.limit_price, "stopPrice": ticket.stop_price}
    return {name: format(price.quantize(tick(price)), "f") for name, price in given.items() if price is not None}
