"""Bars within a session are joined without a loss, and what should be there and is not is counted."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.domain.market.bars import Bar, Interval
from shared.domain.market.daybook import MINUTE
from shared.domain.market.intervals import joined, missing_days, sessions_in, share
from tests.domain.days import TODAY, bar, sessions
from tests.domain.made import OPENS, session


def minutes(*ends: int) -> list[Bar]:
    """Give bars that end so many minutes after the open; each one's prices lie around that number."""
    return [
        Bar(
            end=OPENS + end * MINUTE, open=Decimal(end), high=Decimal(end) + 2, low=Decimal(end) - 2,
            close=Decimal(end) + 1, volume=end,
        )
        for end in ends
    ]  # fmt: skip


def test_minutes_join_to_the_end_of_the_session() -> None:
    """Of a whole session seven bars of an hour are made, the last of half an hour, and no share is lost."""
    bars = minutes(*range(1, 391))
    made = joined(bars, minutes=60, session=session())
    assert [(one.end - OPENS) // MINUTE for one in made] == [60, 120, 180, 240, 300, 360, 390]
    assert sum(one.volume for one in made) == sum(one.volume for one in bars)
    assert (made[0].open, made[0].high, made[0].low, made[0].close) == tuple(map(Decimal, (1, 62, -1, 61)))


def test_a_missing_minute_is_made_up_by_nobody() -> None:
    """A bar of five minutes of which two were seen is made of these two, and one of which none was seen is none."""
    made = joined(minutes(2, 5, 11), minutes=5, session=session())
    assert [((one.end - OPENS) // MINUTE, one.volume) for one in made] == [(5, 7), (15, 11)]


@pytest.mark.parametrize(("there", "of", "expected"), [(390, 390, "1"), (389, 390, "0.99"), (0, 390, "0"), (0, 0, "1")])
def test_nothing_that_lacks_anything_is_whole(there: int, of: int, expected: str) -> None:
    """One minute of a day less is less than 1, however it is rounded."""
    assert share(there, of) == Decimal(expected)


def test_missing_sessions_are_counted() -> None:
    """Two sessions without a bar are two, and the first of them is named; a day of rest is none."""
    days = sessions(10)
    wanted = sessions_in(days[0], days[-1])
    assert len(wanted) == 10
    assert missing_days([bar(day) for day in days], wanted) == ()
    kept = [bar(day) for day in days if day not in (days[3], days[7])]
    assert missing_days(kept, wanted) == (f"2 of 10 sessions are missing, the first is {days[3]}",)


def test_days_that_cannot_be_meant_are_refused() -> None:
    """An end before its start and a day beyond the calendar are refused."""
    with pytest.raises(ValueError, match="is before"):
        sessions_in(TODAY, TODAY - timedelta(days=1))
    with pytest.raises(ValueError, match="covers"):
        sessions_in(date(1999, 1, 4), date(1999, 1, 5))


def test_an_interval_knows_its_minutes() -> None:
    """Each interval is so many minutes of a session, and a day is the whole of one."""
    assert {one: one.minutes for one in Interval} == {"1d": 0, "1h": 60, "15m": 15, "5m": 5, "1m": 1}
