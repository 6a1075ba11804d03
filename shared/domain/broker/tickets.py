"""What a ticket has to be before anybody is asked for it: one that could be read otherwise is our own bug."""

import re
from decimal import Decimal

from shared.domain.base.values import PriceType, price_down
from shared.domain.broker.brokerage import Ticket
from shared.errors import InvariantBroken

_CLIENT_ORDER_ID = re.compile(r"[A-Za-z0-9]{1,20}")
SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-^]{0,20}")
"""What a ticket, and so whoever names a symbol, takes for one."""
_HIGHEST_PRICE = Decimal(1_000_000)
_NEEDS = {PriceType.LIMIT: {"limit"}, PriceType.STOP: {"stop"}, PriceType.MARKET: set[str]()}


def require_sound(ticket: Ticket) -> None:
    """Raise InvariantBroken for a ticket that cannot be meant (etrade-api.md 4.2, 4.7).

    The prices are those that its price type needs, no more and no fewer, each on its tick.
    """
    if not _CLIENT_ORDER_ID.fullmatch(ticket.client_order_id):
        raise InvariantBroken("a client order id that is not 1 to 20 letters and digits")
    if not SYMBOL.fullmatch(ticket.symbol):
        raise InvariantBroken("a ticket for something that is no symbol")
    if ticket.quantity < 1:
        raise InvariantBroken("a ticket for less than one share")
    prices = {
        name: price for name, price in (("limit", ticket.limit_price), ("stop", ticket.stop_price)) if price is not None
    }
    if prices.keys() != _NEEDS[ticket.price_type]:
        raise InvariantBroken(f"the prices of a {ticket.price_type} ticket do not fit its type")
    if not all(map(_on_tick, prices.values())):
        raise InvariantBroken("a price that is not on its tick")


def _on_tick(price: Decimal) -> bool:
    return price.is_finite() and 0 < price < _HIGHEST_PRICE and price == price_down(price)
