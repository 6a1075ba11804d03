"""What is not known of a day at its close: a result is true, or it says what it does not know.

What can go wrong: the order list cannot be read, an order was sent and nobody knows what became of it, the login is
refused; then the book may hold less than was bought. Or shares filled at a price that the broker does not say. What
this promises: what the book cannot know is named; a day on which nothing was open since the broker was seen last is
known, whatever fails now.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.domain.broker.reads import Answer, lasting
from shared.domain.orders.orders import AT_BROKER, IN_DOUBT, Order
from shared.errors import DeskError
from shared.frozen import frozen
from shared.usecases.base.desk import Desk
from shared.usecases.base.reads import unread

LATE_FILL = timedelta(minutes=10)
"""So long a list may show late what filled of an order that has ended."""
_SIGHT = (Answer.ACCOUNTS, Answer.ORDERS)


@frozen
class Doubts:
    """What is not known, in words, since when; `blind` says that a later look may know it."""

    unknown: tuple[str, ...] = ()
    since: datetime | None = None
    blind: bool = False


def doubts(
    desk: Desk, orders: Sequence[Order], *, live: Sequence[Order], held: Sequence[str], trouble: DeskError | None
) -> Doubts:
    """Say what is not known of a day with these orders; `trouble` is what kept settlement from its last work."""
    now = desk.clock.now()
    dark = [note for note in lasting(unread(desk), now=now) if note.what in _SIGHT and note.actor == desk.actor]
    since = min((note.since for note in dark), default=now)
    blind = bool(dark) or trouble is not None
    sent = [order for order in live if order.state in IN_DOUBT or (blind and order.state in AT_BROKER)]
    lately = any(order.broker_order_id is not None and order.updated_at >= since - LATE_FILL for order in orders)
    guessed = [order for order in orders if order.provisional]
    if not (sent or guessed or (blind and (held or lately))):
        return Doubts()
    seen = [f"E*TRADE's answers cannot be read: {note.why}" for note in dark]
    if not seen and trouble is not None:
        seen = [f"E*TRADE could not be asked: {trouble.detail}"]
    open_ = [f"what became of {one.side} {one.quantity} {one.symbol} is not known" for one in sent]
    open_ += [f"at what price {one.side} {one.filled} {one.symbol} filled is not known" for one in guessed]
    return Doubts(unknown=(*seen, *dict.fromkeys(open_)), since=since if dark else None, blind=blind)
