"""What the broker shows of an order becomes our book: order, fill, position and ledger in one commit.

What can go wrong: a list lags, repeats itself or goes backwards; a fill shows before the status does; two functions
see one fill at once. What this promises: filled shares only grow, each share is booked once (the order's version
decides), and a cancel time-out changes nothing: only what the list says counts (order-safety.md 1.3, 1.4 C16).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.domain import book
from shared.domain.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders import AT_BROKER, Order, State
from shared.domain.positions import Fill, Ledger, Position
from shared.domain.values import Side
from shared.errors import InvariantBroken, Unreadable
from shared.ports import Write
from shared.usecases.desk import Held, create, read, replaced
from shared.usecases.moves import judged_on, move
from shared.usecases.trading import TradingDesk, require_our_venue

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
    """Read a symbol's position, open or closed, or None; raises AnotherVenue for an open one of another venue."""
    held = read(desk.store, Position, position_path(symbol))
    if held is not None and held.value.is_open:
        require_our_venue(desk, [held.value])
    return held


def rows_of(order: Order, listing: Sequence[BrokerOrder]) -> list[BrokerOrder]:
    """Give what a list says of an order that the broker has."""
    return [seen for seen in listing if seen.order_id is not None and seen.order_id == order.broker_order_id]


def book_seen(desk: TradingDesk, held: Held[Order], seen: BrokerOrder) -> Held[Order]:
    """Bring an order that is at the broker in line with what the broker shows, and book what filled.

    Raises Conflict when somebody else booked at the same time; the next look gives the same result.
    """
    order = held.value
    if seen.filled is None or (seen.symbol or order.symbol, seen.side or order.side) != (order.symbol, order.side):
        return held
    late = order.state in (State.CANCELLED, State.EXPIRED) and seen.filled > order.filled
    if order.state not in AT_BROKER and not late:
        return held
    filled = max(order.filled, min(seen.filled, order.quantity))
    to = order.state if late else _next_state(order, seen, filled)
    if to is order.state and filled == order.filled:
        return held
    cause = f"the broker shows {seen.status}"
    if filled == order.filled:
        return move(desk, held, to, cause=cause)
    with judged_on(desk, held):
        fill, position = _fill(desk, order, seen, filled)

    def booked(ledger: Ledger) -> Ledger:
        return book.booked(ledger, position.value, profit=fill.realized, at=fill.at, config=desk.config)

    held = move(
        desk, held, to, create(f"fills/{seen.order_id}:{filled:09d}", fill), position.write, cause=cause, ledger=booked,
        filled=filled, average_price=seen.average_price,
    )  # fmt: skip
    desk.journal.line(
        "fill", symbol=fill.symbol, side=fill.side, quantity=fill.quantity, price=str(fill.price),
        order_id=fill.broker_order_id, intent_id=fill.intent_id, realized=str(fill.realized), reason=fill.reason,
    )  # fmt: skip
    return held


@dataclass(frozen=True, slots=True, kw_only=True)
class _After:
    """A position as it is after a fill, and the write that makes it so."""

    value: Position
    write: Write


def _next_state(order: Order, seen: BrokerOrder, filled: int) -> State:
    to = _ENDS.get(seen.status) if seen.status is not None else None
    if to is State.FILLED and filled < order.quantity:
        return order.state
    if to is not None:
        return to
    return State.FILLED if filled == order.quantity else order.state


def _fill(desk: TradingDesk, order: Order, seen: BrokerOrder, filled: int) -> tuple[Fill, _After]:
    if seen.average_price is None:
        raise Unreadable(f"the broker shows {filled} shares of {order.intent_id} filled, but no price")
    new = book.newly_filled(order, filled=filled, average_price=seen.average_price)
    if new is None:
        raise InvariantBroken(f"order {order.intent_id}: a fill of nothing")
    quantity, price = new
    now = desk.clock.now()
    held = held_position(desk, order.symbol)
    position, profit = _fold(order, held.value if held else None, quantity, price, now)
    fill = Fill(
        intent_id=order.intent_id, broker_order_id=order.broker_order_id or 0, position_id=order.position_id,
        symbol=order.symbol, side=order.side, quantity=quantity, price=price, cumulative=filled, realized=profit,
        reason=order.reason, at=now,
    )  # fmt: skip
    write = replaced(position_path(order.symbol), held, position)
    return fill, _After(value=position, write=write)


def _fold(
    order: Order, position: Position | None, quantity: int, price: Decimal, at: datetime
) -> tuple[Position, Decimal]:
    mine = position if position is not None and position.position_id == order.position_id else None
    if order.side is Side.BUY:
        if mine is not None:
            return book.bought(mine, quantity=quantity, price=price, at=at), Decimal(0)
        if position is not None and position.is_open:
            raise InvariantBroken(f"{order.symbol} was bought while another position of ours is open in it")
        return book.opened(order, quantity=quantity, price=price, at=at), Decimal(0)
    if mine is None:
        raise InvariantBroken(f"{order.symbol} was sold for a position that the book does not have")
    return book.sold(mine, quantity=quantity, price=price, at=at)
