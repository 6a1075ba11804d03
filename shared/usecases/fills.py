"""What the broker shows of an order becomes our book: order, fill, position and ledger in one commit.

What can go wrong: a list lags, repeats itself or goes backwards; a fill shows before the status does; two functions
see one fill at once. What this promises: filled shares only grow, each share is booked once (the order's version
decides), and a cancel time-out changes nothing: only what the list says counts (order-safety.md 1.3, 1.4 C16).
"""

from dataclasses import replace
from datetime import datetime

from shared.domain import book
from shared.domain.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders import AT_BROKER, TERMINAL, Kind, Order, State
from shared.domain.positions import Fill, Ledger, Position
from shared.domain.values import Side, cents
from shared.ports import Write
from shared.usecases.desk import Held, create, read
from shared.usecases.moves import move
from shared.usecases.trading import TradingDesk

_ENDS = {
    BrokerStatus.EXECUTED: State.FILLED,
    BrokerStatus.CANCELLED: State.CANCELLED,
    BrokerStatus.EXPIRED: State.EXPIRED,
    BrokerStatus.REJECTED: State.REJECTED,
}


def position_path(symbol: str) -> str:
    """Give the path of a symbol's position."""
    return f"positions/{symbol}"


def held_position(desk: TradingDesk, symbol: str) -> Held[Position] | None:
    """Read a symbol's position, open or closed, or None."""
    return read(desk.store, Position, position_path(symbol))


def book_seen(desk: TradingDesk, held: Held[Order], seen: BrokerOrder) -> Held[Order]:
    """Bring an order that is at the broker in line with what the broker shows, and book what filled.

    Raises Conflict when somebody else booked at the same time; the next look gives the same result.
    """
    order = held.value
    if order.state not in AT_BROKER:
        return held
    filled = max(order.filled, min(seen.filled, order.quantity))
    to = _next_state(order, seen, filled)
    if to is order.state and filled == order.filled:
        return held
    also = _fill_writes(desk, order, seen, filled) if filled > order.filled else []
    average = seen.average_price if filled > order.filled else order.average_price
    return move(desk, held, to, *also, cause=f"the broker shows {seen.status}", filled=filled, average_price=average)


def _next_state(order: Order, seen: BrokerOrder, filled: int) -> State:
    to = _ENDS.get(seen.status)
    if to is State.FILLED and filled < order.quantity:
        return order.state
    if to is not None:
        return to
    return State.FILLED if filled == order.quantity else order.state


def _fill_writes(desk: TradingDesk, order: Order, seen: BrokerOrder, filled: int) -> list[Write]:
    if seen.average_price is None or order.broker_order_id is None:
        return []
    quantity = filled - order.filled
    before = cents(order.average_price * order.filled) if order.average_price is not None else cents(seen.average_price * 0)
    amount = cents(seen.average_price * filled) - before
    now = desk.clock.now()
    held = held_position(desk, order.symbol)
    position = held.value if held is not None else None
    after, realized = _fold(order, position, quantity=quantity, amount=amount, at=now, config=desk)
    return []
