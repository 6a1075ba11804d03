"""The session is over: settle what is left, then seal the heads of its audit chains and tell the day's result.

What can go wrong: nobody can see what became of the day, because the order list is down or the login is refused. What
this promises: the result that is told is true or says what is not known; then what is known is sealed, and the tick
comes again, so that a result that is known later is told and sealed, too. Settlement works for 50 s of each minute
while anything is in motion: the close takes a lease of its own first, at which every settlement stops and none begins.
A tick that comes before the close, whoever sent it, seals nothing, tells nothing and is acknowledged.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.base.calendar import TradingSession, session_at
from shared.domain.orders.orders import Order
from shared.domain.orders.positions import Ledger
from shared.domain.orders.taken import Taken
from shared.domain.telling.notices import DayResult
from shared.errors import AuthError, BrokerError, Busy, Unreadable
from shared.ports import Put, Severity, Where
from shared.usecases.base import leases
from shared.usecases.base.desk import held_rows, not_before, read
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.losses import open_positions
from shared.usecases.orders.moves import ledger_path
from shared.usecases.settling.doubts import doubts
from shared.usecases.settling.settle import CLOSING, live_orders, settle
from shared.usecases.telling.notices import announce

CLOSING_LASTS = timedelta(seconds=75)
"""As long as a request may last: a close that died lets others settle after that."""


def close(desk: TradingDesk) -> None:
    """Settle once more and write `seals/<session>`: the last hash of every chain, to which later edits must answer.

    Every other settlement gives way to it. Raises Busy where its turn does not come all the same, and Unreadable while
    the day cannot be seen, so that the tick comes again; what kept settlement from its work is raised after the result
    was told.
    """
    now = desk.clock.now()
    session = session_at(now)
    if session is None:
        return
    if now < session.closes_at:
        # The schedule's own tick comes minutes after the close: to bring this one again would make it true by waiting.
        desk.journal.line("close_too_early", Severity.ERROR, closes_at=session.closes_at.isoformat())
        return
    lease = leases.take(desk, CLOSING, lasts=CLOSING_LASTS)
    if lease is None:
        raise Busy("another close is at work")
    try:
        _close(desk, session)
    finally:
        leases.give_back(desk, lease)


def _close(desk: TradingDesk, session: TradingSession) -> None:
    trouble = None
    try:
        settle(desk, must_run=True, list_first=True)
    except (AuthError, BrokerError) as problem:
        trouble = problem
    rows = desk.store.query("orders", Where("session", "==", session.day.isoformat()))
    orders = [held.value for held in held_rows(desk, Order, rows)]
    day = session.day.isoformat()
    takings = desk.store.query("taken", Where("session", "==", day))
    taken = [held.value for held in held_rows(desk, Taken, takings)]
    unread = list[object]()
    left = tuple(held.value.symbol for held in open_positions(desk, on_bad=lambda: unread.append(None)))
    damaged = len(rows) - len(orders) + len(takings) - len(taken) + len(unread)
    heads = {order.intent_id: order.audit_head for order in orders} | {one.taken_id: one.audit_head for one in taken}
    live = live_orders(desk)
    found = doubts(desk, orders, live=[held.value for held in live], held=left, trouble=trouble)
    if damaged:
        found = replace(found, unknown=(*found.unknown, f"{damaged} of the book's documents cannot be read"))
    if trouble is not None and not found.unknown:
        raise trouble
    result = _result(desk, session, orders, left=left, live_orders=len(live))
    result = replace(result, unknown=found.unknown, since=found.since)
    desk.store.commit([Put(f"seals/{day}", {"session": day, "heads": heads}), announce(desk, result)])
    desk.journal.line(
        "session_closed", Severity.WARNING if left or live or found.unknown else Severity.INFO, session=day,
        chains=len(heads), open_positions=",".join(left), live_orders=len(live), unknown="; ".join(found.unknown),
    )  # fmt: skip
    if trouble is not None:
        raise trouble
    if found.blind:
        raise Unreadable(f"the day cannot be seen yet: {found.unknown[0]}")


def _result(
    desk: TradingDesk, session: TradingSession, orders: Sequence[Order], *, left: tuple[str, ...], live_orders: int
) -> DayResult:
    ledger = read(desk.store, Ledger, ledger_path(session.day))
    return DayResult(
        session=session.day, realized=ledger.value.realized if ledger is not None else Decimal(0),
        orders=sum(order.broker_order_id is not None for order in orders),
        fills=_fills(desk, session), open_positions=left,
        live_orders=live_orders, at=desk.clock.now(), unpriced=ledger.value.unpriced if ledger is not None else 0,
    )  # fmt: skip


def _fills(desk: TradingDesk, session: TradingSession) -> int:
    """Count the session's fills; one at a guessed price that was taken back and booked again counts once."""
    rows = desk.store.query("fills", not_before("at", session.opens_at))
    return sum(1 if row.data["quantity"] > 0 else -1 for row in rows)
