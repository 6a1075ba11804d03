"""Days on which much goes wrong at random, a few of them each time and many in the long tests."""

from pathlib import Path

import pytest

from tests.cases.answers import Answers, Rule
from tests.cases.random_days import DOWN, arranged, troubles, wrongs
from tests.cases.short_day import cancel_sells, play
from tests.simulated_day.made import at


def played(market: Path, runs: Path, seed: int) -> list[str]:
    """Play one seed's day and name what was wrong, with its troubles beside it."""
    plan = troubles(seed)
    answers, deeds = arranged(plan)
    found = wrongs(play(market, runs, answers=answers, deeds=deeds), plan)
    return found and [*found, *(f"{one.at:%H:%M:%S} {one.words}" for one in plan)]


@pytest.mark.parametrize("seed", range(2))
def test_a_day_full_of_troubles_ends_well(market: Path, tmp_path: Path, seed: int) -> None:
    """Whatever dies, freezes, fails or is done by hand: nothing is doubled, oversold, bare for long, or untold."""
    assert played(market, tmp_path, seed) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 32))
def test_many_days_full_of_troubles_end_well(market: Path, tmp_path: Path, seed: int) -> None:
    """The same for thirty more."""
    assert played(market, tmp_path, seed) == []


def test_a_day_that_is_bare_for_minutes_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where a stop is gone and no preview is answered for minutes, the check of such a day fails."""
    down = Answers(Rule(endpoint="preview", change=DOWN, since=at(12, 40), until=at(12, 45)))
    day = play(market, tmp_path, answers=down, deeds=((at(12, 40, 10), cancel_sells),))
    assert any("naked" in one for one in wrongs(day, []))
