"""Case fraction-in-order-list: an order of the owner's own, of whatever kind, hides none of ours for a moment."""

from datetime import datetime
from pathlib import Path

import pytest

from shared.codec import loads
from tests.cases.answers import Answers, Change, Rule, edited, says
from tests.cases.rows import FOREIGN, Row, all_foreign, put_first
from tests.cases.short_day import as_every_day, play
from tests.simulated_day.made import SYMBOL, at

LISTED_FROM = at(12, 11)
UNREADABLE = says({"OrdersResponse": {"Order": "all of them"}})
"""What one such row once made of the whole list."""


def listed(*rows: Row) -> Answers:
    """Show rows at the head of the order list from before the entry on."""
    return lists(edited(put_first(*rows)))


def lists(change: Change, since: datetime = LISTED_FROM) -> Answers:
    """Change the order list from an instant on."""
    return Answers(Rule(endpoint="orders", change=change, since=since))


def test_the_owners_fraction_of_another_share_hides_nothing(market: Path, cases: Path, tmp_path: Path) -> None:
    """The row that a person met makes its symbol busy and nothing else: it is told once, and the day goes on."""
    given = loads((cases / "fraction-in-order-list" / "input.json").read_bytes())
    day = play(market, tmp_path, answers=listed(*given["OrdersResponse"]["Order"]))
    as_every_day(day)
    assert len(day.with_words("ZZVT")) == 1


def test_one_row_of_every_kind_hides_nothing(market: Path, tmp_path: Path) -> None:
    """Options, funds, dollars, shorts, spreads, rows without a price or without anything: each is told of once."""
    rows = all_foreign()
    day = play(market, tmp_path, answers=listed(*rows))
    as_every_day(day)
    symbols = [f"ZZ{chr(65 + place)}" for place in range(len(rows) - 1)]
    untold = [symbol for symbol in symbols if len(day.with_words(symbol)) != 1]
    assert untold == []


@pytest.mark.parametrize("kind", ["fraction that waits", "all that is owned"])
def test_such_a_row_in_a_watched_symbol_makes_it_busy(market: Path, tmp_path: Path, kind: str) -> None:
    """The symbol is not entered while the owner trades it, and the owner is told why."""
    day = play(market, tmp_path, answers=listed(FOREIGN[kind](900_001, SYMBOL)))
    assert day.result.ledger.orders == ()
    assert day.of("foreign_order", SYMBOL)
    assert day.result.summary.violations == ()


def test_a_list_that_such_a_row_made_unreadable_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where one odd row takes the whole list away from the entry on, as it once did, the check of such a day fails."""
    day = play(market, tmp_path, answers=lists(UNREADABLE, since=at(12, 26, 4)))
    with pytest.raises(AssertionError):
        as_every_day(day)
