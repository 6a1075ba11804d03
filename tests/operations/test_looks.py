"""Blind seconds: every second of a session counts, also those of a minute that nobody wrote down."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.results.words import looked
from shared.domain.market.sight import BLIND, LOOKED, Looks, Sight, looks

OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WHOLE, DARK = LOOKED * 60, BLIND * 60


def sights(*minutes: tuple[str, bool] | None) -> list[Sight]:
    """Give the sights of minutes one after the other; None is one that left none."""
    return [
        Sight(begins=OPENS + number * MINUTE, symbols=2, usable=2, faults=(), unseen={}, seconds=one[0], holds=one[1])
        for number, one in enumerate(minutes)
        if one is not None
    ]


@pytest.mark.parametrize(
    ("minutes", "looked", "unseen_s"),
    [
        pytest.param([(WHOLE, True), (WHOLE, True)], 120, 1, id="every second"),
        pytest.param([(WHOLE, False), (WHOLE, False)], 120, 0, id="nothing is held"),
        pytest.param([(LOOKED * 55 + BLIND * 5, True), (BLIND * 3 + LOOKED * 57, True)], 112, 9, id="over two minutes"),
        pytest.param([(LOOKED * 55 + BLIND * 5, True), (BLIND * 3 + LOOKED * 57, False)], 112, 5, id="sold meanwhile"),
        pytest.param([(DARK, False), (WHOLE, True)], 60, 1, id="blind before anything is held"),
        pytest.param([(WHOLE, True), None], 60, 60, id="no sight of a minute after one that held"),
        pytest.param([(WHOLE, True), ("", True)], 60, 60, id="a sight without seconds"),
        pytest.param([None, (WHOLE, False)], 60, 0, id="no sight at the open"),
    ],
)
def test_each_second_counts(minutes: list[tuple[str, bool] | None], looked: int, unseen_s: int) -> None:
    """Blind is every second without a look; the gap of what is held goes from one look to the next, over minutes."""
    found = looks(sights(*minutes), OPENS, OPENS + 2 * MINUTE)
    assert (found.seconds, found.looked, found.blind, found.unseen_s) == (120, looked, 120 - looked, unseen_s)


def test_what_is_not_over_does_not_count() -> None:
    """Only whole minutes count: before the first of them there is nothing, and nothing is divided by it."""
    found = looks(sights((WHOLE, True)), OPENS, OPENS + timedelta(seconds=59))
    assert found == Looks(seconds=0, looked=0, unseen_s=0)
    assert looked(found) == "0 of 0, 0 not"


def test_status_says_how_blind_it_was() -> None:
    """The owner reads the seconds watched and not, their share, and how often what was held was watched."""
    said = looked(Looks(seconds=23_400, looked=23_100, unseen_s=4))
    assert said == "23,100 of 23,400 (98.7 %), 300 not; what was held was watched at least every 4 s"
