"""One arrow of the order table, one atomic commit: the order, its audit event, its message and its reservation.

What can go wrong: two invocations move one order at once (the version decides: one commits, the other sees Conflict);
the ledger is busy (read again, four tries); the commit's answer is lost (StoreDown: the message comes again and finds
the truth). What this promises: a reservation and a symbol lock end only in a commit that ends their order
(order-safety.md 1.3, rule c).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from shared.domain.base.values import Side
from shared.domain.orders.book import released
from shared.domain.orders.orders import TERMINAL, Kind, Order, State, advance, born
from shared.domain.orders.positions import Ledger
from shared.domain.telling.messages import Message, OrderPlaced
from shared.domain.telling.notices import of_order
from shared.errors import Conflict, InvariantBroken
from shared.ports import Create, Delete, Where, Write
from shared.usecases.base import outbox
from shared.usecases.base.desk import Desk, Held, create, held_rows, persist, read
from shared.usecases.telling import notices

LedgerChange = Callable[[Ledger], Ledger]


def order_path(intent_id: str) -> str:
    """Give the path of an order."""
    return f"orders/{intent_id}"


def held_order(desk: Desk, intent_id: str) -> Held[Order] | None:
    """Read an order, or None."""
    return read(desk.store, Order, order_path(intent_id))


def lock_path(symbol: str) -> str:
    """Give the path of the lock that a symbol's live entry holds."""
    return f"locks/{symbol}"


def live_sells(desk: Desk, symbol: str) -> list[Held[Order]]:
    """Read every sell of a symbol that is not at its end.

    Read after a position it shows every sell that was born before that copy of it, because each birth changes it.
    """
    rows = desk.store.query("orders", Where("live", "==", True), Where("symbol", "==", symbol))
    return [row for row in held_rows(desk, Order, rows) if row.value.side is Side.SELL]


def ledger_path(session: date) -> str:
    """Give the path of a session's ledger."""
    return f"ledger/{session.isoformat()}"


def ledger_write(desk: Desk, session: date, change: LedgerChange) -> Write:
    """Give the write that changes a session's ledger; the first change of a session opens it."""
    held = read(desk.store, Ledger, ledger_path(session))
    if held is None:
        return create(ledger_path(session), change(Ledger(session=session)))
    return held.update(change(held.value))


def begin(desk: Desk, order: Order, *also: Write, cause: str) -> Held[Order]:
    """Write a new order, and `also`, in one commit; raises Conflict when it exists already."""
    order, event = born(order, actor=desk.actor, cause=cause)
    path = order_path(order.intent_id)
    audit = create(f"audit/{event.chain}:{event.seq:06d}", event)
    version = desk.store.commit([create(path, order), audit, *also])[0]
    desk.journal.line("order", intent_id=order.intent_id, state=order.state, kind=order.kind, symbol=order.symbol)
    return Held(path=path, value=order, version=version)


@contextmanager
def judged_on(desk: Desk, held: Held[Order]) -> Iterator[None]:
    """Call a contradiction a Conflict when it came from a copy of the order that is out of date.

    A slow invocation that meets the book after a quick one is no bug, and must not halt trading.
    """
    try:
        yield
    except InvariantBroken:
        found = desk.store.get(held.path)
        if found is None or found.version != held.version:
            raise Conflict(f"{held.path} was moved by somebody else") from None
        raise


def move(
    desk: Desk, held: Held[Order], to: State, *also: Write, cause: str, announce: bool = False,
    ledger: LedgerChange | None = None, **changes: Any,
) -> Held[Order]:  # fmt: skip
    """Move an order along one arrow; `announce` also promises and publishes OrderPlaced.

    `ledger` changes the session's ledger in the same commit, which also promises the notice of an arrow that has one.
    Raises Conflict when somebody else moved the order first, InvariantBroken for an arrow that does not exist.
    """
    before = held.value
    held_cash = before.state not in TERMINAL | {State.NEW}
    ends = to in TERMINAL and held_cash and before.kind is Kind.ENTRY
    if ends:
        changes["reserved"] = Decimal(0)
    order, event = advance(before, to, at=desk.clock.now(), actor=desk.actor, cause=cause, **changes)
    audit = create(f"audit/{event.chain}:{event.seq:06d}", event)
    rows = _rows(desk, order, OrderPlaced(intent_id=order.intent_id, symbol=order.symbol) if announce else None)
    told = of_order(before, order)
    promised = [] if told is None else [notices.announce(desk, told)]
    freed = [Delete(lock_path(before.symbol))] if ends and not before.joined else []

    def after(book: Ledger) -> Ledger:
        changed = ledger(book) if ledger is not None else book
        return released(changed, before.reserved) if ends else changed

    def attempt() -> tuple[str, ...]:
        booked = []
        if ends or ledger is not None:
            with judged_on(desk, held):
                booked.append(ledger_write(desk, before.session, after))
        return desk.store.commit([held.update(order), audit, *also, *rows, *promised, *freed, *booked])

    versions = persist(attempt)
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
