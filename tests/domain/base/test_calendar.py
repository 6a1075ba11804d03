from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.base import nyse
from shared.domain.base.calendar import (
    NEW_YORK,
    Phase,
    is_open,
    new_york_day,
    next_midnight,
    phase,
    session_at,
    session_of,
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_summer_and_winter_open_at_different_utc_hours() -> None:
    """A session opens at 09:30 New York on either side of the clock change."""
    summer, winter = session_of(date(2026, 10, 30)), session_of(date(2026, 11, 2))
    assert summer is not None
    assert winter is not None
    assert (summer.opens_at, summer.closes_at) == (utc(2026, 10, 30, 13, 30), utc(2026, 10, 30, 20, 0))
    assert (winter.opens_at, winter.closes_at) == (utc(2026, 11, 2, 14, 30), utc(2026, 11, 2, 21, 0))


def test_half_day_closes_at_one() -> None:
    """The day after Thanksgiving closes at 13:00 New York and is in cool-down from then on."""
    half = session_of(date(2026, 11, 27))
    assert half is not None
    assert half.closes_at == utc(2026, 11, 27, 18, 0)
    assert phase(utc(2026, 11, 27, 17, 59, 59)) is Phase.OPEN
    assert phase(utc(2026, 11, 27, 18, 0)) is Phase.COOLDOWN


@pytest.mark.parametrize("day", [date(2026, 7, 3), date(2013, 12, 25), date(2026, 10, 31), date(2026, 11, 1)])
def test_days_of_rest_have_no_session(day: date) -> None:
    """Holidays and weekends have no session and stay dark."""
    assert session_of(day) is None
    assert phase(datetime(day.year, day.month, day.day, 12, tzinfo=NEW_YORK)) is Phase.DARK


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ((6, 59, 59), Phase.DARK),
        ((7, 0, 0), Phase.PREP),
        ((9, 29, 59), Phase.PREP),
        ((9, 30, 0), Phase.OPEN),
        ((15, 59, 59), Phase.OPEN),
        ((16, 0, 0), Phase.COOLDOWN),
        ((17, 59, 59), Phase.COOLDOWN),
        ((18, 0, 0), Phase.DARK),
    ],
)
def test_phases_change_on_the_second(clock: tuple[int, int, int], expected: Phase) -> None:
    """Each phase starts exactly at its hour and lasts until the second before the next."""
    now = datetime(2013, 10, 7, *clock, tzinfo=NEW_YORK).astimezone(UTC)
    assert phase(now) is expected
    assert is_open(now) is (expected is Phase.OPEN)


@pytest.mark.parametrize("day", [nyse.FIRST - timedelta(days=1), nyse.LAST + timedelta(days=1)])
def test_unknown_years_are_refused(day: date) -> None:
    """A day beyond the calendar's data raises rather than being guessed."""
    with pytest.raises(ValueError, match="trading calendar covers"):
        session_of(day)


def test_naive_instants_are_refused() -> None:
    """An instant without a zone raises."""
    with pytest.raises(ValueError, match="time zone"):
        new_york_day(datetime(2013, 10, 7))  # noqa: DTZ001 - the naive instant is what is refused


def test_evening_in_utc_is_still_the_same_new_york_day() -> None:
    """Late evening in New York belongs to that day although UTC has turned."""
    late = utc(2013, 10, 8, 3, 59)
    assert new_york_day(late) == date(2013, 10, 7)
    assert session_at(late) == session_of(date(2013, 10, 7))


@given(st.datetimes(min_value=datetime(2012, 1, 2), max_value=datetime(2031, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_midnight_is_the_start_of_tomorrow(now: datetime) -> None:
    """The next midnight is ahead, at most 25 hours away, and starts the following New York day."""
    midnight = next_midnight(now)
    assert timedelta(0) < midnight - now <= timedelta(hours=25)
    assert midnight.astimezone(NEW_YORK).time() == datetime.min.time()
    assert new_york_day(midnight) == new_york_day(now) + timedelta(days=1)
