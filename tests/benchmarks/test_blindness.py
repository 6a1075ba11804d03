"""A few cells of the blindness figure: what is hidden is told within minutes, and no stop is lost by it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.benchmarks.bad_answers import Endpoint
from tests.benchmarks.blindness import Cell, Outcome, figure, played, wrongs

MINUTE = timedelta(minutes=1)
BLIND = Outcome(
    cell=Cell(endpoint="orders", kind="500", moment="fill"), asked=9, blind=True, told=4 * MINUTE, by="answer_unread",
    naked=timedelta(seconds=3), lost=False,
)  # fmt: skip


@pytest.mark.days
@pytest.mark.parametrize(
    "cell",
    [
        Cell(endpoint="orders", kind="500", moment="fill"),
        Cell(endpoint="orders", kind="time-out", moment="flatten"),
        Cell(endpoint="portfolio", kind="cut", moment="held"),
        Cell(endpoint="quotes", kind="unreadable", moment="held"),
    ],
    ids=lambda cell: f"{cell.endpoint}-{cell.kind}-{cell.moment}",
)
def test_blindness_is_told_within_five_minutes(cell: Cell) -> None:
    """From the first bad answer to the owner it takes five minutes at most, and what is held keeps its stop."""
    (outcome,) = played([cell])
    assert outcome.blind
    assert wrongs([outcome]) == []


@pytest.mark.days
@pytest.mark.parametrize("endpoint", ["orders", "portfolio"])
def test_one_odd_row_blinds_nobody(endpoint: Endpoint) -> None:
    """One odd row among others is read around: nothing is hidden, and nothing is told of blindness."""
    (outcome,) = played([Cell(endpoint=endpoint, kind="odd", moment="held")])
    assert (outcome.asked > 0, outcome.blind, outcome.told, outcome.lost) == (True, False, None, False)


def test_the_figure_counts_what_it_says() -> None:
    """Late, untold and lost cells are named, the others are not, and the figure has p50, p99, max and both counts."""
    late, never = replace(BLIND, told=6 * MINUTE), replace(BLIND, told=None)
    seen, lost = replace(BLIND, blind=False, told=None), replace(BLIND, lost=True)
    assert wrongs([BLIND, seen]) == []
    assert len(wrongs([late, never, lost])) == 3
    assert figure([BLIND, late, never, seen, lost]) == (
        "5 cells, 4 blind: told after p50 4.0, p99 6.0, max 6.0 minutes, never 1; stops lost 1"
    )
