"""The token's day in New York: when the owner is reminded, and when the token is ended.

A reminder belongs to a session and is told once; a tick that comes late tells the latest one only. The last one comes
with the open: from then on the day goes on without the system, which trades nothing until the owner signs in. Only a
token that was lost is told again, each hour: something may be held that nobody looks after.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta

from shared.domain.base.calendar import TradingSession, instant, new_york_day
from shared.frozen import frozen

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
OPEN = "open"


@frozen
class Reminders:
    """What was told on one day."""

    day: date
    told: tuple[str, ...] = ()


@frozen
class Due:
    """A reminder that is due now: its name, what it makes needless, and the minutes until the open."""

    occasion: str
    covers: tuple[str, ...]
    minutes_to_open: int


@frozen
class Loss:
    """A token that died before its day was over: its version, and since when."""

    version: str
    at: datetime


def reminder(
    session: TradingSession, now: datetime, *, clocks: Sequence[time], told: Collection[str], loss: Loss | None
) -> Due | None:
    """Give the reminder that a day without a token needs now; a token that was lost is told at once."""
    if now >= session.closes_at:
        return None
    slots = [(f"{clock:%H:%M}", instant(session.day, clock)) for clock in clocks] + [(OPEN, session.opens_at)]
    passed = [name for name, at in slots if now >= at]
    occasion = "" if loss is None else f"lost-{loss.version}-{(now - loss.at) // _HOUR}"
    if not occasion or occasion in told:
        occasion = passed[-1] if passed else ""
    if not occasion or occasion in told:
        return None
    minutes = (session.opens_at - now) // _MINUTE
    return Due(occasion=occasion, covers=(occasion, *passed), minutes_to_open=minutes)


def ends(session: TradingSession | None, now: datetime, *, settled: bool, at_the_latest: time) -> bool:
    """Tell whether the day's token is to be ended: once the closed session is settled, or when it is late."""
    if now >= instant(new_york_day(now), at_the_latest):
        return True
    return session is not None and now >= session.closes_at and settled
