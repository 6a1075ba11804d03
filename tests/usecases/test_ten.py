"""Ten positions at the end of the day, at the pace of today's limits: flat before the close, every exit in its turn."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from shared.domain.base.values import Side, Venue
from shared.domain.orders.positions import Position
from shared.usecases.base.desk import create
from tests.usecases.bench import CLOSES, CONFIG, START
from tests.usecases.graph import Graph

FLATTEN = CLOSES - timedelta(minutes=CONFIG.exits.flatten_minutes)
MARKET = CLOSES - timedelta(minutes=CONFIG.exits.market_minutes)
BEGINS = FLATTEN - timedelta(minutes=2)
SYMBOLS = tuple(f"TEN{letter}" for letter in "ABCDEFGHIJ")
SHARES, PRICE = 90, Decimal(100)


def _held(graph: Graph, symbol: str) -> None:
    """Let a position be held whose stop is still to be placed."""
    graph.exchange.set_price(symbol, "99.99", "100.01")
    graph.exchange.shares[symbol] = SHARES
    position = Position(
        position_id=f"P{symbol}", symbol=symbol, venue=Venue.SANDBOX, strategy="momentum", session=START.date(),
        quantity=SHARES, average_cost=PRICE, opened_at=BEGINS, stop_distance=Decimal(1), spread_paid=Decimal("0.02"),
        stop_wanted=PRICE - 1, stop_set_at=BEGINS,
    )  # fmt: skip
    graph.store.commit([create(f"positions/{symbol}", position)])


def _day(*, sells_fill_at_the_market: bool) -> Graph:
    """Hold ten positions from two minutes before the flatten on; with the flag nobody buys before the market orders."""
    graph = Graph(start=BEGINS)
    for symbol in SYMBOLS:
        _held(graph, symbol)
    if sells_fill_at_the_market:
        graph.exchange.sells_fill = False
        fills = partial(setattr, graph.exchange, "sells_fill", True)
        graph.kernel.spawn(fills, at=MARKET, name="script")
    graph.run((FLATTEN - BEGINS).total_seconds())
    resting = [graph.exchange.live(symbol, Side.SELL) for symbol in SYMBOLS]
    assert [[sell.quantity for sell in sells] for sells in resting] == [[SHARES]] * len(SYMBOLS)
    return graph


def _flat_after(graph: Graph) -> timedelta | None:
    """Run to the close and give when the last share was sold, counted from the flatten; None when some are left."""
    while graph.kernel.now() < CLOSES:
        graph.run(2)
        if not any(graph.exchange.shares[symbol] for symbol in SYMBOLS):
            return graph.kernel.now() - FLATTEN
    return None


@pytest.mark.parametrize(("late", "within_s"), [(False, 100), (True, 520)])
def test_ten_positions_are_flat_before_the_close(late: bool, within_s: float) -> None:
    """Ten positions are sold in a hundred seconds, and before the close when nobody buys until the market orders."""
    graph = _day(sells_fill_at_the_market=late)
    after = _flat_after(graph)
    assert after is not None
    assert after <= timedelta(seconds=within_s)
    assert graph.throttled == []
    assert graph.exchange.oversold == []
    assert graph.bus.dead == []
    assert max(graph.exchange.posts.values()) == 1


def test_exits_in_a_row_read_no_list_of_their_own_for_sight() -> None:
    """The exits of ten positions read a list each to see their stop end, and three at most to see it before."""
    graph = _day(sells_fill_at_the_market=False)
    before = len(graph.gate.names)
    assert _flat_after(graph) is not None
    asked = [name for name in graph.gate.names[before:] if name in ("place: orders", "place: cancel")]
    assert asked.count("place: cancel") == len(SYMBOLS)
    assert asked.count("place: orders") <= len(SYMBOLS) + 3
