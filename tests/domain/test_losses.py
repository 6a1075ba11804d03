"""When shares were last sold at a loss: remembered by the position, for the mark of a possible wash sale."""

from datetime import timedelta
from decimal import Decimal

import pytest

from shared.domain.orders import book
from tests.domain.made import NOON, position

LATER = NOON + timedelta(minutes=1)


@pytest.mark.parametrize(("price", "lost_at"), [("99.99", NOON), ("100.00", None), ("100.01", None)])
def test_a_sale_below_cost_is_remembered(price: str, lost_at: object) -> None:
    """A cent below cost is a loss, cost itself is none, and a gain afterwards does not make it forgotten."""
    left, _ = book.sold(position(), quantity=5, price=Decimal(price), at=NOON)
    assert left.lost_at == lost_at
    flat, _ = book.sold(left, quantity=5, price=Decimal(200), at=LATER)
    assert flat.lost_at == lost_at


@pytest.mark.parametrize(("change", "lost_at"), [("-0.01", LATER), ("0.01", None)])
def test_a_price_that_comes_late_may_turn_out_a_loss(change: str, lost_at: object) -> None:
    """A sale that turns out to have brought less than the shares cost is a loss from then on."""
    even, _ = book.sold(position(), quantity=10, price=Decimal(100), at=NOON)
    assert book.corrected_by(even, Decimal(change), at=LATER).lost_at == lost_at
    dearer, _ = book.cost_corrected(even, -Decimal(change), bought=10, at=LATER)
    assert dearer.lost_at == lost_at
