"""Case reverse split: prices that cannot be of the same share as those of the days before are no signal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cases.answers import Answers, Rule, edited
from tests.cases.markets import closed_at
from tests.cases.short_day import Played, as_every_day, play

Edit = Callable[[dict[str, Any]], object]


def not_bought(day: Played) -> None:
    """Check that nothing was bought and that the receipts say why."""
    assert day.result.ledger.orders == ()
    assert day.result.book.signals == ()
    assert "PRICE_JUMP" in day.codes()


def quoted(edit: Edit) -> Answers:
    """Change what each quote says of the days before."""

    def change(body: Any) -> None:
        for one in body["QuoteResponse"]["QuoteData"]:
            edit(one["All"])

    return Answers(Rule(endpoint="quotes", change=edited(change)))


@pytest.mark.parametrize("yesterday", ["10.00", "0.40"])
def test_a_rise_of_nine_hundred_percent_is_none(tmp_path: Path, yesterday: str) -> None:
    """After a reverse split, or where a symbol went to another share, quotes at 101 are no rise over closes at 10."""
    not_bought(play(closed_at(tmp_path, yesterday=yesterday), tmp_path / "runs"))


MEMBERS: dict[str, Edit] = {
    "previous close alone is old": lambda quote: quote.update(previousClose=10.0),
    "quote says that it is adjusted": lambda quote: quote.update(previousClose=10.0, adjustedFlag=True),
    "previous close alone is new": lambda quote: quote.update(previousClose=50.0),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_one_price_of_another_share_is_enough(market: Path, tmp_path: Path, name: str) -> None:
    """Where only the quote's previous close is of another share, or says so, nothing is bought either."""
    not_bought(play(market, tmp_path, answers=quoted(MEMBERS[name])))


@pytest.mark.long
def test_a_good_rise_is_one(tmp_path: Path) -> None:
    """A share that opens a fifth above its close is bought as every day."""
    as_every_day(play(closed_at(tmp_path, yesterday="85.00"), tmp_path / "runs"))


def test_a_day_on_which_it_is_bought_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where the symbol is bought, as it once was on a rise of 910 %, the check of such a day fails."""
    with pytest.raises(AssertionError):
        not_bought(play(market, tmp_path))
