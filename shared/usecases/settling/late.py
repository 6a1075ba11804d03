"""The net under the one assumption: an order that was given up as absent turns up after all.

What can go wrong: the broker takes an order after its intent ended NOT_PLACED, and it fills, wholly or in part, before
anybody looks; cash and symbol were free meanwhile, and another entry may have them; a process dies between any two of
the steps; two of the broker's orders look like it; a sell comes for shares that another one has sold.
What this promises: entries stop first; then one commit claims the order, takes its cash again, tells the owner and puts
the intent back to WORKING with the code CAME_LATE, and from there it is settled as any other: what filled is booked and
protected in the same poll, what is open is cancelled until the broker shows its end. So there is no claim without
the order that books it, and whoever comes next goes on from the documents. Two candidates for an entry wait for a
person (order-safety.md 1.5, step 5; finding 2).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.control.control import TradingState
from shared.domain.orders.book import reserved_again
from shared.domain.orders.orders import Kind, Order, State
from shared.domain.orders.positions import Position
from shared.domain.telling.hand_notices import OrderCameLate
from shared.ports import Create, Severity, Where
from shared.usecases.base.desk import Held, held_rows
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control.control import tighten
from shared.usecases.orders.claims import claim
from shared.usecases.orders.fills import held_position, rows_of
from shared.usecases.orders.moves import live_sells, lock_path, move
from shared.usecases.settling.hands import end_surplus
from shared.usecases.settling.resolve import adopt, candidates, shown
from shared.usecases.telling.notices import announce

CAME_LATE = "CAME_LATE"
"""The code of an order that was taken up again: what is open of it is cancelled, however often somebody dies."""


def given_up(desk: TradingDesk, session: date) -> list[Held[Order]]:
    """Read the intents of a session that ended NOT_PLACED; one that cannot be read is reported and hides no other."""
    where = (Where("state", "==", State.NOT_PLACED), Where("session", "==", session.isoformat()))
    return held_rows(desk, Order, desk.store.query("orders", *where))


def take_late(
    desk: TradingDesk, held: Held[Order], listing: Sequence[BrokerOrder], *, account_key: str
) -> Held[Order] | None:
    """Take an intent up again when a list shows an unclaimed order that looks like it; None when there is none.

    Goes to REDUCE_ONLY first. What is given has booked nothing yet. Raises Conflict when somebody else was quicker.
    """
    order, found = held.value, candidates(desk, held.value, listing)
    if not found:
        return None
    for order_id, seen in found.items():
        desk.journal.line(
            "late_acceptance", Severity.CRITICAL, intent_id=order.intent_id, order_id=order_id,
            symbol=seen.symbol, status=seen.status, filled=seen.filled,
        )  # fmt: skip
    tighten(desk, TradingState.REDUCE_ONLY, reason=f"the broker took {order.intent_id} after it was given up")
    locked, again = _again(desk, order)
    if order.kind is Kind.ENTRY and len(found) > 1:
        cause = f"{len(found)} broker orders could be this one, which was given up"
        return move(desk, held, State.MANUAL, *locked, cause=cause, candidates=shown(found), **again)
    order_id, seen = max(found.items(), key=lambda one: (one[1].filled or 0, -one[0]))
    if _sold_by_another(desk, order, seen):
        _leave_unbooked(desk, order, order_id, seen, account_key=account_key)
        return None
    told = announce(desk, _notice(desk, order, order_id, seen, booked=True))
    return adopt(desk, held, order_id, seen, told, *locked, cause="it was given up, and came late", **again)


def make_room(desk: TradingDesk, held: Held[Order], listing: Sequence[BrokerOrder], *, account_key: str) -> None:
    """End the sells that offer more than a late sell leaves, before its shares are booked: their position may close.

    Raises Unseen where they cannot be seen; nothing is booked then, and the next poll tries again.
    """
    order = held.value
    sold = max((seen.filled or 0 for seen in rows_of(order, listing)), default=0) - order.filled
    if CAME_LATE not in order.codes or order.side is Side.BUY or sold <= 0:
        return
    position = _position(desk, order)
    others = [sell for sell in live_sells(desk, order.symbol) if sell.value.intent_id != order.intent_id]
    cause = f"{order.intent_id} came late and sold its shares"
    left = 0 if position is None else position.quantity - sold
    end_surplus(desk, others, left=left, cause=cause, code=CAME_LATE, account_key=account_key)


def _again(desk: TradingDesk, order: Order) -> tuple[tuple[Create, ...], dict[str, Any]]:
    """Give the write that takes an entry's symbol again, and what the intent is again: an entry holds its cash.

    Its shares go to the position that is in its symbol: its own, or that of another entry which has the symbol by now,
    and its lock. One symbol has one position.
    """
    codes = (*order.codes, CAME_LATE)
    if order.kind is not Kind.ENTRY:
        return (), {"codes": codes}
    cost, place = (order.limit_price or Decimal(0)) * order.quantity, _place(desk, order)
    locked = () if place != order.intent_id else (Create(lock_path(order.symbol), {"intent_id": order.intent_id}),)
    ledger = partial(reserved_again, amount=cost)
    return locked, {"codes": codes, "position_id": place, "reserved": cost, "ledger": ledger}


def _place(desk: TradingDesk, order: Order) -> str:
    # The lock first: another entry's is gone when it has ended, and what it filled is a position by then.
    lock, held = desk.store.get(lock_path(order.symbol)), held_position(desk, order.symbol)
    if held is not None and held.value.is_open:
        return held.value.position_id
    return order.intent_id if lock is None else str(lock.data["intent_id"])


def _position(desk: TradingDesk, order: Order) -> Position | None:
    held = held_position(desk, order.symbol)
    return held.value if held is not None and held.value.position_id == order.position_id else None


def _sold_by_another(desk: TradingDesk, order: Order, seen: BrokerOrder) -> bool:
    """Tell whether a late sell has sold more than its position holds by now: no book has such shares."""
    if order.side is Side.BUY:
        return False
    position = _position(desk, order)
    return (seen.filled or 0) > (0 if position is None else position.quantity)


def _leave_unbooked(
    desk: TradingDesk, order: Order, order_id: int, seen: BrokerOrder, *, account_key: str
) -> None:  # fmt: skip
    """Cancel what is open of it, then claim it and tell the owner in one commit, who alone can put this right."""
    if seen.status is BrokerStatus.OPEN:
        desk.broker.cancel(account_key, order_id)
    told = announce(desk, _notice(desk, order, order_id, seen, booked=False))
    desk.store.commit([claim(order, order_id), told])


def _notice(desk: TradingDesk, order: Order, order_id: int, seen: BrokerOrder, *, booked: bool) -> OrderCameLate:
    return OrderCameLate(
        intent_id=order.intent_id, symbol=order.symbol, side=order.side, quantity=order.quantity, order_id=order_id,
        filled=seen.filled or 0, booked=booked, at=desk.clock.now(),
    )  # fmt: skip
