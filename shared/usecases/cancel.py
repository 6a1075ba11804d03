"""Cancel and confirm: an order is gone when a complete list says so, never because a cancel was answered."""

from datetime import timedelta

from shared.domain.brokerage import BrokerOrder
from shared.domain.orders import AT_BROKER, Order, State
from shared.domain.outcomes import CancelRefused
from shared.usecases.desk import Held
from shared.usecases.fills import book_seen, rows_of
from shared.usecases.moves import move
from shared.usecases.trading import TradingDesk

CONFIRM_WITHIN = timedelta(seconds=12)
LOOK_EVERY = timedelta(seconds=1)


def ask_cancel(desk: TradingDesk, held: Held[Order], *, account_key: str, cause: str) -> Held[Order]:
    """Write the cancel down, then ask for it; what came of it is for the list to say.

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
) -> tuple[Held[Order], tuple[BrokerOrder, ...]]:
    """Cancel one order and list until it has ended, `CONFIRM_WITHIN` at most; gives the order and the last list.

    The order that comes back may still be CANCEL_REQ: then nobody knows yet, and nothing may be sold on its shares.
    """
    held = ask_cancel(desk, held, account_key=account_key, cause=cause)
    give_up = desk.clock.now() + CONFIRM_WITHIN
    listing: tuple[BrokerOrder, ...] = ()
    while held.value.state in AT_BROKER and desk.clock.now() < give_up:
        desk.clock.sleep_until(desk.clock.now() + LOOK_EVERY)
        listing = desk.lists.fresh(account_key, since=held.value.session)
        for seen in rows_of(held.value, listing):
            held = book_seen(desk, held, seen)
    return held, listing
