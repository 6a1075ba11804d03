"""The rules of the account's turns: how far apart calls leave, who goes first, and what a dead process blocks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.codec import decode, encode
from shared.domain.broker.turns import (
    HOLD,
    INTERVAL,
    PATIENCE,
    SOON,
    WIDE,
    WIDEST,
    WIDTH,
    Purpose,
    Turn,
    Turns,
    Wait,
    awaited,
    next_turn,
    paused,
    taken,
    untouched,
    urgency,
)

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PROTECT, SETTLE, ENTER = Purpose.PROTECT, Purpose.SETTLE, Purpose.ENTER


def ask(turns: Turns, purpose: Purpose, now: datetime = NOW) -> Turn | Wait:
    """Ask for the next turn."""
    return next_turn(turns, purpose, now=now, width=WIDTH)


def took(turns: Turns, purpose: Purpose, now: datetime = NOW) -> Turns:
    """Take a turn that must be there now."""
    turn = ask(turns, purpose, now)
    assert isinstance(turn, Turn)
    return taken(turns, turn, purpose)


def test_two_calls_leave_at_once_and_the_third_waits() -> None:
    """An account that was quiet gives two turns at once, and the third an interval after the first may have left."""
    turns = took(took(untouched(NOW), PROTECT), ENTER)
    wait = ask(turns, PROTECT)
    assert isinstance(wait, Wait)
    assert (wait.at, wait.look_at) == (NOW + WIDTH + INTERVAL, NOW + WIDTH + INTERVAL - SOON)


def test_an_entry_leaves_one_lane_alone() -> None:
    """After an entry's call another entry waits, and an exit does not."""
    turns = took(untouched(NOW), ENTER)
    assert isinstance(ask(turns, ENTER), Wait)
    assert ask(turns, PROTECT) == Turn(lane=0, at=NOW, until=NOW + WIDTH)


def test_lists_and_entries_never_wait_for_each_other() -> None:
    """A list that follows another waits and leaves the entries' lane to them, and the other way round."""
    turns = took(untouched(NOW), SETTLE)
    assert isinstance(ask(turns, SETTLE), Wait)
    turns = took(turns, ENTER)
    assert isinstance(ask(turns, ENTER), Wait)
    assert isinstance(ask(took(untouched(NOW), ENTER), SETTLE), Turn)


@pytest.mark.parametrize(("waits", "yields"), [(PROTECT, SETTLE), (PROTECT, ENTER), (SETTLE, ENTER)])
def test_nobody_takes_what_somebody_more_urgent_waits_for(waits: Purpose, yields: Purpose) -> None:
    """A turn that becomes free goes to the most urgent of those that wait for it, also while the lanes are one."""
    turns = untouched(NOW) if waits is PROTECT else paused(untouched(NOW - 9 * SECOND), NOW - 9 * SECOND)
    turns = took(turns, PROTECT)
    turns = took(turns, ENTER) if waits is PROTECT else turns
    wait = ask(turns, waits)
    assert isinstance(wait, Wait)
    turns = awaited(turns, waits, wait)
    assert isinstance(ask(turns, yields, wait.at), Wait)
    later = took(turns, waits, wait.at)
    free_at = wait.at + WIDTH + INTERVAL
    assert isinstance(ask(later, yields, free_at), Turn)


def test_a_mark_is_written_once_and_by_no_entry() -> None:
    """Who waits writes that down once, and only where somebody has to know: nobody yields to an entry."""
    turns = took(took(untouched(NOW), PROTECT), PROTECT)
    wait = ask(turns, PROTECT)
    assert isinstance(wait, Wait)
    marked = awaited(turns, PROTECT, wait)
    assert marked.protect_waits_until == wait.at + HOLD
    assert awaited(marked, PROTECT, wait) == marked
    assert awaited(turns, SETTLE, wait) == awaited(turns, ENTER, wait) == turns


def test_one_that_died_waiting_blocks_nobody_for_long() -> None:
    """Where an exit died while it waited, an entry has the turn half a second after it became free."""
    turns = took(took(untouched(NOW), PROTECT), ENTER)
    wait = ask(turns, PROTECT)
    assert isinstance(wait, Wait)
    turns = awaited(turns, PROTECT, wait)
    assert isinstance(ask(turns, ENTER, wait.at + HOLD), Turn)


