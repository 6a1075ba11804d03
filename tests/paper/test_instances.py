"""Random days of several instances on one paper account: it always adds up, and only because versions are compared."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.base.values import Side
from shared.domain.broker.brokerage import BrokerStatus
from tests.paper.instances import CASH, SYMBOLS, Deed, Floor

_SIGN = {Side.BUY: 1, Side.SELL: -1}
_DEEDS = st.lists(
    st.builds(
        Deed, instance=st.integers(0, 2), at_s=st.integers(0, 200).map(lambda tenths: tenths / 10),
        what=st.sampled_from(("quote", "quote", "quote", "buy", "buy", "sell", "stop", "cancel")),
        symbol=st.sampled_from(SYMBOLS), quantity=st.integers(1, 60), cents=st.integers(-3, 3), now=st.booleans(),
        which=st.integers(0, 20),
    ),
    min_size=5, max_size=60,
)  # fmt: skip


def faults(floor: Floor) -> list[str]:
    """Say in a word each what does not add up."""
    book, orders = floor.book(), floor.orders()
    cash, shares, taken = CASH, Counter[str](), Counter[tuple[str, Side]]()
    found = []
    for order in orders:
        ticket = order.ticket
        sign = _SIGN[ticket.side]
        cash -= sign * order.paid
        shares[ticket.symbol] += sign * order.filled
        taken[ticket.symbol, ticket.side] += order.filled
        if order.filled > ticket.quantity:
            found.append("overfilled")
        if (order.filled == ticket.quantity) != (order.status is BrokerStatus.EXECUTED):
            found.append("cancelled and filled")
        if order.ended_at is not None and any(fill.at > order.ended_at for fill in order.fills):
            found.append("filled after its end")
        if any(fill.at < order.works_from for fill in order.fills):
            found.append("filled too early")
    if cash != book.cash:
        found.append("cash")
    if {symbol: held for symbol, held in shares.items() if held} != {
        symbol: held.quantity for symbol, held in book.positions.items()
    }:
        found.append("shares")
    if book.cash < 0 or min(shares.values(), default=0) < 0:
        found.append("overdrawn")
    if sorted(floor.accepted, key=str) != sorted(((one.order_id, one.ticket) for one in orders), key=str):
        found.append("orders")
    for place, had in taken.items():
        if had > sum(shown for (symbol, side, _), shown in floor.shown.items() if (symbol, side) == place):
            found.append("more than was displayed")
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deeds=_DEEDS, seed=st.integers(0, 10_000))
def test_the_account_always_adds_up(deeds: list[Deed], seed: int) -> None:
    """Whatever three instances do at once, cash and shares add up, and no order fills too much or after its end."""
    floor = Floor(seed=seed)
    floor.play(deeds)
    assert faults(floor) == []


def _busy(seed: int) -> list[Deed]:
    """Give a day on which all instances trade at the same time."""
    orders = [Deed(instance=n, at_s=n / 10, what="buy", quantity=20, cents=3) for n in range(12)]
    looks = [Deed(instance=n, at_s=2 + n / 7, what="quote") for n in range(60)]
    sells = [Deed(instance=n, at_s=6 + n / 9, what="sell", quantity=9, cents=-3) for n in range(12)]
    return [
        *orders,
        *looks,
        *sells,
        *(Deed(instance=n, at_s=7 + n / 5, what="cancel", which=n + seed) for n in range(9)),
    ]


def test_busy_days_trade_and_add_up() -> None:
    """Busy days fill buys and sells, cancel some, and add up: the promise is not kept by doing nothing."""
    orders = []
    for seed in range(4):
        floor = Floor(seed=seed)
        floor.play(_busy(seed))
        assert faults(floor) == []
        orders += floor.orders()
    sides = Counter(order.ticket.side for order in orders if order.filled)
    assert min(sides[Side.BUY], sides[Side.SELL]) > 4
    assert any(order.status is BrokerStatus.CANCELLED for order in orders)


@pytest.mark.parametrize("seed", range(4))
def test_without_versions_it_would_not_add_up(seed: int) -> None:
    """The same days on a store that compares no versions lose or double shares, cash or orders."""
    floor = Floor(seed=seed, careless=True)
    floor.play(_busy(seed))
    assert faults(floor) != []
