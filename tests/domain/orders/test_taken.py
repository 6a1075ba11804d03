"""Shares that the owner took out: each of their sells counts once, exact in money, and nothing is made up."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from shared.domain.base.values import PriceType, Side, Term
from shared.domain.broker.brokerage import BrokerOrder, BrokerStatus
from shared.domain.orders import book
from shared.domain.orders.positions import Ledger
from shared.domain.orders.taken import OwnersSell, Taken, allot, counted, owners_sells, sealed, take_out
from shared.errors import InvariantBroken
from tests.domain.made import NOON, position

DAY = date(2013, 10, 7)


def _row(order_id: int | None, filled: int | None, price: str | None, *, side: Side = Side.SELL) -> BrokerOrder:
    return BrokerOrder(
        order_id=order_id, symbol="IBM", side=side, quantity=100, filled=filled,
        average_price=None if price is None else Decimal(price), price_type=PriceType.MARKET, term=Term.GOOD_FOR_DAY,
        limit_price=None, stop_price=None, status=BrokerStatus.OPEN, placed_at=NOON,
    )  # fmt: skip


def _sell(order_id: int, quantity: int, proceeds: str) -> OwnersSell:
    return OwnersSell(broker_order_id=order_id, quantity=quantity, proceeds=Decimal(proceeds))


def _taken(quantity: int, *sells: OwnersSell) -> Taken:
    before = position(quantity=100, average_cost=Decimal(10))
    return take_out(before, quantity=quantity, sells=sells, since=NOON, at=NOON, session=DAY)[1]


def test_an_owner_s_sell_counts_only_what_was_not_counted_before() -> None:
    """Of a sell that has filled more since an earlier taking only the new shares count, at what they brought."""
    earlier = _taken(40, _sell(7, 40, "400"))
    found = owners_sells([_row(7, 100, "10.60")], "IBM", since=DAY, ours=(), earlier=[earlier])
    assert found == (_sell(7, 60, "660.000000"),)
    assert owners_sells([_row(7, 40, "10")], "IBM", since=DAY, ours=(), earlier=[earlier]) == ()


@pytest.mark.parametrize(
    "row",
    [
        _row(None, 5, "10"), _row(7, None, "10"), _row(7, 0, "10"), _row(7, 5, None), _row(7, 5, "10", side=Side.BUY),
        replace(_row(7, 5, "10"), symbol="MSFT"), replace(_row(7, 5, "10"), side=None), _row(9, 5, "10"),
    ],
)  # fmt: skip
def test_what_does_not_tell_is_no_sell(row: BrokerOrder) -> None:
    """A row without number, shares or price, a purchase, another symbol and an order of ours are no owner's sells."""
    assert owners_sells([row], "IBM", since=DAY, ours=(9,), earlier=()) == ()


def test_a_sell_from_before_the_position_was_of_other_shares() -> None:
    """What the owner sold on a day before the shares were bought explains none of them."""
    assert owners_sells([_row(7, 100, "10.60")], "IBM", since=DAY, ours=(), earlier=()) != ()
    assert owners_sells([_row(7, 100, "10.60")], "IBM", since=DAY + timedelta(days=1), ours=(), earlier=()) == ()


def test_the_oldest_sells_are_taken_first_and_only_so_far() -> None:
    """Shares are allotted to the sells in their order, and a sell that is larger gives a part of its proceeds."""
    parts = allot(50, (_sell(1, 30, "300"), _sell(2, 60, "660")))
    assert parts == (_sell(1, 30, "300.000000"), _sell(2, 20, "220.000000"))
    assert allot(10, ()) == ()


def test_priced_shares_bring_their_profit_and_the_rest_none() -> None:
    """Of shares that sells explain in part those have their profit, and the others leave at their cost."""
    before = position(quantity=100, average_cost=Decimal(10))
    after, taken = take_out(before, quantity=100, sells=(_sell(1, 40, "440"),), since=NOON, at=NOON, session=DAY)
    assert (taken.realized, taken.price, taken.unpriced) == (Decimal(40), Decimal(11), 60)
    assert (after.is_open, after.quantity, after.realized, after.unpriced, after.taken_out) == (
        False, 0, before.realized + 40, 60, 100,
    )  # fmt: skip
    ledger = counted(Ledger(session=DAY, losses_in_a_row=3), taken)
    assert (ledger.realized, ledger.unpriced, ledger.losses_in_a_row) == (Decimal(40), 60, 3)


def test_a_price_that_comes_late_makes_no_profit_of_shares_without_one() -> None:
    """When the purchase turns out dearer, shares that left at an unknown price take their part of it with them."""
    before = position(quantity=100, average_cost=Decimal(10))
    half, _ = take_out(before, quantity=50, sells=(), since=NOON, at=NOON, session=DAY)
    after, profit = book.cost_corrected(half, Decimal(100), bought=100, at=NOON)
    assert (profit, after.average_cost, after.realized) == (Decimal(0), Decimal(11), before.realized)


def test_each_taking_of_a_position_has_its_own_name_and_a_chain_that_holds_it() -> None:
    """Two takings of one position have different names, and the event's hash changes with what was taken."""
    before = position(quantity=100, average_cost=Decimal(10))
    after, first = take_out(before, quantity=40, sells=(), since=NOON, at=NOON, session=DAY)
    _, second = take_out(after, quantity=40, sells=(), since=NOON, at=NOON + timedelta(hours=1), session=DAY)
    assert first.taken_id != second.taken_id
    kept, event = sealed(first, actor="order_settlement")
    assert (kept.audit_head, event.seq, event.chain) == (event.hash, 0, first.taken_id)
    assert sealed(replace(first, quantity=41), actor="order_settlement")[1].hash != event.hash


def test_more_than_there_is_cannot_be_taken() -> None:
    """A taking of more shares than the position has is our own mistake."""
    with pytest.raises(InvariantBroken):
        take_out(position(quantity=5), quantity=6, sells=(), since=NOON, at=NOON, session=DAY)