def test_one_that_died_with_its_turn_blocks_nobody_for_long() -> None:
    """A turn that nobody uses is over in 1.3 s, a wide one in 2.7, and the widest, of a slow store, in 17.1."""
    for purpose, width, within in ((ENTER, WIDTH, 1.3), (ENTER, WIDE, 2.7), (PROTECT, WIDEST[PROTECT], 17.1)):
        turn = next_turn(untouched(NOW), purpose, now=NOW, width=width)
        assert isinstance(turn, Turn)
        turns = taken(untouched(NOW), turn, purpose)
        assert isinstance(ask(turns, ENTER, NOW + timedelta(seconds=within)), Turn)


def test_a_wide_turn_of_another_is_never_cut_short() -> None:
    """Where a slow store made a turn wide, nobody takes its lane for an instant that only a wrong clock has written."""
    wide = next_turn(untouched(NOW), PROTECT, now=NOW, width=WIDEST[PROTECT])
    assert isinstance(wide, Turn)
    turns = taken(untouched(NOW), wide, PROTECT)
    found = [ask(turns, SETTLE, NOW + timedelta(milliseconds=late)) for late in range(0, 17_000, 50)]
    assert all(one.at >= wide.until + INTERVAL for one in found)


def test_a_wrong_clock_blocks_nobody_for_long() -> None:
    """Instants that only a clock far ahead can have written count as no later than any turn can be."""
    ahead = NOW + timedelta(days=1)
    turns = Turns(free=(ahead, ahead), protect_waits_until=ahead, settle_waits_until=ahead, paused_until=ahead)
    for purpose in Purpose:
        found = ask(turns, purpose)
        assert isinstance(found, Wait)
        assert found.at <= NOW + 8 * SECOND


def test_a_list_that_waited_long_counts_as_an_exit() -> None:
    """Exits in numbers cannot keep a list waiting for ever; an entry waits for as long as they come."""
    assert urgency(SETTLE, PATIENCE) is SETTLE
    assert urgency(SETTLE, PATIENCE + SOON) is PROTECT
    assert urgency(ENTER, 9 * PATIENCE) is ENTER


def test_throttle_answers_rest_everybody_longer_each_time() -> None:
    """Throttle answers in a row rest the module for 1, 2, 4, 8 and 8 s; after half a minute's peace it is 1 again."""
    turns, now, rests = untouched(NOW), NOW, []
    for quiet in (0, 0, 0, 0, 0, 31):
        now += timedelta(seconds=quiet)
        turns = paused(turns, now)
        found = ask(turns, PROTECT, now)
        rests.append((found.at - now).total_seconds())
        now = found.at
    assert rests == [1, 2, 4, 8, 8, 1]


def test_after_a_throttle_answer_two_calls_never_leave_together() -> None:
    """For an hour after a throttle answer the two lanes are one; then they are two again."""
    turns = paused(untouched(NOW), NOW)
    for hour, kind in ((NOW + 59 * 60 * SECOND, Wait), (NOW + 61 * 60 * SECOND, Turn)):
        assert isinstance(ask(took(turns, PROTECT, hour), PROTECT, hour), kind)


def test_no_hour_holds_more_calls_than_the_limit() -> None:
    """Both lanes used without a pause stay below the 7,000 calls that an hour admits."""
    assert 2 * (timedelta(hours=1) / INTERVAL + 1) < 7_000


def test_the_document_is_read_as_it_was_written() -> None:
    """The turns survive the way to the store and back."""
    turns = paused(took(untouched(NOW), ENTER), NOW)
    assert decode(Turns, encode(turns)) == turns


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Purpose)),
            st.integers(0, 900),  # milliseconds until somebody asks
            st.integers(0, 1),  # whether a call of this purpose waits when there is no turn
            st.floats(0, 0.999),  # how far into its turn the call leaves
        ),
        max_size=60,
    )
)
def test_no_second_ever_holds_three_calls(asked: list[tuple[Purpose, int, int, float]]) -> None:
    """Whoever asks, whenever, and however late in its turn a call leaves: any second and its guard hold two at most."""
    turns, now, left = untouched(NOW), NOW, []
    for purpose, gap, waits, late in asked:
        now += timedelta(milliseconds=gap)
        found = ask(turns, purpose, now)
        if isinstance(found, Wait):
            turns = awaited(turns, purpose, found) if waits else turns
            now = max(now, found.look_at)
            continue
        turns = taken(turns, found, purpose)
        left.append(found.at + late * (found.until - found.at))
    left.sort()
    assert all(third - first >= INTERVAL for first, third in zip(left, left[2:], strict=False))
