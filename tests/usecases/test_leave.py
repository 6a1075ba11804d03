"""Leaving a position: one sell of the shares that are still there, or none."""

from decimal import Decimal

from shared.domain.orders import Kind, State
from tests.usecases.bench import PLACEMENT, SYMBOL, Bench, Fault
from tests.usecases.lives import calls, life, script
from tests.usecases.proofs import safety, wrongs


def nth_call(name: str, number: int = 1) -> int:
    """Give the number of the `number`-th port call of this name in an undisturbed life; negative counts from the end."""
    found = [k for k, seen in enumerate(calls(), 1) if seen == name]
    return found[number - 1 if number > 0 else number]


def exit_begins() -> int:
    """Give the number of the call that writes the exit's order."""
    births = [k for k, seen in enumerate(calls(), 1) if seen.startswith("commit Create:orders+Create:audit")]
    return births[-1]


def test_an_exit_that_froze_does_not_sell_what_another_sold() -> None:
    """An exit that freezes before its order is written sells nothing after a repriced exit has sold the shares."""
    bench = life({exit_begins(): Fault(how="freeze", seconds=40)})
    sold = [order for order in bench.orders() if order.kind is Kind.EXIT and order.state is State.FILLED]
    assert len(sold) == 1
    assert bench.exchange.shares[SYMBOL] == 0
    assert wrongs(bench, naked_at_most=60) == []
