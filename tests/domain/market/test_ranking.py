"""A rank is of the list alone: by percentile ranks and weights, whatever the figures' sizes and in whatever order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.market.bars import DailyBar
from shared.domain.market.ranking import DAYS, Measures, Place, measures, ranked, spread_bps
from tests.domain.made import DEFAULT, config, quote

WEIGHTS = DEFAULT.universe.weights
PARTS = ("liquidity", "volatility", "momentum", "spread")
Figures = Sequence[tuple[Decimal | None, ...]]
FIGURE = st.none() | st.integers(0, 30).map(Decimal)
LISTS = st.lists(st.tuples(FIGURE, FIGURE, FIGURE, FIGURE), min_size=1, max_size=12)


def listed(figures: Figures) -> list[Measures]:
    return [
        Measures(symbol=f"S{number}", **dict(zip(PARTS, row, strict=True))) for number, row in enumerate(figures)
    ]  # fmt: skip


def days(*closes: str, volume: int = 1000) -> list[DailyBar]:
    first = date(2013, 9, 2)
    return [
        DailyBar(
            day=first + timedelta(days=number), open=Decimal(close), high=Decimal(close) + 1, low=Decimal(close) - 1,
            close=Decimal(close), volume=volume,
        )
        for number, close in enumerate(closes)
    ]  # fmt: skip


def test_the_guide_s_weights_are_the_default() -> None:
    """Liquidity 40, volatility 30, momentum 20, spread 10: the best of all has 100, the worst 0."""
    best = Measures(symbol="A", liquidity=Decimal(9), volatility=Decimal(9), momentum=Decimal(9), spread=Decimal(1))
    worst = Measures(symbol="B", liquidity=Decimal(1), volatility=Decimal(1), momentum=Decimal(1), spread=Decimal(9))
    first, last = ranked([worst, best], WEIGHTS)
    points = {part.name: int(part.points) for part in first.parts}
    assert points == {"liquidity": 40, "volatility": 30, "momentum": 20, "spread": 10}
    assert [(one.symbol, int(one.score)) for one in (first, last)] == [("A", 100), ("B", 0)]


def test_a_score_by_hand() -> None:
    """Of three symbols the middle one earns half of each part, and two equal ones share what lies between them."""
    rows = [(Decimal(1), Decimal(5), Decimal(1), None), (Decimal(2), Decimal(5), Decimal(3), None)]
    rows.append((Decimal(3), Decimal(9), Decimal(2), None))
    places = ranked(listed(rows), WEIGHTS)
    assert [(one.symbol, str(one.score)) for one in places] == [("S2", "80.00"), ("S1", "47.50"), ("S0", "7.50")]
    assert all(one.unknown == ("spread",) for one in places)


@given(LISTS)
def test_every_symbol_has_one_place_and_its_parts_make_its_score(figures: Figures) -> None:
    """Places run from 1, scores fall from 100 at most to 0 at least, and unknown parts earn nothing and are named."""
    places = ranked(listed(figures), WEIGHTS)
    assert [one.place for one in places] == list(range(1, len(figures) + 1))
    assert {one.symbol for one in places} == {f"S{number}" for number in range(len(figures))}
    scores = [one.score for one in places]
    assert scores == sorted(scores, reverse=True)
    for one in places:
        assert one.score == sum(part.points for part in one.parts)
        assert 0 <= one.score <= 100
        row = figures[int(one.symbol[1:])]
        assert one.unknown == tuple(name for name, value in zip(PARTS, row, strict=True) if value is None)
        assert all(part.points == 0 for part in one.parts if part.value is None)


@given(LISTS, st.randoms(use_true_random=False))
def test_the_order_of_the_list_moves_equal_scores_alone(figures: Figures, chance: Random) -> None:
    """Scores are the same in any order of the list; those that are equal stand in its order."""
    given_list = listed(figures)
    shuffled = list(given_list)
    chance.shuffle(shuffled)
    places = ranked(shuffled, WEIGHTS)
    assert {one.symbol: one.score for one in places} == {one.symbol: one.score for one in ranked(given_list, WEIGHTS)}
    order = [one.symbol for one in shuffled]
    assert [one.symbol for one in places] == [
        one.symbol for one in sorted(places, key=lambda one: (-one.score, order.index(one.symbol)))
    ]


@given(LISTS, st.integers(1, 1000))
def test_a_figure_s_size_is_no_matter(figures: Figures, times: int) -> None:
    """Dollars a thousand times as many in all symbols leave every score as it is: ranks count, not sizes."""
    plain = listed(figures)
    larger = [replace(one, liquidity=one.liquidity and one.liquidity * times) for one in plain]

    def scores(places: tuple[Place, ...]) -> list[tuple[str, Decimal]]:
        return [(one.symbol, one.score) for one in places]

    assert scores(ranked(larger, WEIGHTS)) == scores(ranked(plain, WEIGHTS))


@given(LISTS, st.integers(0, 11), st.sampled_from(PARTS))
def test_who_becomes_better_never_falls_back(figures: Figures, number: int, part: str) -> None:
    """A symbol whose figure is better, all else the same, has no lower score and no later place."""
    plain = listed(figures)
    one = plain[number % len(plain)]
    value = getattr(one, part)
    assume(value is not None)
    change: dict[str, Any] = {part: Decimal(0) if part == "spread" else value + 5}
    changed = [replace(other, **change) if other is one else other for other in plain]
    before = next(place for place in ranked(plain, WEIGHTS) if place.symbol == one.symbol)
    after = next(place for place in ranked(changed, WEIGHTS) if place.symbol == one.symbol)
    assert after.score >= before.score
    assert after.place <= before.place


def test_measures_are_of_the_last_twenty_days() -> None:
    """USD a day, true range and rise in percent, over the last 20 bars; what lies before them changes nothing."""
    bars = days(*(str(100 + number) for number in range(DAYS)))
    found = measures("A", bars, spread=Decimal(3))
    assert found.liquidity == sum(Decimal(100 + number) * 1000 for number in range(DAYS)) / DAYS
    assert found.momentum == Decimal("19.0000")
    ranges = [Decimal(200) / (101 + number) for number in range(DAYS - 1)]
    assert found.volatility == (sum(ranges, Decimal(0)) / (DAYS - 1)).quantize(Decimal("0.0001"))
    assert measures("A", [*days("1", "2"), *bars], spread=Decimal(3)) == found


def test_with_fewer_days_nothing_but_the_spread_is_known() -> None:
    """A symbol that may not be bought for want of bars is ranked by its spread alone, and the rest is named."""
    found = measures("A", days(*["100"] * (DAYS - 1)), spread=Decimal(3))
    (place,) = ranked([found], WEIGHTS)
    assert (place.score, place.unknown) == (Decimal(10), ("liquidity", "volatility", "momentum"))


@pytest.mark.parametrize(
    ("bid", "ask", "bps"),
    [("99.95", "100.05", "10.00"), ("100", "100", "0.00"), ("0", "100", None), ("101", "100", None),
     ("NaN", "100", None), ("100", "Infinity", None)],
)  # fmt: skip
def test_a_spread_needs_a_bid_and_an_ask(bid: str, ask: str, bps: str | None) -> None:
    """What is quoted before the open may have one side, or none that can be: then no spread is known."""
    assert spread_bps(quote(bid=bid, ask=ask)) == (None if bps is None else Decimal(bps))


def test_other_weights_make_another_rank() -> None:
    """Who weighs momentum alone has the risers first."""
    rows = [(Decimal(9), Decimal(9), Decimal(1), Decimal(1)), (Decimal(1), Decimal(1), Decimal(9), Decimal(9))]
    universe = {"liquidity": 0, "volatility": 0, "momentum": 100, "spread": 0}
    other = config(**{f"universe__rank_{name}_pct": weight for name, weight in universe.items()}).universe.weights
    assert [one.symbol for one in ranked(listed(rows), WEIGHTS)] == ["S0", "S1"]
    assert [one.symbol for one in ranked(listed(rows), other)] == ["S1", "S0"]
