"""Which of our shares a sell at the broker covers, as far as the owner is told.

What can go wrong: a stop whose cancel was requested may be gone already, so here it covers nothing; for what is sent it
still does (`protect`), because it may fill. Shares of an entry that was sent may be ours before the book has them.
"""

from collections.abc import Sequence
from datetime import datetime

from shared.domain.base.values import Side
from shared.domain.orders.orders import AT_BROKER, IN_DOUBT, Order, State
from shared.domain.orders.positions import Position
from shared.ports import Where
from shared.usecases.base.desk import Desk, held_rows
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.losses import positions_anywhere


def orders_of(desk: Desk, position: Position) -> list[Order]:
    """Read every order of a position, ended ones included."""
    rows = desk.store.query("orders", Where("position_id", "==", position.position_id))
    return [row.value for row in held_rows(desk, Order, rows)]


def uncovered(position: Position, orders: Sequence[Order]) -> int:
    """Count the shares over which no sell surely works."""
    return max(0, position.present - sum(order.quantity - order.filled for order in orders if _covers(order)))


def naked_since(position: Position, orders: Sequence[Order]) -> datetime | None:
    """Say since when working sells have not covered all shares, None while they do.

    The last change of an order that the broker had and that is no cover now: shares came, or their sell went or is
    being cancelled.
    """
    if not uncovered(position, orders):
        return None
    ended = [changed(order) for order in orders if order.broker_order_id is not None and not _covers(order)]
    return max([position.opened_at, *ended])


def may_be_naked(desk: TradingDesk) -> tuple[str, ...]:
    """Name the shares that may lie without a stop: those that nothing covers, and those of entries under way."""
    held = [row.value for row in positions_anywhere(desk)]
    bare = [(uncovered(one, orders_of(desk, one)), one.symbol) for one in held]
    live = [row.value for row in held_rows(desk, Order, desk.store.query("orders", Where("live", "==", True)))]
    sent = [one for one in live if one.side is Side.BUY and one.state in AT_BROKER | IN_DOUBT]
    coming = [(one.quantity - one.filled, one.symbol) for one in sent]
    return (
        *(f"{shares} {symbol}" for shares, symbol in bare if shares),
        *(f"up to {shares} {symbol} of an entry under way" for shares, symbol in sorted(coming) if shares),
    )


def _covers(order: Order) -> bool:
    return order.side is Side.SELL and order.state is State.WORKING


def changed(order: Order) -> datetime:
    """Give when an order stopped to cover: a cancel that is asked for again changes nothing."""
    since = order.state_since if order.state is State.CANCEL_REQ else None
    return since or order.updated_at
