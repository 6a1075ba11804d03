"""The measurement of a tick's CPU: it counts each second of its minutes once, and more symbols than a market has."""

from infra.brokersim.generated import SYMBOL_COUNT
from tests.benchmarks.tick import SEED, Repeated, measure, table


def test_each_tick_is_measured_once() -> None:
    """Of the minutes that are counted every second is, from the answer to the wait for the next second."""
    cost = measure(3, minutes=1, begins=20)
    assert (cost.symbols, cost.ticks) == (3, 60)
    assert min(cost.median_ms, cost.minute_ms, cost.written_ms) > 0
    assert table([cost]).row_count == 1


def test_a_list_longer_than_a_market_has_symbols_twice() -> None:
    """The symbols of a long list have names of their own, and quotes and days of those that a market has."""
    market = Repeated(SYMBOL_COUNT + 5, SEED)
    assert len(set(market.symbols)) == SYMBOL_COUNT + 5
    first, again = market.symbols[0], market.symbols[SYMBOL_COUNT]
    assert market.bars[again] == market.bars[first]
    assert market.previous_close(again) == market.previous_close(first)
