from dataclasses import replace
from decimal import Decimal

import pytest

from shared.domain.orders.signals import Vote
from shared.strategies import momentum, opening_range
from shared.strategies.verdict import confidence
from tests.domain.made import at, quote
from tests.strategies.seen import RISING, indicators, view


@pytest.mark.parametrize(
    ("last", "expected"),
    [("101.99", None), ("102.00", "0.70"), ("103.00", "0.85"), ("104.00", "1.00"), ("120.00", "1.00")],
)
def test_momentum_votes_from_two_percent(last: str, expected: str | None) -> None:
    """Momentum votes from exactly the asked rise on, and is sure at twice the rise."""
    verdict = momentum.vote(view(quote=quote(last, previous_close="100.00")), momentum.Parameters())
    if expected is None:
        assert verdict == momentum.SMALL_RISE.on(Decimal(last) - 100, "2 % or more")
    else:
        assert isinstance(verdict, Vote)
        assert (verdict.strategy, verdict.confidence) == ("momentum", Decimal(expected))


@pytest.mark.parametrize(("volume", "voted"), [(999_999, False), (1_000_000, True), (1_000_001, True)])
def test_momentum_asks_for_volume(volume: int, voted: bool) -> None:
    """A rise on fewer shares than asked is no momentum."""
    verdict = momentum.vote(view(quote=quote("110", previous_close="100", volume=volume)), momentum.Parameters())
    assert isinstance(verdict, Vote) is voted
    assert voted or verdict == momentum.FEW_SHARES.on(volume, "1000000 or more")


@pytest.mark.parametrize("close", ["0", "-1", "NaN"])
def test_momentum_needs_a_previous_close(close: str) -> None:
    """Without a previous close nothing has risen."""
    assert momentum.vote(view(quote=quote("110", previous_close=close)), momentum.Parameters()) is momentum.NO_CLOSE


@pytest.mark.parametrize(("last", "voted"), [("101.10", False), ("101.11", True), ("101.12", True)])
def test_breakout_is_ten_basis_points_above_the_high(last: str, voted: bool) -> None:
    """A price one tick short of the margin above the range's high is inside."""
    high = (Decimal(99), Decimal("101.0080"))
    verdict = opening_range.vote(view(quote=quote(last), opening_range=high), opening_range.Parameters())
    assert isinstance(verdict, Vote) is voted
    assert voted or verdict == opening_range.INSIDE.on(Decimal(last), "101.109 or more")


def test_breakout_needs_the_range() -> None:
    """Without a complete opening range there is no breakout, and whether it may still come is told apart."""
    for minute, reason in ((14.99, opening_range.NOT_OVER), (15, opening_range.NO_RANGE), (30, opening_range.NO_RANGE)):
        assert opening_range.vote(view(opening_range=None, at=at(minute)), opening_range.Parameters()) is reason


@pytest.mark.parametrize(
    "bar",
    [
        None,
        replace(RISING, volume=0),
        replace(RISING, close=RISING.open),
        replace(RISING, close=Decimal(100)),
    ],
)
def test_breakout_needs_a_bar_that_rose_on_volume(bar: object) -> None:
    """A last bar that is missing, empty, flat or falling does not confirm a breakout."""
    seen = view(indicators=indicators(last_bar=bar))
    assert opening_range.vote(seen, opening_range.Parameters()) is opening_range.NO_RISING_BAR


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [(None, "0.70"), ("0.2", "0.70"), ("1", "0.70"), ("1.5", "0.85"), ("2", "1"), ("9", "1")],
)
def test_breakout_is_surer_on_more_volume(ratio: str | None, expected: str) -> None:
    """A breakout is sure at twice the usual volume, and at its base when the usual is not known."""
    seen = view(indicators=indicators(volume_ratio=None if ratio is None else Decimal(ratio)))
    verdict = opening_range.vote(seen, opening_range.Parameters())
    assert isinstance(verdict, Vote)
    assert verdict.confidence == Decimal(expected)


def test_reasons_say_the_figures() -> None:
    """A vote gives its reasons with the figures that it rests on."""
    verdict = momentum.vote(view(), momentum.Parameters())
    assert isinstance(verdict, Vote)
    assert verdict.reasons[0] == "up 3.03 % on the previous close, 2 % asked"


def test_confidence_has_two_ends() -> None:
    """However weak or strong, a vote's confidence stays between 0.70 and 1.00."""
    assert confidence(Decimal(-3)) == Decimal("0.70")
    assert confidence(Decimal(7)) == Decimal("1.00")
