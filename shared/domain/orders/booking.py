"""What the broker shows of an order as it becomes our book: the state that follows, and the fill in its position."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.control.config import Exits
from shared.domain.orders import book
from shared.domain.orders.orders import Order, State
from shared.domain.orders.own_rows import Said
from shared.domain.orders.positions import Position
from shared.errors import InvariantBroken

_ENDS = {
    BrokerStatus.EXECUTED: State.FILLED,
    BrokerStatus.CANCELLED: State.CANCELLED,
    BrokerStatus.EXPIRED: State.EXPIRED,
    BrokerStatus.REJECTED: State.REJECTED,
}


def next_state(order: Order, shown: Said) -> State:
    """Give the state of an order at the broker that shows this of it."""
    to = _ENDS.get(shown.status) if shown.status is not None else None
    if to is State.FILLED and shown.filled < order.quantity:
        return order.state
    if to is not None:
        return to
    return State.FILLED if shown.filled == order.quantity else order.state


def folded(
    order: Order, position: Position | None, quantity: int, price: Decimal, *, at: datetime, exits: Exits
) -> tuple[Position, Decimal]:
    """Give the position of a symbol after one more fill of an order, and the profit of that fill; prices in USD.

    `position` is the last one in the symbol; `exits` are the rules that a new one is opened under. Raises
    InvariantBroken for a fill that no position of ours explains.
    """
    mine = position if position is not None and position.position_id == order.position_id else None
    if order.side is Side.BUY:
        if mine is not None:
            return book.bought(mine, quantity=quantity, price=price, at=at), Decimal(0)
        if position is not None and position.is_open:
            raise InvariantBroken(f"{order.symbol} was bought while another position of ours is open in it")
        opened = book.opened(order, quantity=quantity, price=price, at=at)
        lost_at = position.lost_at if position is not None else None
        return replace(opened, exits=exits, lost_at=lost_at), Decimal(0)
    if mine is None:
        raise InvariantBroken(f"{order.symbol} was sold for a position that the book does not have")
    return book.sold(mine, quantity=quantity, price=price, at=at)
