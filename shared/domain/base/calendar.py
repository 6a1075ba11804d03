"""The trading calendar: when New York trades, in UTC, from the days in `nyse`; never guessed beyond them.

Source: strategy.md, Market day.
"""

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from shared.domain.base import nyse
from shared.frozen import frozen

T = TypeVar("T")
NEW_YORK = ZoneInfo("America/New_York")
_PREP = time(7, 0)
_OPEN = time(9, 30)
_CLOSE = time(16, 0)
_EARLY_CLOSE = time(13, 0)
_DARK = time(18, 0)
_SATURDAY = 5


@frozen
class TradingSession:
    """One regular session: it trades from `opens_at` until just before `closes_at`, both UTC."""

    day: date
    opens_at: datetime
    closes_at: datetime


class Phase(StrEnum):
    """What the system does at an instant of the New York day."""

    PREP = "PREP"
    OPEN = "OPEN"
    COOLDOWN = "COOLDOWN"
    DARK = "DARK"


@lru_cache(maxsize=64)
def session_of(day: date) -> TradingSession | None:
    """Give a day's session, None on a day of rest; raises ValueError for a day the calendar does not know."""
    if not nyse.FIRST <= day <= nyse.LAST:
        raise ValueError(f"the trading calendar covers {nyse.FIRST} to {nyse.LAST}, not {day}")
    if day.weekday() >= _SATURDAY or day in nyse.HOLIDAYS:
        return None
    close = _EARLY_CLOSE if day in nyse.EARLY_CLOSES else _CLOSE
    return TradingSession(day=day, opens_at=instant(day, _OPEN), closes_at=instant(day, close))


def session_before(day: date) -> date | None:
    """Give the day of the last session before a day."""
    backwards = (day - timedelta(days=back) for back in range(1, 11))
    return next((one for one in backwards if session_of(one) is not None), None)


def session_after(day: date) -> date:
    """Give the day of the first session after a day; raises ValueError where the calendar ends."""
    day += timedelta(days=1)
    while session_of(day) is None:
        day += timedelta(days=1)
    return day


def session_at(at: datetime) -> TradingSession | None:
    """Give the session of the New York day that `at` falls in, whether or not it is open then."""
    return session_of(new_york_day(at))


def is_open(at: datetime) -> bool:
    """Tell whether the regular session trades at this instant."""
    session = session_at(at)
    return session is not None and session.opens_at <= at < session.closes_at


def phase(at: datetime) -> Phase:
    """Tell the phase: PREP from 07:00, OPEN, COOLDOWN from the close to 18:00, otherwise DARK."""
    session = session_at(at)
    if session is None or not instant(session.day, _PREP) <= at < instant(session.day, _DARK):
        return Phase.DARK
    if at < session.opens_at:
        return Phase.PREP
    return Phase.OPEN if at < session.closes_at else Phase.COOLDOWN


def new_york_day(at: datetime) -> date:
    """Give the New York date of an instant; a naive instant is a bug."""
    if at.tzinfo is None:
        raise ValueError("an instant without a time zone")
    return at.astimezone(NEW_YORK).date()


def next_midnight(at: datetime) -> datetime:
    """Give the next midnight in New York strictly after an instant, as UTC."""
    return instant(new_york_day(at) + timedelta(days=1), time(0))


def instant(day: date, clock: time) -> datetime:
    """Give a wall clock's instant on a New York day, as UTC."""
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def valid_on(table: tuple[tuple[date, T], ...], day: date) -> T:
    """Give what a dated table says of a day, oldest row first; before its first row that counts, too."""
    place = bisect_right(table, day, key=lambda row: row[0])
    return table[max(place - 1, 0)][1]
