"""Cancel and confirm: only who sees an order cancels it, and it is gone when the broker shows its end.

What can go wrong: an answer to a cancel says nothing of how it ended, so whoever cannot see the orders cancels a stop
and never learns whether its shares are free; the broker stops answering between the cancel and its end; it never works
on the cancel. What this promises: nothing is cancelled that no answer of the last seconds showed; sight is the order
list (one of the last seconds serves all, so exits that follow each other share one), and where it cannot be read or
does not show the order yet, the order's own answer. The end of an order is taken from either of the two. While neither
shows it the order stays CANCEL_REQ: nothing is sold on its shares and no other stop is placed over them, the owner is
told once, and settlement goes on looking and asking.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared.domain.broker.brokerage import BrokerOrder
from shared.domain.broker.outcomes import CancelRefused
from shared.domain.orders.orders import AT_BROKER, Order, State
from shared.domain.telling.notices import CancelUnconfirmed
from shared.errors import BrokerError, Unseen
from shared.ports import Severity
from shared.usecases.base.desk import Held
from shared.usecases.base.trading import TradingDesk
from shared.usecases.orders.fills import book_seen, rows_of
from shared.usecases.orders.moves import move
from shared.usecases.telling.notices import announce

CONFIRM_WITHIN = timedelta(seconds=12)
LOOK_EVERY = timedelta(seconds=1)
Listing = Sequence[BrokerOrder]


def ask_cancel(desk: TradingDesk, held: Held[Order], *, account_key: str, cause: str) -> Held[Order]:
    """Write the cancel down, then ask for it; what came of it is for the broker's next answers to say.

    Asking again is written down, too: `updated_at` then tells when it was asked last.
    """
    held = move(desk, held, State.CANCEL_REQ, cause=cause)
    if held.value.broker_order_id is not None:
        answer = desk.broker.cancel(account_key, held.value.broker_order_id)
        code = answer.code if isinstance(answer, CancelRefused) else ""
        desk.journal.line("cancel", intent_id=held.value.intent_id, answer=type(answer).__name__, code=code)
    return held


def cancel_and_confirm(
    desk: TradingDesk, held: Held[Order], *, account_key: str, cause: str
) -> tuple[Held[Order], Listing]:
    """Cancel one order that can be seen and look until it has ended, `CONFIRM_WITHIN` at most.

    Gives the order and the last list that could be read, empty when none could. The order may still be CANCEL_REQ: then
    nobody knows yet. Raises Unseen when the order cannot be seen, and has asked for nothing then.
    """
    held, listing = _look(desk, held, account_key, recent=True)
    if held.value.state not in AT_BROKER:
        return held, listing
    held = ask_cancel(desk, held, account_key=account_key, cause=cause)
    give_up = desk.clock.now() + CONFIRM_WITHIN
    why = "nobody looked"
    while held.value.state in AT_BROKER and desk.clock.now() < give_up:
        desk.clock.sleep_until(desk.clock.now() + LOOK_EVERY)
        try:
            held, newer = _look(desk, held, account_key, recent=False)
            listing, why = newer or listing, "E*TRADE still shows it"
        except Unseen as problem:
            why = problem.detail
    if held.value.state in AT_BROKER:
        unconfirmed(desk, held.value, why)
    return held, listing


def unconfirmed(desk: TradingDesk, order: Order, why: str) -> None:
    """Tell the owner that a cancel is not confirmed; of each order once, however often it is found."""
    desk.journal.line("cancel_unconfirmed", Severity.ERROR, intent_id=order.intent_id, symbol=order.symbol, why=why)
    notice = CancelUnconfirmed(
        intent_id=order.intent_id, symbol=order.symbol, quantity=order.quantity - order.filled,
        order_id=order.broker_order_id or 0, why=why, at=desk.clock.now(),
    )  # fmt: skip
    desk.store.commit([announce(desk, notice)])


def by_itself(desk: TradingDesk, held: Held[Order], *, account_key: str) -> Held[Order]:
    """Bring an order in line with its own answer, without a list; raises Unseen when there is none."""
    order = held.value
    try:
        seen = None if order.broker_order_id is None else desk.broker.order(account_key, order.broker_order_id)
    except BrokerError as problem:
        raise Unseen(problem.detail) from None
    if seen is None:
        raise Unseen(f"E*TRADE does not show order {order.broker_order_id}")
    if not _tells(seen):
        raise Unseen(f"how order {order.broker_order_id} stands cannot be read: {', '.join(seen.odd)}")
    return book_seen(desk, held, seen)


def _look(
    desk: TradingDesk, held: Held[Order], account_key: str, *, recent: bool
) -> tuple[Held[Order], tuple[BrokerOrder, ...]]:
    """Bring an order in line with a list, or with its own answer; gives the list as well, empty when none was read."""
    order = held.value
    listing: tuple[BrokerOrder, ...] = ()
    try:
        listing = (desk.lists.recent if recent else desk.lists.fresh)(account_key, since=order.session)
    except BrokerError as problem:
        desk.journal.line("list_unread", Severity.WARNING, kind=type(problem).__name__, detail=problem.detail)
    for seen in rows_of(order, listing):
        if _tells(seen):
            return book_seen(desk, held, seen), listing
    return by_itself(desk, held, account_key=account_key), listing


def _tells(seen: BrokerOrder) -> bool:
    """Tell whether a row says how its order stands: an odd one of ours may not, and then it is no sight."""
    return seen.status is not None and seen.filled is not None
