"""An equity curve that is put together uses no price of later, loses no share, and counts each move at its instant."""

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from infra.results.equity import Move, curve, minutes, taken_out, traded
from infra.results.facts import Mark
from shared.domain.orders.taken import OwnersSell, Taken
from tests.results.made import DAY, START, at, trade

MINUTES = minutes(at(9, 30), at(9, 40))


def _bought(minute: int, shares: int = 10, price: int = 100) -> Move:
    return traded(at(9, minute), "IBM", buys=True, quantity=shares, price=Decimal(price))


def _marks(*prices: int) -> dict[str, tuple[Mark, ...]]:
    return {"IBM": tuple(Mark(at=at(9, 30 + minute), price=Decimal(price)) for minute, price in enumerate(prices))}


def test_shares_count_at_the_last_price_until_then() -> None:
    """Ten shares bought at 100 are worth 990 at a price of 99 and 1,020 at 102, from the minute of each price on."""
    points = curve([_bought(31)], _marks(100, 100, 99, 102), START, MINUTES)
    assert [point.equity - START for point in points[:5]] == [0, 0, -10, 20, 20]
    assert [point.invested for point in points[:5]] == [0, 1000, 990, 1020, 1020]


def test_without_a_price_shares_count_at_what_was_paid() -> None:
    """A symbol without any price is worth what was paid for it, so that no loss is made up."""
    assert {point.equity for point in curve([_bought(31)], {}, START, MINUTES)} == {START}


def test_a_price_of_later_counts_for_nothing() -> None:
    """Two curves are equal until the instant at which their prices begin to differ."""
    one, other = (curve([_bought(31)], _marks(100, 101, 102, last), START, MINUTES) for last in (50, 200))
    assert one[:3] == other[:3]
    assert one[3] != other[3]


def test_shares_that_were_taken_out_leave_at_what_they_brought() -> None:
    """Six shares sold by hand bring their proceeds, four that nobody has a price of leave at what they had cost."""
    sell = OwnersSell(broker_order_id=7, quantity=6, proceeds=Decimal(630))
    taken = Taken(
        taken_id="T", position_id=trade("0").position_id, symbol="IBM", session=DAY, quantity=10, unpriced=4,
        sells=(sell,), realized=Decimal(30), since=at(9, 35), at=at(9, 36),
    )  # fmt: skip
    points = curve([_bought(31), *taken_out([taken], [trade("0")])], _marks(100), START, MINUTES)
    assert points[-1].equity == START + 30
    assert points[-1].invested == 0


_MOVES = st.lists(st.tuples(st.integers(30, 39), st.integers(1, 50), st.integers(50, 150)), max_size=12)


@given(_MOVES, st.lists(st.integers(50, 150), max_size=10))
def test_what_was_bought_and_sold_again_leaves_its_profit(drawn: list[tuple[int, int, int]], prices: list[int]) -> None:
    """Whatever the prices meanwhile, once all is sold at 100 the equity is the start and each trade's profit."""
    bought = [_bought(minute, shares, price) for minute, shares, price in drawn]
    sold = [
        traded(at(9, 40), "IBM", buys=False, quantity=shares, price=Decimal(100)) for _, shares, _ in drawn
    ]  # fmt: skip
    points = curve([*bought, *sold], _marks(*prices), START, MINUTES)
    assert points[-1].equity == START + sum((100 - price) * shares for _, shares, price in drawn)
    assert points[-1].invested == 0
    assert all(point.at == MINUTES[number] for number, point in enumerate(points))


def test_there_is_an_instant_a_minute() -> None:
    """From the first to the last, both included, and none where the end lies before the beginning."""
    assert (len(MINUTES), MINUTES[0], MINUTES[-1]) == (11, at(9, 30), at(9, 40))
    assert minutes(at(10, 0), at(9, 0)) == []
    assert minutes(at(9, 30), at(9, 30) + timedelta(seconds=59)) == [at(9, 30)]
