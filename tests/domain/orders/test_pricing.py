from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.orders import pricing
from tests.domain.made import DEFAULT

PRICE = st.decimals(min_value=5, max_value=1000, places=2)


@pytest.mark.parametrize(
    ("ask", "decided", "expected"),
    [
        ("100.00", "100.00", "100.10"),
        ("100.10", "100.00", "100.20"),
        ("100.20", "100.00", "100.20"),
        ("105.00", "100.00", "100.20"),
        ("13.87", "13.86", "13.88"),
    ],
)
def test_entry_limit_follows_the_ask_but_chases_only_so_far(ask: str, decided: str, expected: str) -> None:
    """The limit is ten basis points above the ask, at most twenty above the decision, rounded down."""
    limit = pricing.entry_limit(ask=Decimal(ask), decision_price=Decimal(decided), config=DEFAULT)
    assert limit == Decimal(expected)


@given(average=PRICE, distance=st.decimals(min_value="0.01", max_value="5", places=4), spread=PRICE)
def test_levels_keep_their_order(average: Decimal, distance: Decimal, spread: Decimal) -> None:
    """Stop, entry, breakeven and target lie on the tick, in that order, and never nearer than they should."""
    stop = pricing.initial_stop(average_cost=average, stop_distance=distance)
    target = pricing.target(average_cost=average, stop_distance=distance, config=DEFAULT)
    arms = pricing.arms_breakeven(average_cost=average, stop_distance=distance, config=DEFAULT)
    even = pricing.breakeven_level(average_cost=average, spread_paid=spread / 1000)
    assert average - distance - Decimal("0.01") < stop <= average - distance
    assert average + 2 * distance <= target < average + 2 * distance + Decimal("0.01")
    assert stop < average < arms <= target
    assert average <= even
    assert all(price == price.quantize(Decimal("0.01")) for price in (target, arms, even))


def test_sells_are_priced_at_or_just_under_the_bid() -> None:
    """A flatten asks the bid, any other sell ten basis points less; a trail lies 0.6 % under the top."""
    assert pricing.flatten_limit(bid=Decimal("100.05")) == Decimal("100.05")
    assert pricing.sell_limit(bid=Decimal("100.05"), config=DEFAULT) == Decimal("99.94")
    assert pricing.trail_level(high_water=Decimal("102.00"), config=DEFAULT) == Decimal("101.38")
