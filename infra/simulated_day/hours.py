"""The instants of one New York market day that a run is built around."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from infra.simulated_day.problems import UserError
from shared.domain.base.calendar import new_york_day, session_of
from shared.frozen import frozen

NEW_YORK = ZoneInfo("America/New_York")


@frozen
class Hours:
    """When a run starts, the owner signs in, the session opens and closes, and the schedules end; all UTC."""

    starts: datetime
    signs_in: datetime
    opens: datetime
    closes: datetime
    ends: datetime


def hours(day: date) -> Hours:
    """Give the instants of a day, whose session ends early on a half-day.

    Raises UserError for a day on which the exchange does not trade, or that the calendar does not cover.
    """
    remedy = "take the market of another day"
    try:
        session = session_of(day)
    except ValueError as problem:
        raise UserError(str(problem), remedy=remedy) from None
    if session is None:
        raise UserError(f"the New York Stock Exchange does not trade on {day}", remedy=remedy)

    def at(hour: int, minute: int) -> datetime:
        return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)

    return Hours(
        starts=at(6, 55), signs_in=at(7, 20), opens=session.opens_at, closes=session.closes_at, ends=at(16, 20)
    )


def day_and_time(at: datetime) -> str:
    """Write an instant of any day as a person in New York reads it: 2013-10-07 10:31:02."""
    return at.astimezone(NEW_YORK).strftime("%Y-%m-%d %H:%M:%S")


def clock(at: datetime) -> str:
    """Write an instant as a person in New York reads it: 10:31:02."""
    return at.astimezone(NEW_YORK).strftime("%H:%M:%S")


def clock_on(day: date, at: datetime) -> str:
    """Write an instant as `clock` does, with its date where that is another than `day` in New York."""
    return clock(at) if new_york_day(at) == day else day_and_time(at)
