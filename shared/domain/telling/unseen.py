"""What the owner is told when something cannot be seen, cannot be handled, or stays as it is: facts, each kind once.

`event` is the part of the event's name that tells one from another of its kind.
"""

from datetime import date, datetime

from shared.domain.base.ids import digest
from shared.domain.broker.reads import Answer
from shared.frozen import frozen


@frozen
class AnswerUnread:
    """A kind of E*TRADE's answers has not been readable `since` an instant; `why` is our own safe detail.

    `naked` are the shares that may be without a stop, such as `99 IBM`: it is told again when these change.
    """

    what: Answer
    why: str
    naked: tuple[str, ...]
    since: datetime
    at: datetime

    @property
    def event(self) -> str:
        """One blindness, and again with each other set of shares that may be without a stop."""
        shares = f":{digest(*self.naked)[:16]}" if self.naked else ""
        return f"{self.what}:{self.since.isoformat()}{shares}"


@frozen
class EntryNotJudged:
    """A signal died of age without a judgement, because an answer could not be read; told once a day and reason."""

    session: date
    symbol: str
    what: Answer
    why: str
    at: datetime

    @property
    def event(self) -> str:
        """One a day for each answer and reason."""
        return f"{self.session.isoformat()}:{self.what}:{digest(self.why)[:16]}"


@frozen
class StaysHeld:
    """The session is about to close and these shares are still held.

    `sells` say what works on them at the broker, as far as we know; `order_ids` are what to cancel before a sale.
    """

    session: date
    position_id: str
    symbol: str
    quantity: int
    sells: tuple[str, ...]
    order_ids: tuple[int, ...]
    closes_at: datetime
    at: datetime

    @property
    def event(self) -> str:
        """One a session for each position."""
        return f"{self.session.isoformat()}:{self.position_id}"


@frozen
class MessageRetried:
    """A function has not been able to handle a message `since` an instant, and it comes again; `name` is its own."""

    function: str
    message: str
    name: str
    reason: str
    since: datetime
    at: datetime

    @property
    def event(self) -> str:
        """One for each message, or for each day, kind of tick and kind of trouble."""
        return f"{self.function}:{digest(self.name)[:16]}"


@frozen
class PricesElsewhere:
    """The broker has given no quotes `since` an instant; `prices` are what `source` says instead, in words.

    Nothing is traded on them.
    """

    source: str
    prices: tuple[str, ...]
    since: datetime
    at: datetime

    @property
    def event(self) -> str:
        """One for each outage."""
        return self.since.isoformat()
