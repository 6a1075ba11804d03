"""What is known of the market: a value with its source, its age and how far it is to be trusted.

What can go wrong: an old, delayed or second-hand price is taken for the market's; what nobody said becomes a zero.
What this promises: nothing is handed on without who said it, how and when; what is missing is None and never a number.
These values are for showing and for reckoning by hand: what trades takes the broker's own `Quote`, which none of them
is, so that no price from elsewhere can be taken for one.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from shared.domain.base.calendar import session_of
from shared.domain.market.quotes import Quote, QuoteStatus
from shared.frozen import frozen

T = TypeVar("T")
WHOLE, NOTHING = Decimal(1), Decimal(0)


@frozen
class Known(Generic[T]):
    """One answer: its value, None where nothing is known, who gave it, how it was made and came here.

    `at` is the value's own instant and `age_s` how old that was when this answer was given, None where there is no
    value. `fresh` says that it is what its source says now, `delayed` that it is late by its nature. `quality` goes
    from 0 to 1, and `reasons` say what it lacks.
    """

    value: T | None
    source: str
    made: str
    at: datetime | None
    age_s: float | None
    quality: Decimal
    reasons: tuple[str, ...] = ()
    fresh: bool = True
    delayed: bool = False


@frozen
class Glance:
    """One symbol's market as far as it is known: prices in USD, volume in shares; None is what nobody said.

    `status` is the broker's word on how fresh it is. `second_hand` says that it is not the broker's: nothing is ever
    traded on such.
    """

    symbol: str
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None
    day_volume: int | None = None
    previous_close: Decimal | None = None
    status: QuoteStatus | None = None
    second_hand: bool = False


class State(StrEnum):
    """Where a session stands at an instant."""

    BEFORE = "before the open"
    OPEN = "open"
    OVER = "over"


@frozen
class Hours:
    """One regular session: when it opens and closes, UTC, and where it stands."""

    day: date
    opens_at: datetime
    closes_at: datetime
    state: State


def unknown(*reasons: str, source: str = "") -> Known[T]:
    """Give the answer that nothing is known, and why."""
    return Known(
        value=None, source=source, made="", at=None, age_s=None, quality=NOTHING, reasons=reasons, fresh=False
    )  # fmt: skip


def age(at: datetime, now: datetime) -> float:
    """Give how many seconds ago an instant was."""
    return (now - at).total_seconds()


def glance(quote: Quote) -> Glance:
    """Give what a quote says; a price that is no price is none."""
    prices = (quote.bid, quote.ask, quote.last, quote.previous_close)
    bid, ask, last, previous = (one if one is not None and one.is_finite() and one > 0 else None for one in prices)
    return Glance(
        symbol=quote.symbol, bid=bid, ask=ask, last=last, day_volume=quote.day_volume, previous_close=previous,
        status=quote.status,
    )  # fmt: skip


def hours(day: date, now: datetime) -> Hours | None:
    """Give a day's session and where it stands, None on a day of rest; raises ValueError beyond the calendar."""
    session = session_of(day)
    if session is None:
        return None
    state = State.BEFORE if now < session.opens_at else State.OPEN if now < session.closes_at else State.OVER
    return Hours(day=day, opens_at=session.opens_at, closes_at=session.closes_at, state=state)
