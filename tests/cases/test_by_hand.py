"""Case the owner sells by hand what the system holds: booked as taken out, told, and trading goes on."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.base.values import PriceType
from tests.cases.markets import BUSY_FROM, SECOND, with_second
from tests.cases.short_day import CLOSES, Played, play, sell
from tests.simulated_day.made import SYMBOL, at

SOLD_AT = at(12, 26, 40)
MOST_STOPS = 3


def taken_out(day: Played, quantity: int, *, left: int) -> None:
    """Check that the book followed, that it was told, that little was asked for in vain, and that the day is sealed."""
    told = day.of("shares_taken", SYMBOL, f"{quantity} shares")
    assert len(told) == 1
    assert told[0].told_at - SOLD_AT < timedelta(minutes=3)
    held = [position.quantity for position in day.result.book.positions if position.symbol == SYMBOL]
    assert held == [0]
    stops = [one for one in day.result.book.orders if one.symbol == SYMBOL and one.price_type is PriceType.STOP]
    assert len(stops) <= MOST_STOPS + bool(left)
    assert not [one for one in day.result.book.orders if "LEDGER_MISMATCH" in one.codes]
    assert day.result.book.seals
    assert "holds nothing" in day.of("day_result")[-1].text
    assert day.result.ledger.positions.get(SYMBOL, 0) == 0


def test_what_the_owner_sells_by_hand_is_booked_and_told(tmp_path: Path) -> None:
    """Shares that left the account are booked as taken out, another share is bought after that, the day is sealed."""
    day = play(with_second(tmp_path), tmp_path / "runs", deeds=((SOLD_AT, sell(98)),))
    taken_out(day, 98, left=0)
    bought = [fill for fill in day.result.ledger.fills if fill.symbol == SECOND and fill.action == "BUY"]
    assert bought
    assert bought[0].at > BUSY_FROM
    assert day.result.summary.violations == ()


def test_what_the_owner_moves_away_has_no_made_up_price(market: Path, tmp_path: Path) -> None:
    """Forty shares moved to another broker while their stop stands leave at a price that is said to be unknown."""
    away = (SOLD_AT, lambda machine: machine.simulator.withdraw(SYMBOL, 40, machine.settings.account_id))
    day = play(market, tmp_path, deeds=(away,))
    (told,) = day.of("shares_taken", SYMBOL, "40 shares", "is not known")
    assert told.told_at - SOLD_AT < timedelta(minutes=13)  # no portfolio has shown the shares before
    assert "not counting 40 shares" in day.of("day_result")[-1].text
    assert day.result.summary.violations == ()


def test_a_part_that_the_owner_sells_leaves_the_rest_protected(market: Path, tmp_path: Path) -> None:
    """Of ninety-eight shares forty are sold by hand: fifty-eight stay behind a stop and are sold before the close."""
    day = play(market, tmp_path, deeds=((SOLD_AT, sell(40)),))
    taken_out(day, 40, left=58)
    assert [fill.quantity for fill in day.result.ledger.fills if fill.action == "SELL"] == [40, 58]
    assert day.result.ledger.fills[-1].at < CLOSES


def test_a_day_that_never_ends_for_the_book_would_be_found(market: Path, tmp_path: Path) -> None:
    """Where the book keeps what is not there any more, as it once did, the check of such a day fails."""
    day = play(market, tmp_path)
    with pytest.raises(AssertionError):
        taken_out(day, 98, left=0)
