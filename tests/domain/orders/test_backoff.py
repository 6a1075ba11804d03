"""The pauses after a refusal: 2 s doubling to a minute, ten seconds near the close, and never outside the session."""

from datetime import datetime, timedelta

import pytest

from shared.domain.base.calendar import session_at
from shared.domain.orders.backoff import NEW_EPISODE, Refusal, may_ask, refused
from tests.domain.made import NOON

SECOND = timedelta(seconds=1)
SESSION = session_at(NOON)
assert SESSION is not None
OPENS, CLOSES = SESSION.opens_at, SESSION.closes_at


def _after(times: int, at: datetime = NOON) -> Refusal:
    return Refusal(times=times, since=NOON, last_at=at, reason="no")


@pytest.mark.parametrize(("times", "pause"), [(1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (2000, 60)])
def test_the_pause_doubles_to_a_minute(times: int, pause: int) -> None:
    """After so many refusals in a row the next asking is due after exactly this pause, and not before."""
    assert not may_ask(_after(times), NOON + (pause - 1) * SECOND)
    assert may_ask(_after(times), NOON + pause * SECOND)


def test_the_pause_is_ten_seconds_at_most_in_the_last_quarter_of_an_hour() -> None:
    """From fifteen minutes before the close on even the longest pause is over after ten seconds."""
    last = CLOSES - timedelta(minutes=15)
    assert not may_ask(_after(9, last - 20 * SECOND), last - SECOND)
    assert may_ask(_after(9, last - 20 * SECOND), last)
    assert not may_ask(_after(9, last), last + 9 * SECOND)
    assert may_ask(_after(9, last), last + 10 * SECOND)
    assert may_ask(_after(1, last), last + 2 * SECOND)


def test_nothing_that_was_refused_is_asked_outside_the_session() -> None:
    """Before the open and from the close on a refused sell waits, however long ago that was; at the open it is due."""
    long_ago = _after(1, OPENS - timedelta(days=1))
    for at in (OPENS - SECOND, CLOSES, CLOSES + timedelta(hours=2), OPENS + timedelta(days=5)):
        assert not may_ask(long_ago, at), at
        assert may_ask(None, at)
    assert may_ask(long_ago, OPENS)
    assert may_ask(long_ago, CLOSES - SECOND)


def test_refusals_in_a_row_are_one_episode() -> None:
    """Refusals count up and keep their first instant; one that comes long after the last begins anew."""
    first = refused(None, at=NOON, reason="a")
    second = refused(first, at=NOON + NEW_EPISODE, reason="b")
    assert second == Refusal(times=2, since=NOON, last_at=NOON + NEW_EPISODE, reason="b")
    later = second.last_at + NEW_EPISODE + SECOND
    assert refused(second, at=later, reason="c") == Refusal(times=1, since=later, last_at=later, reason="c")
