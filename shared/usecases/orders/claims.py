"""Which intent owns a broker order: created once, never changed, so that one broker order has at most one owner."""

from shared.domain.orders.orders import Order
from shared.ports import Create
from shared.usecases.base.desk import Desk, create


def claim(order: Order, broker_order_id: int) -> Create:
    """Give the write by which an intent claims a broker order; its commit is a Conflict when somebody else did."""
    return create(_path(broker_order_id), {"intent_id": order.intent_id, "session": order.session.isoformat()})


def claimed(desk: Desk, broker_order_id: int | None) -> bool:
    """Tell whether a broker order belongs to an intent; one whose id cannot be read does not."""
    return broker_order_id is not None and desk.store.get(_path(broker_order_id)) is not None


def _path(broker_order_id: int) -> str:
    return f"broker_orders/{broker_order_id}"
