"""One arrow of the order table, one atomic commit: the order, its audit event, its message and its reservation.

What can go wrong: two invocations move one order at once (the version decides: one commits, the other sees Conflict);
the ledger is busy (read again, four tries); the commit's answer is lost (StoreDown: the message comes again and finds
the truth). What this promises: a reservation and a symbol lock end only in a commit that ends their order
(order-safety.md 1.3, rule c).
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from shared.domain.messages import Message, OrderPlaced
from shared.domain.orders import TERMINAL, Kind, Order, State, advance, born
from shared.domain.positions import Ledger
from shared.errors import InvariantBroken
from shared.ports import Create, Delete, Write
from shared.usecases import outbox
from shared.usecases.desk import Desk, Held, create, persist, read


def order_path(intent_id: str) -> str:
    """Give the path of an order."""
    return f"orders/{intent_id}"


def held_order(desk: Desk, intent_id: str) -> Held[Order] | None:
    """Read an order, or None."""
    return read(desk.store, Order, order_path(intent_id))


def held_ledger(desk: Desk, order: Order) -> Held[Ledger]:
    """Read the ledger of an order's session; it exists from the first reservation on."""
    held = read(desk.store, Ledger, f"ledger/{order.session.isoformat()}")
    if held is None:
        raise InvariantBroken(f"order {order.intent_id} holds a reservation, but its session has no ledger")
    return held


def begin(desk: Desk, order: Order, *also: Write, cause: str) -> Held[Order]:
    """Write a new order; raises Conflict when it exists already."""
    order, event = born(order, actor=desk.actor, cause=cause)
    path = order_path(order.intent_id)
    audit = create(f"audit/{event.chain}:{event.seq:06d}", event)
    versions = desk.store.commit([create(path, order), audit, *also])
    desk.journal.line("order", intent_id=order.intent_id, state=order.state, kind=order.kind, symbol=order.symbol)
    return Held(path=path, value=order, version=versions[0])


def move(
    desk: Desk, held: Held[Order], to: State, *also: Write, cause: str, announce: bool = False, **changes: Any
) -> Held[Order]:
    """Move an order along one arrow; `announce` also promises and publishes OrderPlaced.

    Raises Conflict when somebody else moved it first, InvariantBroken for an arrow that does not exist.
    """
    at = desk.clock.now()
    before = held.value
    ends = to in TERMINAL and before.state is not State.NEW and before.kind is Kind.ENTRY
    if ends:
        changes["reserved"] = Decimal(0)
    order, event = advance(before, to, at=at, actor=desk.actor, cause=cause, **changes)
    audit = create(f"audit/{event.chain}:{event.seq:06d}", event)
    message = OrderPlaced(intent_id=order.intent_id, symbol=order.symbol) if announce else None
    rows = _rows(desk, order, message)

    def attempt() -> tuple[str, ...]:
        freed = _release(desk, before) if ends else []
        return desk.store.commit([held.update(order), audit, *also, *rows, *freed])

    versions = persist(attempt) if ends else attempt()
    desk.journal.line(
        "order", intent_id=order.intent_id, state=to, kind=order.kind, symbol=order.symbol, cause=cause,
        codes=",".join(order.codes), order_id=order.broker_order_id,
    )  # fmt: skip
    for row in rows:
        outbox.publish(desk, row)
    return Held(path=held.path, value=order, version=versions[0])


def _rows(desk: Desk, order: Order, message: Message | None) -> Sequence[Create]:
    if message is None:
        return ()
    name = f"{order.intent_id}:{order.rev}"
    return (outbox.promise(desk, name=name, topic="orders-placed", key=order.symbol, message=message),)


def _release(desk: Desk, order: Order) -> list[Write]:
    ledger = held_ledger(desk, order)
    freed = replace(ledger.value, reserved=ledger.value.reserved - order.reserved)
    return [ledger.update(freed), Delete(f"locks/{order.symbol}")]
