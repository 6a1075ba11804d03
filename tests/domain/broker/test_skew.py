"""How far the clock is off: proven by answers, never by rounding, by a slow way or by one odd answer."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.broker.skew import AGREE, FROM, KEPT, LIFE, Off, Reading, ahead, judged, reading, said

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ways = st.timedeltas(timedelta(0), timedelta(minutes=5))
offs = st.timedeltas(timedelta(seconds=-120), timedelta(seconds=120))


def heard(off: timedelta, *, made: datetime, there: timedelta, back: timedelta) -> Reading:
    """Give what an answer says that the broker made at its own instant `made`, for a clock that is `off` ahead."""
    return reading(sent_at=made - there + off, received_at=made + back + off, date=made.replace(microsecond=0))


def quick(off: timedelta, instants: Sequence[float]) -> list[Reading]:
    """Give answers made at these seconds after noon, 40 ms there and 40 ms back."""
    way = timedelta(milliseconds=40)
    return [heard(off, made=NOON + timedelta(seconds=at), there=way, back=way) for at in instants]


@given(offs, st.lists(st.tuples(st.timedeltas(timedelta(0), LIFE), ways, ways), min_size=1, max_size=KEPT))
def test_nothing_is_proven_that_is_not_so(
    off: timedelta, answers: list[tuple[timedelta, timedelta, timedelta]]
) -> None:
    """Whatever the way there and back takes, what is proven lies between nothing and the truth."""
    readings = [heard(off, made=NOON + at, there=there, back=back) for at, there, back in answers]
    found = ahead(readings, max(one.at for one in readings)) or timedelta(0)
    assert min(timedelta(0), off) <= found <= max(timedelta(0), off)


def a_sample_decides(readings: Sequence[Reading], now: datetime) -> timedelta | None:
    """Seeded mistake: the middle of the last exchange is compared with the Date, as if that were exact."""
    last = readings[-1]
    return last.least + SECOND + (last.most - last.least - SECOND) / 2


def test_a_single_sample_cries_wolf() -> None:
    """What is proven of a right clock on a slow way is nothing; who compares the middle of one exchange says 5 s."""
    slow = [heard(timedelta(0), made=NOON + i * SECOND, there=10 * SECOND, back=timedelta(0)) for i in range(AGREE)]
    assert ahead(slow, NOON) == timedelta(0)
    assert judged(a_sample_decides(slow, NOON)) is Off.NO_ENTRIES


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, Off.RIGHT), (1, Off.RIGHT), (3.5, Off.WARNED), (10, Off.NO_ENTRIES), (90, Off.HALTED)]
)
def test_what_follows_from_each_size(sign: int, seconds: float, expected: Off) -> None:
    """With answers at any instants of their seconds, each size of the error has its consequence, either way."""
    off = sign * seconds * SECOND
    readings = quick(off, [0.05, 1.3, 2.6, 3.95, 5.2, 6.45, 7.7, 8.99])
    assert judged(ahead(readings, readings[-1].at)) is expected


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("off", "least"), FROM.items())
def test_each_limit_is_met_exactly(sign: int, off: Off, least: timedelta) -> None:
    """At its limit a consequence is there, a microsecond below it is not yet."""
    assert judged(sign * least) is off
    assert judged(sign * (least - timedelta(microseconds=1))) is not off


def test_three_answers_have_to_agree() -> None:
    """Two answers prove nothing, and two odd ones among good ones neither: a cache may give an old Date."""
    assert ahead(quick(90 * SECOND, [0, 1]), NOON) is None
    assert ahead(quick(90 * SECOND, [0, 1, 2]), NOON + 90 * SECOND) is not None
    mixed = quick(timedelta(0), [0, 1, 2, 3, 4]) + quick(90 * SECOND, [5, 6])
    assert ahead(mixed, NOON) == timedelta(0)
    assert judged(ahead(mixed + quick(90 * SECOND, [7]), NOON)) is Off.HALTED


def test_a_clock_that_was_put_right_is_right_again() -> None:
    """Once six answers after the correction are known, nothing is left of what was proven before."""
    before = quick(90 * SECOND, range(KEPT))
    after = quick(timedelta(0), [float(at) for at in range(60, 60 + KEPT - AGREE + 1)])
    assert ahead(before + after, NOON + 70 * SECOND) == timedelta(0)


def test_old_answers_say_nothing() -> None:
    """What was heard longer ago than a reading's life is no word on the clock of now."""
    readings = quick(90 * SECOND, [0, 1, 2])
    assert ahead(readings, readings[0].at + LIFE) is not None
    assert ahead(readings, readings[-1].at + LIFE + SECOND) is None


def test_a_clock_that_was_not_measured_counts_as_right() -> None:
    """Where no answer has a Date, nothing is stopped for it."""
    assert ahead([], NOON) is None
    assert judged(None) is Off.RIGHT


def test_it_is_said_with_its_direction() -> None:
    """The words have the size in tenths of a second and the way it is off."""
    assert said(timedelta(seconds=3.29)) == "3.2 s ahead of E*TRADE's"
    assert said(timedelta(seconds=-90)) == "90.0 s behind E*TRADE's"
