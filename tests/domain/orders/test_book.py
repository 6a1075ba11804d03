from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.orders.book import (
    booked,
    bought,
    corrected,
    cost_corrected,
    invested,
    late_price,
    newly_filled,
    open_profit,
    opened,
    released,
    repriced,
    reserved,
    sold,
)
from shared.domain.orders.positions import Fill, Ledger, PendingExit, Position, standing
from shared.errors import InvariantBroken
from tests.domain.made import DEFAULT, NOON, OPENS, order, position

PRICES = st.decimals(min_value=1, max_value=1000, places=4)
FILLS = st.lists(st.tuples(st.integers(1, 500), PRICES), min_size=1, max_size=6)
EMPTY = Ledger(session=OPENS.date())


def test_first_fill_opens_a_position_with_its_stop() -> None:
    """The first fill makes the position, its stop level a stop distance below, rounded down to the cent."""
    made = opened(order(stop_distance=Decimal("0.8353")), quantity=4, price=Decimal("100.05"), at=NOON)
    assert (made.quantity, made.average_cost) == (4, Decimal("100.05"))
    assert made.stop_wanted == Decimal("99.21")
    assert (made.position_id, made.opened_at, made.stop_set_at, made.is_open) == ("P1", NOON, NOON, True)


def test_dearer_fill_lifts_the_stop_and_cheaper_one_leaves_it() -> None:
    """Further fills move the average; the stop level follows it up, never down."""
    later = NOON + timedelta(seconds=3)
    dearer = bought(position(), quantity=10, price=Decimal(101), at=later)
    assert (dearer.average_cost, dearer.stop_wanted, dearer.stop_set_at) == (
        Decimal("100.50"),
        Decimal("99.50"),
        later,
    )
    cheaper = bought(position(), quantity=10, price=Decimal(99), at=later)
    assert (cheaper.average_cost, cheaper.stop_wanted) == (Decimal("99.50"), Decimal("99.00"))
    assert cheaper.stop_set_at == position().stop_set_at


def test_flat_closes() -> None:
    """Selling the last share closes the position and ends its pending exit."""
    pending = PendingExit(exit_id="X", first_at=NOON)
    part, first = sold(position(pending_exit=pending), quantity=4, price=Decimal("101.00"), at=NOON)
    assert (part.quantity, part.is_open, part.closed_at, first) == (6, True, None, Decimal("4.00"))
    assert part.pending_exit == pending
    flat, second = sold(part, quantity=6, price=Decimal("99.50"), at=NOON)
    assert (flat.quantity, flat.is_open, flat.closed_at, second) == (0, False, NOON, Decimal("-3.00"))
    assert (flat.realized, flat.pending_exit) == (Decimal("1.00"), None)


def test_late_purchase_opens_a_closed_position_again() -> None:
    """A fill of the entry that is learned of after the close opens the position again at its own cost."""
    flat, _ = sold(position(), quantity=10, price=Decimal(101), at=NOON)
    again = bought(flat, quantity=2, price=Decimal(50), at=NOON)
    assert (again.is_open, again.closed_at, again.average_cost, again.quantity) == (
        True,
        None,
        Decimal(50),
        2,
    )


@pytest.mark.parametrize(("quantity", "price"), [(11, "100"), (0, "100"), (-1, "100"), (1, "0"), (1, "NaN")])
def test_impossible_fills_are_our_own_bug(quantity: int, price: str) -> None:
    """Selling more than is held, or a fill without shares or price, raises."""
    with pytest.raises((InvariantBroken, ArithmeticError)):
        sold(position(), quantity=quantity, price=Decimal(price), at=NOON)


@given(buys=FILLS, cuts=st.lists(st.tuples(st.integers(1, 400), PRICES), max_size=6), last=PRICES)
def test_profit_is_what_came_in_less_what_went_out(
    buys: list[tuple[int, Decimal]], cuts: list[tuple[int, Decimal]], last: Decimal
) -> None:
    """Over a position's life the realised profit is exactly proceeds less cost, and so is its open profit."""
    held = opened(order(), quantity=buys[0][0], price=buys[0][1], at=NOON)
    for quantity, price in buys[1:]:
        level = held.stop_wanted
        held = bought(held, quantity=quantity, price=price, at=NOON)
        assert held.stop_wanted >= level
    paid = sum((quantity * price for quantity, price in buys), Decimal(0))
    assert invested(held) == paid
    got, profits = Decimal(0), Decimal(0)
    for wanted, price in cuts:
        quantity = min(wanted, held.quantity - 1)
        if quantity > 0:
            held, profit = sold(held, quantity=quantity, price=price, at=NOON)
            got, profits = got + quantity * price, profits + profit
            assert got - paid == held.realized - invested(held)
    got += held.quantity * last
    assert held.realized + open_profit(held, last) == got - paid
    flat, profit = sold(held, quantity=held.quantity, price=last, at=NOON)
    assert not flat.is_open
    assert flat.realized == profits + profit == got - paid


@given(fills=FILLS)
def test_broker_totals_become_fills_again(fills: list[tuple[int, Decimal]]) -> None:
    """Fills taken from the broker's running totals cost together what the totals say."""
    known, cost, total = order(quantity=100_000), Decimal(0), 0
    paid = Decimal(0)
    for quantity, price in fills:
        cost, total = cost + quantity * price, total + quantity
        news = newly_filled(known, filled=total, average_price=cost / total)
        assert news is not None
        assert news[0] == quantity
        paid += news[0] * news[1]
        known = replace(known, filled=total, average_price=cost / total)
    assert abs(paid - cost) < Decimal("0.0001")


