"""Daily bars are kept as they were traded, and averages see shares as they are on their day."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.bars import DailyBar
from shared.domain.series import Split, adjusted_closes

FIRST = date(2013, 10, 1)


def _bar(day: date, close: str) -> DailyBar:
    price = Decimal(close)
    return DailyBar(day=day, open=price, high=price, low=price, close=price, volume=100)


def test_a_split_counts_for_the_bars_before_it_and_from_its_day_on() -> None:
    """After a split of two for one old closes are halved, the day's own is not, and the day before nobody knows it."""
    bars = [_bar(FIRST, "100"), _bar(FIRST + timedelta(days=1), "102"), _bar(FIRST + timedelta(days=2), "51")]
    split = Split(day=FIRST + timedelta(days=2), ratio=Decimal(2))
    assert [str(one) for one in adjusted_closes(bars, [split], on=FIRST + timedelta(days=2))] == ["50", "51", "51"]
    assert [str(one) for one in adjusted_closes(bars[:2], [split], on=FIRST + timedelta(days=1))] == ["100", "102"]


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["2", "3", "0.1", "1.5"])), max_size=4))
def test_splits_in_any_order_give_the_same_closes(drawn: list[tuple[int, str]]) -> None:
    """The order in which splits are known changes nothing, and a close after all of them is as it was traded."""
    splits = [Split(day=FIRST + timedelta(days=day), ratio=Decimal(ratio)) for day, ratio in drawn]
    bars = [_bar(FIRST + timedelta(days=n), "60") for n in range(10)]
    closes = adjusted_closes(bars, splits, on=FIRST + timedelta(days=9))
    again = adjusted_closes(bars, splits[::-1], on=FIRST + timedelta(days=9))
    assert all(abs(one - other) < Decimal("1e-20") for one, other in zip(closes, again, strict=True))
    assert closes[-1] == 60
