"""An entry that our own limits refuse says why in the book: the rule, its figure, and who halted."""

from dataclasses import replace
from decimal import Decimal

from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Order, State
from shared.usecases.control import control
from tests.usecases.bench import CONFIG, Bench
from tests.usecases.post import SETTLEMENT


def _denied(bench: Bench) -> Order:
    bench.send(bench.signal())
    bench.run(20)
    (order,) = bench.orders()
    assert order.state is State.DENIED
    return order


def test_a_halted_entry_names_who_halted() -> None:
    """The order that a halt refused has the state, its instant, its author and its reason."""
    bench = Bench()
    halt = lambda: control.tighten(bench.desks[SETTLEMENT], TradingState.HALTED, reason="a test of the switch")  # noqa: E731
    bench.kernel.call(halt, name=SETTLEMENT)
    order = _denied(bench)
    assert order.codes == ("KILL_SWITCH",)
    assert order.note.startswith("Trading is HALTED since 15:20:00 New York, by ")
    assert order.note.endswith(": a test of the switch.")


def test_a_size_of_nothing_keeps_its_figures() -> None:
    """The order that was too small has what limited it, what that left, and what it would take, beside other rules."""
    bench = Bench(config=replace(CONFIG, sizing=replace(CONFIG.sizing, min_usd=Decimal(50_000))))
    order = _denied(bench)
    assert order.codes == ("SIZE_TOO_SMALL",)
    assert "leaves 10,000.00 USD; the smallest capital that would trade it is" in order.note
