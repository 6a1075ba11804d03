"""Daily bars are kept as they were traded, and averages see shares as they are on their day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.market.bars import DailyBar
from shared.domain.market.series import (
    Dividend,
    Series,
    Split,
    adjusted_bars,
    adjusted_closes,
    cut,
    merged,
    unbroken,
    unsound,
)
from tests.domain.days import TODAY, bar, series, sessions
from tests.domain.made import OPENS

FIRST = date(2013, 10, 1)
TODAY_AT = OPENS - timedelta(hours=2)


def _bar(day: date, close: str) -> DailyBar:
    price = Decimal(close)
    return DailyBar(day=day, open=price, high=price, low=price, close=price, volume=100)


def test_a_split_counts_for_the_bars_before_it_and_from_its_day_on() -> None:
    """After a split of two for one old closes are halved, the day's own is not, and the day before nobody knows it."""
    bars = [_bar(FIRST, "100"), _bar(FIRST + timedelta(days=1), "102"), _bar(FIRST + timedelta(days=2), "51")]
    split = Split(day=FIRST + timedelta(days=2), ratio=Decimal(2))
    assert [str(one) for one in adjusted_closes(bars, [split], on=FIRST + timedelta(days=2))] == ["50", "51", "51"]
    assert [str(one) for one in adjusted_closes(bars[:2], [split], on=FIRST + timedelta(days=1))] == ["100", "102"]


def test_a_whole_bar_is_adjusted() -> None:
    """All four prices are divided by what the volume is multiplied by; a bar that no split follows stays itself."""
    price = Decimal(90)
    old = DailyBar(day=FIRST, open=price, high=price + 3, low=price - 3, close=price, volume=101)
    split = Split(day=FIRST + timedelta(days=1), ratio=Decimal("1.5"))
    (now,) = adjusted_bars([old], [split], on=split.day)
    assert [now.open, now.high, now.low, now.close] == [Decimal(60), Decimal(62), Decimal(58), Decimal(60)]
    assert now.volume == 152
    assert adjusted_bars([old], [split], on=FIRST) == (old,)


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["2", "3", "0.1", "1.5"])), max_size=4))
def test_splits_in_any_order_give_the_same_closes(drawn: list[tuple[int, str]]) -> None:
    """The order in which splits are known changes nothing, and a close after all of them is as it was traded."""
    splits = [Split(day=FIRST + timedelta(days=day), ratio=Decimal(ratio)) for day, ratio in drawn]
    bars = [_bar(FIRST + timedelta(days=n), "60") for n in range(10)]
    closes = adjusted_closes(bars, splits, on=FIRST + timedelta(days=9))
    again = adjusted_closes(bars, splits[::-1], on=FIRST + timedelta(days=9))
    assert all(abs(one - other) < Decimal("1e-20") for one, other in zip(closes, again, strict=True))
    assert closes[-1] == 60


def test_only_what_leads_up_to_the_day_without_a_long_gap_counts() -> None:
    """A missing week is borne, a missing fortnight ends the run, and bars that end a fortnight ago are none."""
    bars = series(60).bars
    assert unbroken(bars, before=TODAY) == bars
    assert unbroken((*bars[:40], *bars[45:]), before=TODAY) == (*bars[:40], *bars[45:])
    assert unbroken((*bars[:40], *bars[50:]), before=TODAY) == bars[50:]
    assert unbroken(bars[:-10], before=TODAY) == ()
    assert unbroken((), before=TODAY) == ()


_DAYS = sessions(5)
_UNUSABLE: dict[str, Series] = {
    "a day that stands twice": series(5, bars=(bar(_DAYS[0]), bar(_DAYS[1]), bar(_DAYS[1], "90"))),
    "days out of order": series(5, bars=(bar(_DAYS[1]), bar(_DAYS[0]))),
    "the day itself": series(5, bars=(bar(_DAYS[4]), bar(TODAY))),
    "a price of nothing": series(5, bars=(bar(_DAYS[4], "0"),)),
    "a price that is no number": series(5, bars=(bar(_DAYS[4], "NaN"),)),
    "a low above the close": series(5, bars=(bar(_DAYS[4], low=Decimal(101)),)),
    "a high below the open": series(5, bars=(bar(_DAYS[4], high=Decimal(99)),)),
    "a volume below zero": series(5, bars=(bar(_DAYS[4], volume=-1),)),
    "a split of nothing": series(5, splits=(Split(day=_DAYS[4], ratio=Decimal(0)),)),
}


@pytest.mark.parametrize("what", _UNUSABLE)
def test_an_answer_that_cannot_be_is_not_used(what: str) -> None:
    """Whatever cannot be in an answer makes all of it unusable, and says why."""
    assert unsound(_UNUSABLE[what], before=TODAY)


def test_a_sound_answer_is_used() -> None:
    """Bars with a missing day in the middle, and none at all, are an answer."""
    whole = series(5)
    assert unsound(whole, before=TODAY) is None
    assert unsound(replace(whole, bars=(*whole.bars[:2], *whole.bars[3:])), before=TODAY) is None
    assert unsound(replace(whole, bars=()), before=TODAY) is None


def test_of_each_day_the_first_source_counts() -> None:
    """Gaps of one source are filled by the next; the series is marked as of two makes, and is as old as the older."""
    own = series(3, source="own", at=TODAY_AT, closes={_DAYS[4]: "90"})
    other = series(5, source="yahoo", at=TODAY_AT - timedelta(days=1))
    joined = merged([own, other])
    assert [str(one.close) for one in joined.bars] == ["100", "100", "100", "100", "90"]
    assert (joined.source, joined.made, joined.mixed) == ("own+yahoo", "of own; of yahoo", True)
    assert joined.at == other.at
    alone = merged([series(5, source="own"), other])
    assert (alone.source, alone.mixed) == ("own", False)
    assert merged([replace(other, bars=())]).bars == ()


def test_splits_and_dividends_of_all_sources_are_kept_once() -> None:
    """What two sources say of one day is known once, as the first says it."""
    split, other = (Split(day=_DAYS[3], ratio=Decimal(ratio)) for ratio in ("2", "3"))
    paid = Dividend(day=_DAYS[2], usd=Decimal("0.5"))
    joined = merged([series(2, splits=(split,)), series(5, splits=(other,), dividends=(paid,))])
    assert (joined.splits, joined.dividends) == ((split,), (paid,))


def test_a_doubt_is_explained_by_a_split_at_the_next_bar() -> None:
    """A split between the doubted day and the next bar explains it; one of another day does not."""
    doubted = series(5, doubted=(_DAYS[2],))
    assert doubted.unexplained == (_DAYS[2],)
    assert replace(doubted, splits=(Split(day=_DAYS[3], ratio=Decimal(2)),)).unexplained == ()
    assert replace(doubted, splits=(Split(day=_DAYS[2], ratio=Decimal(2)),)).unexplained == (_DAYS[2],)


def test_a_cut_keeps_what_was_asked_for() -> None:
    """The first day is in, the last is out."""
    assert [one.day for one in cut(series(5), start=_DAYS[1], before=_DAYS[4]).bars] == _DAYS[1:4]
