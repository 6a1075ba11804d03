"""The pace of one kind of notice: a handful, one that says that there are more, then silence for a while."""

from datetime import timedelta

from shared.domain.telling.pacing import MOST, WINDOW, Pace, Turn, turn
from tests.domain.made import NOON

_GAP = timedelta(seconds=10)


def _turns(count: int, gap: timedelta) -> tuple[list[Turn], Pace]:
    pace, turns = Pace(), []
    for number in range(count):
        what, pace = turn(pace, NOON + number * gap)
        turns.append(what)
    return turns, pace


def test_a_flood_is_cut() -> None:
    """Of many within one window the first few are told, the next one is the last, and the rest are counted."""
    turns, pace = _turns(MOST + 10, _GAP)
    assert turns == [*[Turn.TELL] * MOST, Turn.LAST, *[Turn.HOLD] * 9]
    assert (pace.held_back, len(pace.told)) == (9, MOST + 1)


def test_a_trickle_is_told() -> None:
    """Notices that come more slowly than the pace are all told, and the record does not grow."""
    turns, pace = _turns(100, WINDOW / MOST)
    assert set(turns) == {Turn.TELL}
    assert len(pace.told) <= MOST


def test_silence_ends_with_the_window() -> None:
    """Once the window has moved on, the next notice is told and the count begins again."""
    _, pace = _turns(MOST + 4, _GAP)
    assert pace.held_back == 3
    what, after = turn(pace, NOON + WINDOW + MOST * _GAP + _GAP)
    assert (what, after.held_back) == (Turn.TELL, 0)


def test_no_window_holds_more_than_the_pace() -> None:
    """However long a flood lasts, no window has more than the pace and the one that says so."""
    pace, told = Pace(), []
    for number in range(2000):
        now = NOON + number * timedelta(seconds=7)
        what, pace = turn(pace, now)
        told += [now] if what is not Turn.HOLD else []
    assert len(told) > 2 * MOST
    assert max(sum(one <= other < one + WINDOW for other in told) for one in told) == MOST + 1
