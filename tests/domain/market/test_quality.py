from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.market.quality import FAULTS, Grade, faults, graded
from shared.domain.market.quotes import Quote, QuoteStatus
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


BAD = [
    quote("100", bid="100.02", ask="100.01"), quote("100", bid="0", ask="100.01"), quote("NaN", bid="1", ask="2"),
    quote(size=0), quote(status=QuoteStatus.DELAYED), quote(status=QuoteStatus.CLOSING), quote(source="yahoo"),
    quote(when=OPENS - timedelta(seconds=11)), quote(when=OPENS + timedelta(seconds=3)),
]  # fmt: skip


def grade(seen: Quote) -> Grade:
    return graded(seen, now=OPENS, max_age_s=10, spread_max_bps=Decimal(40))


def test_a_fresh_quote_without_a_spread_is_worth_one() -> None:
    """A real-time quote of this second whose bid equals its ask has the full grade, and nothing to say."""
    assert grade(quote("100", bid="100", ask="100")) == Grade(value=Decimal("1.00"), reasons=())


def test_age_and_spread_take_off_what_they_use_up() -> None:
    """Half the age and a quarter of the spread that are allowed take off 0.125 and 0.0625, and are named."""
    found = grade(quote("100", bid="99.95", ask="100.05", when=OPENS - timedelta(seconds=5)))
    assert found.value == Decimal("0.81")
    assert found.reasons == ("5 s old, 10 s is the limit", "a spread of 0.100 %, 0.4 % is the limit")


@pytest.mark.parametrize("bad", BAD)
def test_a_fault_is_worth_less_than_any_quote_without_one(bad: Quote) -> None:
    """Whatever its fault, a quote is graded below 0.5, and its fault is named first."""
    found = grade(bad)
    (code, *_) = faults(bad, now=OPENS, max_age_s=10)
    assert found.value < Decimal("0.5")
    assert found.reasons[0] == FAULTS[code]


@given(bid=ANY_PRICE, ask=ANY_PRICE, last=ANY_PRICE, age=st.integers(-5, 60), size=st.integers(0, 3))
def test_a_grade_is_never_at_odds_with_the_faults(
    bid: Decimal, ask: Decimal, last: Decimal, age: int, size: int
) -> None:
    """Whatever a quote holds it has a grade from 0 to 1, which is 0.5 or more exactly when it has no fault."""
    seen = quote(str(last), bid=str(bid), ask=str(ask), size=size, when=OPENS - timedelta(seconds=age))
    value = grade(seen).value
    assert 0 <= value <= 1
    assert (value >= Decimal("0.5")) is (faults(seen, now=OPENS, max_age_s=10) == ())
