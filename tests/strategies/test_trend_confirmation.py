"""Trend confirmation counts the signs of a trend, and votes from six points on."""

from decimal import Decimal
from typing import Any

import pytest

from shared.domain.orders.signals import Vote
from shared.errors import ConfigError
from shared.strategies import trend_confirmation
from shared.strategies.form import bind
from shared.strategies.trend_confirmation import FEW_POINTS, Parameters
from shared.strategies.view import View
from tests.domain.made import quote
from tests.strategies.seen import indicators, view

ALL: dict[str, Any] = {
    "sma_20": Decimal(95), "sma_50": Decimal(94), "sma_200": Decimal(93), "rsi": 60.0,
    "macd_histogram": Decimal("0.01"), "volume_ratio": Decimal("1.5"), "atr": Decimal("0.40"),
}  # fmt: skip


def _seen(**changes: Any) -> View:
    return view(indicators=indicators(**{**ALL, **changes}))


def _points(seen: View) -> Decimal:
    """Count with a strategy that asks for every point there is, which so says how many it found."""
    verdict = trend_confirmation.vote(seen, Parameters(points_min=Decimal("8.5")))
    if isinstance(verdict, Vote):
        return Decimal("8.5")
    return Decimal(str(verdict.found).partition(" ")[0])


def test_all_signs_together_are_sure() -> None:
    """Where everything holds there are 8.5 points and a confidence of 1.00."""
    verdict = trend_confirmation.vote(_seen(), Parameters())
    assert isinstance(verdict, Vote)
    assert (verdict.strategy, verdict.confidence) == ("trend_confirmation", Decimal("1.00"))
    (reason,) = verdict.reasons
    assert reason == (
        "8.5 of 8.5 points, 6 asked: SMA 20 > 50 > 200, price above SMA 20, RSI 60.0, MACD above its signal, "
        "volume 1.5 times the usual, ATR 0.4 USD"
    )


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"sma_50": Decimal(95)}, "2"),
        ({"sma_200": Decimal(94)}, "2"),
        ({"sma_200": None}, "2"),
        ({"sma_50": None}, "2"),
        ({"sma_20": None}, "4"),
        ({"rsi": 55.0}, "1.5"),
        ({"rsi": None}, "1.5"),
        ({"macd_histogram": Decimal(0)}, "1.5"),
        ({"macd_histogram": None}, "1.5"),
        ({"volume_ratio": Decimal("0.99")}, "1"),
        ({"volume_ratio": None}, "1"),
        ({"atr": Decimal("0.1019")}, "0.5"),
        ({"atr": None}, "0.5"),
    ],
)
def test_each_sign_has_its_points(changes: dict[str, Any], lost: str) -> None:
    """A sign that does not hold, or is not known, takes its own points and no others."""
    assert _points(_seen(**changes)) == Decimal("8.5") - Decimal(lost)


def test_a_price_at_its_average_has_no_position() -> None:
    """The price has to stand above SMA 20; at it there are no points for that."""
    at_it = view(quote=quote("95.00"), indicators=indicators(**ALL))
    assert _points(at_it) == Decimal("6.5")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"volume_ratio": None, "rsi": None}, "0.70"),
        ({"volume_ratio": None}, "0.88"),
        ({"volume_ratio": None, "rsi": None, "atr": None}, None),
    ],
)
def test_it_votes_from_six_points_on(changes: dict[str, Any], expected: str | None) -> None:
    """Exactly six points are a vote at the base; half a point less is a reason with what was found."""
    verdict = trend_confirmation.vote(_seen(**changes), Parameters())
    if expected is None:
        found = "5.5 (SMA 20 > 50 > 200, price above SMA 20, MACD above its signal)"
        assert verdict == FEW_POINTS.on(found, "6 or more of 8.5")
    else:
        assert isinstance(verdict, Vote)
        assert verdict.confidence == Decimal(expected)


def test_without_any_sign_there_are_no_points() -> None:
    """Where nothing is known nothing is confirmed."""
    nothing = view(indicators=indicators(**dict.fromkeys(ALL)))
    assert trend_confirmation.vote(nothing, Parameters()) == FEW_POINTS.on(Decimal(0), "6 or more of 8.5")


def test_points_that_cannot_be_reached_are_refused() -> None:
    """Asking for more points than all signs have together is a mistake that is named."""
    with pytest.raises(ConfigError, match=r"strategies\.trend_confirmation: points_min is 9, and all signs"):
        bind("trend_confirmation", trend_confirmation, {"points_min": 9})
    bind("trend_confirmation", trend_confirmation, {"points_min": Decimal("8.5")})
