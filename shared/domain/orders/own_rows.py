"""What the list says of an order of ours, as far as it can be used.

What can go wrong: a field of our own row is missing, is no number, is of another order, or is a figure that cannot be.
What this promises: nothing is used that the row does not say, and nothing that contradicts what we sent: a row of
another symbol or side is not used at all, nor are more shares than were asked for, nor a price far from any that the
order could have had. Without a usable number of filled shares no end of the order is used either: what it ended with
would be a guess. What is not used is named, in the broker's words.
"""

from decimal import Decimal

from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders.orders import Order
from shared.frozen import frozen

_FAR = 10
_ROUNDING = Decimal("1.01")


@frozen
class Said:
    """Filled shares, never fewer than were booked, their average price in USD where it is said, and the status."""

    filled: int
    average_price: Decimal | None
    status: BrokerStatus | None
    unread: tuple[str, ...]


def said(order: Order, seen: BrokerOrder, *, reference: Decimal | None) -> Said:
    """Give what can be used of a row that carries the id of our order; `reference` is a price near which it filled."""
    unread = dict.fromkeys(seen.odd)
    useless = (
        ("symbol", seen.symbol not in (None, order.symbol)),
        ("orderAction", seen.side not in (None, order.side)),
        ("filledQuantity", seen.filled is None or seen.filled > order.quantity),
    )
    unread |= {name: None for name, why in useless if why}
    if seen.filled is None or any(why for _, why in useless):
        return Said(filled=order.filled, average_price=None, status=None, unread=tuple(unread))
    if seen.filled < order.filled:  # the list lags
        return Said(filled=order.filled, average_price=None, status=seen.status, unread=tuple(unread))
    price = seen.average_price
    if price is not None and not _possible(order, price, reference):
        unread["averageExecutionPrice"], price = None, None
    return Said(filled=seen.filled, average_price=price, status=seen.status, unread=tuple(unread))


def _possible(order: Order, price: Decimal, reference: Decimal | None) -> bool:
    """Tell whether an order could have filled at this average: not beyond its limit, and not far from everything."""
    if reference is not None and not reference / _FAR <= price <= reference * _FAR:
        return False
    if order.limit_price is None:
        return price > 0
    return price <= order.limit_price * _ROUNDING if order.side is Side.BUY else price * _ROUNDING >= order.limit_price