def test_totals_that_say_nothing_new_are_no_fill() -> None:
    """The same total again is no fill, a falling one is refused."""
    known = order(filled=3, average_price=Decimal(100))
    assert newly_filled(known, filled=3, average_price=Decimal(100)) is None
    with pytest.raises(InvariantBroken):
        newly_filled(known, filled=2, average_price=Decimal(100))


def test_reservations_are_held_and_let_go() -> None:
    """An entry is counted once with its cash; no more cash is let go than is held."""
    held = reserved(EMPTY, Decimal("1001.00"))
    assert (held.reserved, held.entries) == (Decimal("1001.00"), 1)
    after = released(held, Decimal("1001.00"))
    assert (after.reserved, after.entries) == (Decimal(0), 1)
    with pytest.raises(InvariantBroken):
        released(held, Decimal("1001.01"))


def closed(profit: str) -> Position:
    return position(is_open=False, quantity=0, realized=Decimal(profit), closed_at=NOON)


def test_fifth_loss_in_a_row_starts_the_cool_down() -> None:
    """Four losses only count, the fifth starts an hour without entries, and so does a sixth."""
    ledger = EMPTY
    for count in range(1, 5):
        ledger = booked(ledger, closed("-1"), profit=Decimal(-1), at=NOON, config=DEFAULT)
        assert (ledger.losses_in_a_row, ledger.cooldown_until) == (count, None)
    ledger = booked(ledger, closed("-1"), profit=Decimal(-1), at=NOON, config=DEFAULT)
    assert ledger.cooldown_until == NOON + timedelta(minutes=60)
    assert (ledger.realized, ledger.last_fill_at) == (Decimal(-5), NOON)
    later = NOON + timedelta(hours=2)
    ledger = booked(ledger, closed("-1"), profit=Decimal(-1), at=later, config=DEFAULT)
    assert ledger.cooldown_until == later + timedelta(minutes=60)


@pytest.mark.parametrize("profit", ["0", "0.01"])
def test_close_without_loss_ends_the_row(profit: str) -> None:
    """A position that closes without a loss ends the row of losses."""
    ledger = replace(EMPTY, losses_in_a_row=4)
    assert booked(ledger, closed(profit), profit=Decimal(0), at=NOON, config=DEFAULT).losses_in_a_row == 0


def test_part_sale_and_purchase_do_not_touch_the_row() -> None:
    """Only a position that closes counts as won or lost."""
    ledger = replace(EMPTY, losses_in_a_row=2)
    after = booked(ledger, position(), profit=Decimal(-7), at=NOON, config=DEFAULT)
    assert (after.losses_in_a_row, after.realized) == (2, Decimal(-7))


def guess(quantity: int, price: str, cumulative: int, *, provisional: bool = True) -> Fill:
    """Give a fill whose price is a guess."""
    return Fill(
        intent_id="I1", broker_order_id=501, position_id="P1", symbol="IBM", side="BUY", quantity=quantity,
        price=Decimal(price), cumulative=cumulative, realized=Decimal(0), reason="entry", at=NOON,
        provisional=provisional,
    )  # fmt: skip


def test_a_late_price_is_that_of_the_shares_that_have_none() -> None:
    """Out of the average of all shares comes the price of those that were guessed, and none that cannot be."""
    fills = [guess(10, "100.00", 10, provisional=False), guess(30, "100.10", 40)]
    assert late_price(fills, filled=40, average_price=Decimal("100.03")) == Decimal("100.04")
    assert late_price(fills, filled=40, average_price=Decimal("20.00")) is None
    assert late_price(fills[:1], filled=10, average_price=Decimal("100.00")) is None


def test_a_guess_is_taken_back_and_booked_again() -> None:
    """The two fills that follow a guess leave the fill at its price alone, and sum to it."""
    first = guess(30, "100.10", 30)
    back, true, change = repriced(first, Decimal("100.04"), at=NOON)
    assert standing([first, back, true]) == [true]
    assert standing([first]) == [first]
    assert (back.quantity, true.price, true.provisional, change) == (-30, Decimal("100.04"), False, Decimal("-1.80"))


def test_a_corrected_cost_is_split_between_what_is_held_and_what_was_sold() -> None:
    """Shares that were sold take their part of the change as profit, the others as cost; the stop only moves up."""
    half, _ = sold(position(), quantity=5, price=Decimal(101), at=NOON)
    dearer, profit = cost_corrected(half, Decimal("4.00"), bought=10, at=NOON)
    assert (dearer.average_cost, profit, dearer.stop_wanted) == (Decimal("100.40"), Decimal("-2.00"), Decimal("99.40"))
    cheaper, profit = cost_corrected(half, Decimal("-4.00"), bought=10, at=NOON)
    assert (cheaper.average_cost, profit, cheaper.stop_wanted) == (Decimal("99.60"), Decimal("2.00"), half.stop_wanted)
    flat, _ = sold(half, quantity=5, price=Decimal(101), at=NOON)
    assert cost_corrected(flat, Decimal("4.00"), bought=10, at=NOON)[1] == Decimal("-4.00")


def test_a_win_that_turns_out_a_loss_counts_as_one() -> None:
    """A closed position whose profit falls below zero lengthens the row of losses; nothing else changes it."""
    won, _ = sold(position(), quantity=10, price=Decimal("100.10"), at=NOON)
    lost = replace(won, realized=Decimal(-1))
    ledger = replace(EMPTY, realized=Decimal(1))
    after = corrected(ledger, won, lost, profit=Decimal(-2), at=NOON, config=DEFAULT)
    assert (after.realized, after.losses_in_a_row) == (Decimal(-1), 1)
    for before, then in ((lost, lost), (won, won), (None, None), (position(), position())):
        assert corrected(ledger, before, then, profit=Decimal(-2), at=NOON, config=DEFAULT).losses_in_a_row == 0
