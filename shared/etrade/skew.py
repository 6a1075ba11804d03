"""What the answers of one function instance say about its own clock; shared by all its clients.

It is kept in memory: each instance has a clock of its own, and whoever enters asks for account, holdings, orders and
balance first, so that an instance that just started has measured before it judges (on paper, where only accounts and
quotes are E*TRADE's, from its third call on). In a document, the wrong clock of one instance would stop the others, and
a right one would excuse it.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.domain.broker.skew import KEPT, Reading, ahead, reading
from shared.ports import Clock

_LONGEST = 40


class BrokerClock:
    """The last answers' dates against our clock; safe for any number of threads or greenlets."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._readings: tuple[Reading, ...] = ()

    def heard(self, date: str, *, sent_at: datetime, received_at: datetime) -> None:
        """Take one answer's Date header; one that is missing or cannot be read says nothing."""
        told = _instant(date)
        if told is not None:
            one = reading(sent_at=sent_at, received_at=received_at, date=told)
            self._readings = (*self._readings, one)[-KEPT:]

    def ahead(self) -> timedelta | None:
        """Give by how much our clock is surely ahead of the broker's (below zero: behind), None when not measured."""
        return ahead(self._readings, self._clock.now())


def _instant(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date[:_LONGEST])
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else None
