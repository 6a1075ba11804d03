"""Volume surge votes for a rising minute with far more volume than usual."""

from dataclasses import replace
from decimal import Decimal

import pytest

from shared.domain.orders.signals import Vote
from shared.strategies import volume_surge
from shared.strategies.volume_surge import Parameters
from tests.domain.made import quote
from tests.strategies.seen import RISING, indicators, view


@pytest.mark.parametrize(
    ("ratio", "expected"), [("1.4999", None), ("1.5", "0.70"), ("2.25", "0.85"), ("3", "1.00"), ("40", "1.00")]
)
def test_it_votes_from_one_and_a_half_times_the_usual_volume(ratio: str, expected: str | None) -> None:
    """Exactly the asked ratio is a vote, twice of it is sure."""
    verdict = volume_surge.vote(view(indicators=indicators(volume_ratio=Decimal(ratio))), Parameters())
    if expected is None:
        assert verdict == volume_surge.NO_SURGE.on(Decimal(ratio), "1.5 or more")
    else:
        assert isinstance(verdict, Vote)
        assert (verdict.strategy, verdict.confidence) == ("volume_surge", Decimal(expected))


def test_the_asked_ratio_is_a_parameter() -> None:
    """Who asks for twice the usual volume gets no vote at one and a half."""
    assert volume_surge.vote(view(), Parameters(ratio_min=Decimal(2))) == volume_surge.NO_SURGE.on(
        Decimal("1.5"), "2 or more"
    )


@pytest.mark.parametrize("changes", [{"volume_ratio": None}, {"last_bar": None}])
def test_it_needs_the_usual_volume(changes: dict[str, None]) -> None:
    """In the first minutes, and where nothing traded, there is nothing to compare with."""
    assert volume_surge.vote(view(indicators=indicators(**changes)), Parameters()) is volume_surge.NO_RATIO


@pytest.mark.parametrize("close", ["101", "100.99"])
def test_a_minute_that_did_not_rise_is_no_surge_to_buy(close: str) -> None:
    """Much volume in a flat or falling minute is somebody's sale."""
    bar = replace(RISING, close=Decimal(close))
    verdict = volume_surge.vote(view(indicators=indicators(last_bar=bar)), Parameters())
    assert verdict == volume_surge.NOT_RISING.on(Decimal(close), "more than 101")


@pytest.mark.parametrize(("last", "fell"), [("101.00", True), ("101.01", False)])
def test_a_price_that_fell_back_is_not_bought(last: str, fell: bool) -> None:
    """Where the price is back at the open of that minute the rise is over."""
    verdict = volume_surge.vote(view(quote=quote(last)), Parameters())
    assert isinstance(verdict, Vote) is not fell
    assert not fell or verdict == volume_surge.FELL_BACK.on(Decimal(last), "more than 101")


def test_its_reasons_say_the_figures() -> None:
    """A vote says ratio, bar and price."""
    verdict = volume_surge.vote(view(), Parameters())
    assert isinstance(verdict, Vote)
    assert verdict.reasons == (
        "the last minute had 1.50 times the mean volume of the 20 before it, 1.5 asked",
        "it rose from 101 to 101.50, and the price is 102.00",
    )
