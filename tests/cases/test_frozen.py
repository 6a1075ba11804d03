"""Case order placement freezes between the cancel of a stop and the sell, for any length: covered again within 100 s.

The sweep over every call is tests/usecases/test_graph.py; here the whole system plays the worst of it.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from infra.brokersim.faults import Endpoint
from tests.cases.answers import Answers, Rule, hangs
from tests.cases.short_day import CLOSES, FLATTENS, Played, cancel_sells, play
from tests.simulated_day.made import at

AT_MOST = timedelta(seconds=100)


def covered_again(day: Played) -> None:
    """Check that shares never lay without a sell for longer than the bound, and that nothing is held at the close."""
    assert day.longest_gap() <= AT_MOST
    assert sum(fill.quantity * (1 if fill.action == "BUY" else -1) for fill in day.result.ledger.fills) == 0
    assert day.result.ledger.fills[-1].at < CLOSES
    assert "holds nothing" in day.of("day_result")[-1].text


def frozen(endpoint: Endpoint, seconds: float) -> Answers:
    """Let the first call of this kind after the flatten's begin freeze before it is sent."""
    return Answers(Rule(endpoint=endpoint, change=hangs(seconds), since=FLATTENS, times=1))


@pytest.mark.parametrize(("endpoint", "seconds"), [
    ("preview", 400),
    pytest.param("preview", 40, marks=pytest.mark.long),
    pytest.param("preview", 1000, marks=pytest.mark.long),
    pytest.param("place", 40, marks=pytest.mark.long),
    pytest.param("cancel", 100, marks=pytest.mark.long),
    pytest.param("cancel", 400, marks=pytest.mark.long),
    pytest.param("orders", 400, marks=pytest.mark.long),
])  # fmt: skip
def test_an_exit_that_freezes_leaves_nothing_bare(
    market: Path, tmp_path: Path, endpoint: Endpoint, seconds: float
) -> None:
    """Whatever call of the exit freezes and for how long, the shares are covered within the bound and then sold."""
    covered_again(play(market, tmp_path, answers=frozen(endpoint, seconds)))


def test_shares_that_lie_bare_for_minutes_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where a stop is gone and nobody puts it back for minutes, as it once was, the check of such a day fails."""
    blind = Answers(*(Rule(endpoint=one, change=hangs(200), since=at(12, 40)) for one in ("orders", "order", "place")))
    day = play(market, tmp_path, answers=blind, deeds=((at(12, 40), cancel_sells),))
    with pytest.raises(AssertionError):
        covered_again(day)
