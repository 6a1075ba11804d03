"""Prices of two days: of one share, or not surely."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.market.quotes import Quote
from shared.domain.market.same_share import is_of_another
from tests.domain.made import DEFAULT, NOON, codes, quote

LIMIT = DEFAULT.universe.jump_max_pct
PRICES = st.decimals(min_value="0.01", max_value="5000", places=2)


def another(last: str, close: str, daily: str | None, *, adjusted: bool = False) -> bool:
    """Judge a last price with these of the days before."""
    seen = replace(quote(last, previous_close=close), adjusted=adjusted)
    return is_of_another(seen, daily_close=None if daily is None else Decimal(daily), jump_max_pct=LIMIT)


@pytest.mark.parametrize(
    ("last", "denied"),
    [("139.99", False), ("140.00", False), ("140.01", True), ("71.43", False), ("71.42", True), ("101", False)],
)
def test_a_jump_is_one_beyond_the_limit_in_either_direction(last: str, denied: bool) -> None:
    """40 % of the lower price is still the same share, a cent more is not, whether it rose or fell."""
    assert another(last, "100", None) is denied
    assert another(last, last, "100") is denied


@pytest.mark.parametrize("ratio", ["1.5", "2", "3", "4", "10", "20", "0.6666", "0.5", "0.1", "0.05"])
def test_every_usual_split_is_a_jump(ratio: str) -> None:
    """Splits from 3 for 2 on and every reverse split are noticed, before and after the broker's close is changed."""
    after = str(100 / Decimal(ratio))
    assert another(after, "100", "100")
    assert another(after, after, "100")
    assert another(after, "100", after)


def test_a_reverse_split_is_no_rise() -> None:
    """Quotes at 101 on a previous close and daily bars at 10 are of another share."""
    assert another("101", "10", "10")
    assert another("101", "10", None)


@pytest.mark.parametrize("close", ["0", "-1", "NaN", "Infinity"])
def test_nothing_is_compared_with_no_price(close: str) -> None:
    """Without a previous close, or with a daily close that is no price, nothing can be of the same share."""
    assert another("100", close, None)
    assert another("100", "100", close)


@pytest.mark.parametrize(
    ("close", "daily", "denied"),
    [
        ("100", "101.00", False),
        ("100", "101.01", True),
        ("101.01", "100", True),
        ("100", None, True),
        ("100", "100", False),
    ],
)
def test_adjusted_prices_count_where_the_bars_agree(close: str, daily: str | None, denied: bool) -> None:
    """When the broker has adjusted its prices, the last daily bar has to lie within 1 % of its previous close."""
    assert another("100", close, daily, adjusted=True) is denied
    if daily is not None:
        assert not another("100", close, daily)


@given(last=PRICES, close=PRICES, daily=st.none() | PRICES, adjusted=st.booleans())
def test_what_passes_lies_within_the_limit(
    last: Decimal, close: Decimal, daily: Decimal | None, adjusted: bool
) -> None:
    """Whatever passes has all its prices within the limit of each other, and two prices have no order."""
    seen: Quote = replace(quote(str(last), previous_close=str(close)), adjusted=adjusted)
    if not is_of_another(seen, daily_close=daily, jump_max_pct=LIMIT):
        prices = [price for price in (last, close, daily) if price is not None]
        assert max(prices) <= min(prices) * (100 + LIMIT) / 100
    swapped = replace(quote(str(close), previous_close=str(last)))
    plain = replace(seen, adjusted=False)
    assert is_of_another(plain, daily_close=None, jump_max_pct=LIMIT) == is_of_another(
        swapped, daily_close=None, jump_max_pct=LIMIT
    )


def test_an_entry_on_a_jump_is_denied() -> None:
    """The risk rule denies a quote that is too far from its previous close or from the signal's daily close."""
    assert codes() == ()
    far = quote("100.00", when=NOON, previous_close="71.42")
    assert codes(quote=far) == ("PRICE_JUMP",)
    assert codes(daily_close=Decimal("140.02")) == ("PRICE_JUMP",)
    assert codes(daily_close=Decimal("99.00")) == ()
    assert codes(quote=replace(quote("100.00", when=NOON), adjusted=True)) == ("PRICE_JUMP",)
    assert codes(quote=replace(quote("100.00", when=NOON), adjusted=True), daily_close=Decimal("99.50")) == ()
