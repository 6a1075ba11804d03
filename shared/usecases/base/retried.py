"""Messages that come again and again: since when one instance has not been able to handle them, to tell the owner why.

What can go wrong: settings are wrong, an answer cannot be had, another is always at work; each failure is only tried
again, and the owner sees nothing; each of several instances meets some of the ticks. What this promises: what has
failed for `RETRIED_AFTER` is told, a message once; a tick comes anew each minute, so ticks of one kind that fail one
after the other are told together: once a day and kind of trouble, whichever instances met them. notify's own work is
left out: a notice that reaches nobody is told of by other means.
"""

from datetime import datetime, timedelta

from shared.domain.base.calendar import new_york_day
from shared.domain.telling.messages import NAMES, CloseTick, Message, PrepareTick, RefreshTick, ScanTick, SettleTick
from shared.domain.telling.notices import NOTICES
from shared.domain.telling.unseen import MessageRetried
from shared.frozen import frozen
from shared.ports import Envelope
from shared.usecases.base.desk import Desk

RETRIED_AFTER = timedelta(minutes=3)
LONGEST = 300
_TICKS = (ScanTick, PrepareTick, SettleTick, CloseTick, RefreshTick)


@frozen
class _Row:
    """Ticks of one kind that failed, one after the other."""

    since: datetime
    last_at: datetime


class Retried:
    """What one instance could not handle; correctness never rests on it."""

    def __init__(self) -> None:
        self._rows: dict[type[Message], _Row] = {}

    def handled(self, message: Message) -> None:
        """Note that a message was handled: later ticks of its kind begin anew."""
        self._rows.pop(type(message), None)

    def failed(self, desk: Desk, envelope: Envelope, message: Message, reason: str) -> MessageRetried | None:
        """Note a failure that is tried again, and give what is to be told of it, if anything."""
        now, name, since = desk.clock.now(), envelope.message_id, envelope.published_at
        if type(message) in NOTICES.values():
            return None
        if isinstance(message, _TICKS):
            row = self._rows.get(type(message))
            if row is not None and now - row.last_at <= RETRIED_AFTER:
                since = min(row.since, since)
            self._rows[type(message)] = _Row(since=since, last_at=now)
            name = f"{NAMES[type(message)]}:{new_york_day(now).isoformat()}:{reason.partition(':')[0]}"
        if now - since < RETRIED_AFTER:
            return None
        words = " ".join(reason.split())[:LONGEST]
        return MessageRetried(
            function=desk.actor, message=NAMES[type(message)], name=name, reason=words, since=since, at=now
        )
