"""What the last check found is said in sentences with its figures, whatever order it was shown."""

import inspect
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.orders.orders import Order
from shared.domain.risk import last_check
from shared.domain.risk.last_check import Found, Known, judge
from shared.domain.risk.last_check_words import WORDS, worded
from tests.domain.made import NOON, position, quote
from tests.domain.risk.test_last_check import OWNER, entry, exit_, stop

_CODE = re.compile(r'"([A-Z][A-Z0-9_]+)"')


def _said(order: Order, **known: Any) -> str:
    seen = Known(**{"now": NOON, "quote": quote(when=NOON), **known})
    return worded(judge(order, seen, OWNER), order, OWNER, seen).note


def test_every_code_of_the_last_check_has_its_words() -> None:
    """A code that is added to the last check without words is found, and no words are left of one that is gone."""
    assert set(WORDS) == set(_CODE.findall(inspect.getsource(last_check))) - {"STALE"}, "a fault of a quote, no code"


@pytest.mark.parametrize("code", sorted(WORDS))
def test_no_figure_of_a_forged_order_keeps_the_check_from_speaking(code: str) -> None:
    """Prices that are no numbers, shares that are none and a market that nobody knows make a sentence all the same."""
    wild = replace(quote(when=NOON), bid=Decimal("NaN"), ask=Decimal("Infinity"), last=Decimal("-Infinity"))
    for order in (entry(), exit_(), stop(), entry(limit_price=None), entry(limit_price=Decimal("sNaN"), quantity=-1)):
        for known in (None, Known(now=NOON), Known(now=NOON, quote=wild, position=position())):
            sentence = worded(Found(refused=(code,)), order, OWNER, known).note
            assert sentence.endswith(".")
            assert not {"None", code} & set(sentence.replace(".", " ").split())


def test_the_figures_are_those_that_were_compared() -> None:
    """The sentence has what was found beside what was asked: money, shares, the quote's age, the limit's distance."""
    most = OWNER.config.limits.order_usd_max
    beyond = entry(quantity=300, limit_price=Decimal(205), reserved=Decimal(61_500))
    assert _said(beyond) == f"The order costs 61,500.00 USD, at most {most:,.2f} USD are allowed."
    assert _said(entry(side=Side.SELL)) == "An entry buys, and this order says SELL."
    assert "came 9.0 s ago" in _said(entry(), quote=quote(when=NOON - timedelta(seconds=9)))
    assert "further than" in _said(entry(), quote=quote("90.00", when=NOON))
    free = position(quantity=7)
    assert _said(exit_(quantity=9, position_id=free.position_id), position=free) == (
        "It sells 9 shares, those held that no other order may sell are 7."
    )
    assert "Price type" in _said(entry(price_type=PriceType.STOP))


def test_words_are_no_part_of_what_was_found() -> None:
    """Two findings of the same codes are the same, whatever is said of them."""
    assert Found(void=("OUTDATED",), note="one") == Found(void=("OUTDATED",), note="other")
