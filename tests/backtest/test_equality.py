"""The fast path decides, sizes, orders, fills and leaves as the graph does, to the cent and the millisecond."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from infra.backtest.day import Day
from infra.backtest.played import Book
from infra.backtest.tick_fills import TickFills
from infra.backtest.timing import TIMES
from infra.brokersim.market import Market
from infra.brokersim.orders import Fill, Order
from infra.simulated_day.result import DayResult
from shared.strategies.config import load
from tests.backtest.equal import (
    KNOWN,
    Whole,
    differing,
    fast,
    first_difference,
    graph,
    missing,
    of_fast,
    of_graph,
)  # fmt: skip
from tests.backtest.made import half_day

RECORDED = ("2013-10-07", "2013-10-08", "2013-10-09")
EMPTY = Whole(signals=(), orders=(), booked=(), traded=(), ledger=(), cash=Decimal(0))
GENERATED = range(1, 3)
MANY = range(3, 23)
CONFIGS = ("demo", "default")


def equal(market: str, folder: Path, *, config: str, seed: int = 1) -> DayResult:
    """Run a day on both and show the first difference, or what both lack."""
    result = graph(market, folder, config=config, seed=seed)
    by_graph, by_fast = of_graph(result), of_fast(fast(market, config=config, seed=seed))
    wrong = first_difference(by_graph, by_fast) or missing(by_fast, market, config)
    assert not wrong, f"{result.card.market}, {config}: {wrong}"
    assert not result.crashed
    return result


@pytest.mark.works(85)
@pytest.mark.days
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("name", "config"),
    [
        *((one, "demo") for one in RECORDED),
        *(pytest.param(one, "default", marks=pytest.mark.long) for one in RECORDED[:2]),
        (RECORDED[2], "default"),
    ],
)
def test_a_recorded_day_is_the_same_by_both(market_data: Path, tmp_path: Path, name: str, config: str) -> None:
    """A recorded day has the same signals, orders, fills and sums by both, and no fewer than are known of it."""
    equal(str(market_data / f"{name}.csv.gz"), tmp_path, config=config)


@pytest.mark.works(150)
@pytest.mark.days
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", GENERATED)
def test_a_generated_day_is_the_same_by_both(tmp_path: Path, seed: int) -> None:
    """So has a generated day of ten symbols, on which stops move, targets are reached and entries are denied."""
    result = equal("generated", tmp_path, config="demo", seed=seed)
    assert {order.kind.value for order in result.book.orders} >= {"entry", "protect", "exit"}


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", MANY)
def test_many_generated_days_are_the_same_by_both(tmp_path: Path, seed: int) -> None:
    """So have twenty more, under one configuration and the other in turn."""
    equal("generated", tmp_path, config=CONFIGS[seed % 2], seed=seed)


class _ACentWorse(TickFills):
    """A market that sells a cent below what the exchange says: a seeded mistake."""

    def begin(self, day: Day, market: Market, book: Book) -> None:
        """Tell of each fill a cent lower."""

        def worse(order: Order, fill: Fill) -> None:
            book(order, replace(fill, price=fill.price - Decimal("0.01")))

        super().begin(day, market, worse)


def _mistakes() -> Iterator[tuple[str, dict[str, object]]]:
    demo = load("demo")
    trail = replace(demo, exits=replace(demo.exits, trail_pct=demo.exits.trail_pct + Decimal("0.01")))
    yield "a trail that is a hundredth of a percent off", {"config": trail}
    yield "signals that arrive a second late", {"timing": replace(TIMES, signal=TIMES.signal + timedelta(seconds=1))}
    yield "exits that arrive a second late", {"timing": replace(TIMES, exit=TIMES.exit + timedelta(seconds=1))}
    yield "settlement that rests a second longer", {"timing": replace(TIMES, rest=TIMES.rest + timedelta(seconds=1))}
    yield "held shares that are read each second", {"timing": replace(TIMES, held_every=1)}
    yield "fills that are a cent worse", {"fills": _ACentWorse()}


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a half-day of one lively share, on which each of the mistakes matters."""
    return str(half_day(tmp_path_factory.mktemp("short"), "ZXAD"))


@pytest.fixture(scope="module")
def lively(short: str) -> Whole:
    """Return it by the fast path as it is."""
    return of_fast(fast(short, config="demo"))


@pytest.mark.days
def test_the_half_day_of_the_mistakes_is_the_same_by_both(short: str, tmp_path: Path) -> None:
    """Without a mistake the half-day has the same of everything by both: what differs with one is the mistake's."""
    equal(short, tmp_path, config="demo")


@pytest.mark.days
@pytest.mark.parametrize(("what", "wrong"), list(_mistakes()), ids=lambda one: one if isinstance(one, str) else "")
def test_a_mistake_shows(short: str, lively: Whole, what: str, wrong: dict[str, object]) -> None:
    """A mistake that is built into the fast path makes a day that is not the same: the comparison can fail."""
    told = {"config": "demo"} | wrong
    mistaken = of_fast(fast(short, **told))  # type: ignore[arg-type]
    assert list(differing(lively, mistaken)), what
    assert first_difference(lively, mistaken).startswith(("signals", "orders", "booked", "traded", "the day's sums"))


def test_the_first_difference_is_named() -> None:
    """What differs first is said with its kind, its number and both rows; nothing is said of two equal days."""
    at = datetime(2013, 10, 7, 14, 30, tzinfo=UTC)
    one = Whole(signals=((at, "IBM"),), orders=(), booked=(), traded=(), ledger=(1,), cash=Decimal(5))
    other = replace(one, signals=((at, "SPY"),))
    assert first_difference(one, one) == ""
    assert first_difference(one, other) == "signals, number 1:\n  graph: 14:30:00.000, IBM\n  fast:  14:30:00.000, SPY"
    assert "the day's sums" in first_difference(one, replace(one, cash=Decimal(6)))


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", [*RECORDED, "generated"])
def test_two_days_without_anything_are_not_the_same(name: str, config: str) -> None:
    """A day on which both sides have lost all that they decided is equal, and is told for what it lacks."""
    assert first_difference(EMPTY, EMPTY) == ""
    assert missing(EMPTY, f"{name}.csv.gz" if name in RECORDED else name, config).startswith("0 signals, and ")


def test_a_recorded_day_lacks_what_is_fewer_than_known() -> None:
    """One order fewer than are known of a recorded day is told, as many are not; every recorded day is known."""
    assert {name for name, _ in KNOWN} == set(RECORDED)
    assert all(min(known) > 0 for known in KNOWN.values())
    whole = replace(EMPTY, signals=((1,),) * 3, orders=((1,),) * 7, traded=((1,),) * 4)
    assert missing(whole, "days/2013-10-08.csv.gz", "demo") == ""
    fewer = replace(whole, orders=whole.orders[1:])
    assert missing(fewer, "days/2013-10-08.csv.gz", "demo") == "6 orders, and 7 at least are known of it"
