"""Daily bars of what the scan saw: of whole sessions alone, with the broker's close where both agree."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.domain.base.calendar import TradingSession, session_of
from shared.domain.market.daybook import DayBook
from shared.domain.market.own_days import own_day, with_close, with_day
from tests.domain.days import TODAY, bar, series, sessions
from tests.domain.made import quote, session

HALF_DAY = date(2013, 11, 29)


def seen(first: int = 0, last: int = 389, *, gap: range = range(0), of: TradingSession | None = None) -> DayBook:
    """Give the book of a session seen from one minute to another, a cent up each minute, without those of a gap."""
    book = DayBook(of or session())
    for minute in range(first, last + 1):
        if minute not in gap:
            now = book.session.opens_at + timedelta(minutes=minute)
            book.observe(quote(f"{100 + Decimal(minute) / 100}", volume=1_000_000 + minute, when=now), now)
    return book


def test_a_session_seen_from_end_to_end_makes_a_daily_bar() -> None:
    """Open, high, low and close are those of the session, the volume is the day's own figure, before and after."""
    for book in (seen(), DayBook.from_plain(seen().to_plain(), session())):
        made = own_day(book).bar
        expected = bar(TODAY, "103.89", open=Decimal(100), high=Decimal("103.89"), low=Decimal(100), volume=1_000_389)
        assert made == expected


@pytest.mark.parametrize(
    ("book", "why"),
    [
        (seen(first=6), "only 384 of 390"),
        (seen(last=195), "only 196 of 390"),
        (seen(gap=range(100, 140)), "only 350 of 390"),
        (DayBook(session()), "nothing"),
    ],
    ids=["the beginning is missing", "half a day", "a hole in the middle", "nothing"],
)
def test_a_session_seen_in_part_makes_none(book: DayBook, why: str) -> None:
    """Half a day's high, low and volume are not the day's: there is no bar, and the reason says how much was seen."""
    made = own_day(book)
    assert made.bar is None
    assert why in made.why


def test_a_short_session_of_the_exchange_is_whole() -> None:
    """The half-day after Thanksgiving makes a daily bar of its 210 minutes."""
    short = session_of(HALF_DAY)
    assert short is not None
    assert own_day(seen(last=209, of=short)).bar is not None
    assert own_day(seen(last=199, of=short)).bar is None


def test_the_broker_s_close_takes_the_place_of_ours() -> None:
    """Within the limit the close becomes the broker's, and high and low hold it; twice is once."""
    ours = series(3)
    day = ours.bars[-1].day
    once = with_close(ours, day, Decimal("100.40"), limit_pct=5)
    assert once.bars[-1] == bar(day, "100.40", open=Decimal(100), low=Decimal(100))
    assert once.bars[:-1] == ours.bars[:-1]
    assert once.doubted == ()
    assert with_close(once, day, Decimal("100.40"), limit_pct=5) == once


@pytest.mark.parametrize("close", ["50", "94.9", "105.1", "1000"])
def test_a_close_beyond_the_limit_is_doubted_and_adjusts_nothing(close: str) -> None:
    """What may be a split or a distribution marks the day; the bars stay as they were traded."""
    ours = series(3)
    after = with_close(ours, ours.bars[-1].day, Decimal(close), limit_pct=5)
    assert after.bars == ours.bars
    assert after.doubted == (ours.bars[-1].day,)


@pytest.mark.parametrize("close", ["0", "-1", "NaN", "Infinity"])
def test_a_close_that_is_no_price_changes_nothing(close: str) -> None:
    """Neither does one of a day without a bar of ours."""
    ours = series(3)
    assert with_close(ours, ours.bars[-1].day, Decimal(close), limit_pct=5) == ours
    assert with_close(ours, TODAY, Decimal(100), limit_pct=5) == ours


def test_a_session_is_kept_once_and_old_ones_are_forgotten() -> None:
    """The same session again takes its own place; what is older than the limit goes, with its doubts."""
    days = sessions(5)
    ours = series(5, doubted=(days[0], days[4]))
    again = with_day(ours, bar(days[4], "90"), keep=timedelta(days=400))
    assert [one.day for one in again.bars] == days
    assert again.bars[-1] == bar(days[4], "90")
    short = with_day(ours, bar(TODAY), keep=TODAY - days[3])
    assert [one.day for one in short.bars] == [*days[3:], TODAY]
    assert short.doubted == (days[4],)
