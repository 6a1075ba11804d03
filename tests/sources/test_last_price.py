"""Yahoo's last price: what it printed, when it was traded, and no price where it says none."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.errors import SourceDown, SourceRefused, Unreadable
from shared.ports import LastPrices
from shared.sources.yahoo import Yahoo
from tests.sources.market import NOW
from tests.sources.standing import SHORT_S
from tests.sources.world import World, opened
from tests.sources.yahoo_standing import YahooStanding

SYMBOL = "BRK.B"
Answer = tuple[Decimal, datetime] | None


def source(world: World, *, within_s: float | None = None) -> Yahoo:
    """Give Yahoo on its stand-in."""
    made = world.fresh(within_s=within_s)
    assert isinstance(made, Yahoo)
    return made


def failure(asked: LastPrices) -> Exception | None:
    """Ask, and give what was raised."""
    try:
        asked.last(SYMBOL)
    except Exception as problem:  # noqa: BLE001 - what it is, the test judges
        return problem
    return None


def standing(world: World) -> YahooStanding:
    """Give the stand-in."""
    assert isinstance(world.standing, YahooStanding)
    return world.standing


def as_printed(world: World, asked: LastPrices) -> None:
    """Check the price and the instant."""
    assert asked.last(SYMBOL) == (world.market.bars[-1].close, NOW - timedelta(seconds=7))


@dataclass(frozen=True)
class Wrong:
    """A source whose answers are made wrong."""

    source: LastPrices
    wrong: Callable[[Decimal, datetime], Answer]

    @property
    def name(self) -> str:
        return self.source.name

    def last(self, symbol: str) -> Answer:
        """Ask rightly, answer wrongly."""
        found = self.source.last(symbol)
        return found if found is None else self.wrong(*found)


MISTAKES: dict[str, Callable[[Decimal, datetime], Answer]] = {
    "a 32-bit float's digits": lambda usd, at: (usd + Decimal("0.00000122"), at),
    "the instant of asking": lambda usd, _: (usd, NOW),
    "no price": lambda _usd, _at: None,
}


def test_a_last_price_is_as_it_was_printed(certificate: Path) -> None:
    """It is the decimal that was printed, with the instant at which it was traded, and one question."""
    with opened("yahoo", certificate) as world:
        as_printed(world, source(world))
        assert world.charts() == 1


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_last_price_is_found(mistake: str, certificate: Path) -> None:
    """Seeded mistake: another price or another instant does not pass."""
    with opened("yahoo", certificate) as world, pytest.raises(AssertionError):
        as_printed(world, Wrong(source(world), MISTAKES[mistake]))


def test_an_unknown_symbol_has_no_price(certificate: Path) -> None:
    """A symbol that Yahoo does not know, and one of which it has nothing, have none."""
    with opened("yahoo", certificate) as world:
        asked = source(world)
        assert asked.last("NOPE") is None
        world.standing.fault = "nothing"
        assert asked.last(SYMBOL) is None


BROKEN: dict[str, dict[str, Any]] = {
    "regularMarketPrice": {"regularMarketPrice": "480.1"},
    "regularMarketPrice is no positive": {"regularMarketPrice": 0},
    "regularMarketTime": {"regularMarketTime": "now"},
    "regularMarketTime is in the future": {"regularMarketTime": int(NOW.timestamp()) + 3600},
    "currency is not USD": {"currency": "GBp"},
    "exchangeTimezoneName": {"exchangeTimezoneName": "Europe/London"},
}


@pytest.mark.parametrize("named", BROKEN)
def test_a_changed_answer_is_unreadable(named: str, certificate: Path) -> None:
    """A field of another kind, a price of nothing, an instant to come and another currency are named, and no price."""
    with opened("yahoo", certificate) as world:
        standing(world).meta = BROKEN[named]
        problem = failure(source(world))
    assert isinstance(problem, Unreadable)
    assert named in problem.detail


def test_a_missing_price_is_unreadable(certificate: Path) -> None:
    """Where the field is gone it is named."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "no price"
        problem = failure(source(world))
    assert isinstance(problem, Unreadable)
    assert "regularMarketPrice is missing" in problem.detail


def test_its_failures_are_those_of_every_question(certificate: Path) -> None:
    """A 429 is a refusal with its time, a failure and a slow answer are the source's, and none is asked again."""
    with opened("yahoo", certificate) as world:
        world.standing.fault = "500"
        assert isinstance(failure(source(world)), SourceDown)
        world.standing.fault = "slow"
        assert isinstance(failure(source(world, within_s=SHORT_S)), SourceDown)
        world.standing.fault, world.standing.headers = "429", {"Retry-After": "90"}
        asked = source(world)
        refused = failure(asked)
        assert isinstance(refused, SourceRefused)
        assert refused.wait_s == 90
        before = world.charts()
        world.standing.fault = ""
        assert isinstance(failure(asked), SourceRefused)
        assert world.charts() == before


def test_a_stranger_is_not_believed(certificate: Path) -> None:
    """A server with another certificate is not talked to."""
    with opened("yahoo", certificate) as world:
        assert isinstance(failure(source(replace(world, certificate=""))), SourceDown)
        assert world.standing.asked == []
