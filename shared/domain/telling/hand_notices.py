"""Notices of what only the owner can tell or put right, or has done by hand at the broker (see `notices`)."""

from datetime import datetime
from decimal import Decimal

from shared.domain.orders.orders import Candidate
from shared.frozen import frozen


@frozen
class OrderAmbiguous:
    """Two or more of the broker's orders, the `candidates`, could be this one: only a person can tell."""

    intent_id: str
    symbol: str
    side: str
    quantity: int
    candidates: tuple[Candidate, ...]
    at: datetime

    @property
    def filled(self) -> int:
        """The shares that the candidates have filled together."""
        return sum(one.filled for one in self.candidates)

    @property
    def event(self) -> str:
        """The order, and what its candidates have filled: more of that is news."""
        return f"{self.intent_id}:{self.filled}"


@frozen
class OrderCameLate:
    """The broker has an order of ours that was given up as never placed; `filled` shares of it by now.

    Where it is not `booked` it has sold shares that the book does not have.
    """

    intent_id: str
    symbol: str
    side: str
    quantity: int
    order_id: int
    filled: int
    booked: bool
    at: datetime

    @property
    def event(self) -> str:
        """The order, and which of the broker's it is."""
        return f"{self.intent_id}:{self.order_id}"


@frozen
class SharesTaken:
    """Shares of ours have left the account without an order of ours; `price` in USD is of those that are priced."""

    position_id: str
    symbol: str
    quantity: int
    unpriced: int
    price: Decimal | None
    left: int
    since: datetime
    at: datetime
