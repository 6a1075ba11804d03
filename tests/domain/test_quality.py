from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.quality import faults
from shared.domain.quotes import QuoteStatus
from tests.domain.made import OPENS, quote

ANY_PRICE = st.decimals(min_value=-10, max_value=10, places=2) | st.sampled_from(
    [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")]
)


def test_good_quote_has_no_fault() -> None:
    """A fresh real-time quote of the broker has no fault, also when bid equals ask."""
    assert faults(quote(), now=OPENS, max_age_s=10) == ()
    assert faults(quote("100", bid="100", ask="100"), now=OPENS, max_age_s=10) == ()


@pytest.mark.parametrize(
    ("seconds", "expected"), [(9, ()), (10, ()), (10.001, ("STALE",)), (-2, ()), (-2.001, ("FUTURE",))]
)
def test_age_has_two_edges(seconds: float, expected: tuple[str, ...]) -> None:
    """A quote is good from two seconds ahead of the clock until it is older than its limit."""
    assert faults(quote(), now=OPENS + timedelta(seconds=seconds), max_age_s=10) == expected


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (quote("100", bid="100.02", ask="100.01"), ("CROSSED",)),
        (quote("100", bid="0", ask="100.01"), ("ZERO",)),
        (quote("100", bid="-1", ask="100.01"), ("ZERO",)),
        (quote("100", bid="1", ask="0"), ("ZERO", "CROSSED")),
        (quote("NaN", bid="1", ask="2"), ("NAN",)),
        (quote("100", bid="99", ask="Infinity"), ("NAN",)),
        (quote(size=0), ("NO_SIZE",)),
        (quote(status=QuoteStatus.DELAYED), ("DELAYED",)),
        (quote(status=QuoteStatus.CLOSING), ("NOT_REALTIME",)),
        (quote(status=QuoteStatus.UNKNOWN, source="yahoo"), ("NOT_REALTIME", "SOURCE")),
    ],
)
def test_each_fault_has_its_code(broken: object, expected: tuple[str, ...]) -> None:
    """Every kind of bad quote is named by its own code."""
    assert faults(broken, now=OPENS, max_age_s=10) == expected  # type: ignore[arg-type]


@given(bid=ANY_PRICE, ask=ANY_PRICE, last=ANY_PRICE)
def test_no_price_makes_the_check_fail(bid: Decimal, ask: Decimal, last: Decimal) -> None:
    """Whatever the prices are, the check answers, and only sound prices pass."""
    found = faults(quote(str(last), bid=str(bid), ask=str(ask)), now=OPENS, max_age_s=10)
    sound = all(p.is_finite() for p in (bid, ask, last)) and 0 < bid <= ask and last > 0
    assert (found == ()) is sound
