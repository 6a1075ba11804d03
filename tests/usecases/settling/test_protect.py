"""Every share that is held lies behind a stop, whatever happens to the stop before."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from shared.domain.base.values import PriceType, Side
from shared.domain.broker.brokerage import BrokerStatus
from shared.domain.control.control import TradingState
from shared.domain.orders.orders import Kind, State
from shared.domain.orders.positions import PendingExit
from shared.usecases.base.desk import create, put
from shared.usecases.control import control
from shared.usecases.orders.moves import begin
from shared.usecases.settling import settle
from tests.domain.made import position
from tests.usecases.bench import SYMBOL, Bench, Variant
from tests.usecases.exchange import Plain, Script
from tests.usecases.gate import Fault
from tests.usecases.lives import calls, firsts, life, script
from tests.usecases.post import PLACEMENT, SETTLEMENT
from tests.usecases.proofs import safety, wrongs


def _resting(bench: Bench) -> list[Plain]:
    return bench.exchange.live(SYMBOL, Side.SELL)


def _holding(bench: Bench) -> Bench:
    bench.send(bench.signal())
    return bench


def test_partial_fills_are_protected_at_once() -> None:
    """Each part of an entry that fills lies behind its own stop within five seconds."""
    bench = _holding(Bench())
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 40
    bench.at(8, lambda: bench.exchange.fill(501, 30, Decimal("100.02")))
    bench.run(15)
    assert [(stop.quantity, str(stop.stop_price)) for stop in _resting(bench)] == [(40, "99.01"), (30, "99.01")]
    assert bench.exchange.naked() <= timedelta(seconds=5)
    bench.run(30)
    entry = bench.orders()[0]
    assert (entry.state, entry.filled, entry.reserved) == (State.CANCELLED, 70, Decimal(0))
    assert safety(bench) == []


def test_a_stop_moves_by_cancel_confirm_and_a_new_one() -> None:
    """A stop moves up as a new order that names the one it replaces, and its level never falls."""
    bench = _holding(Bench())
    levels = []
    for second, bid in ((20, "101.10"), (40, "101.60"), (60, "100.90"), (80, "101.90")):
        bench.at(second, lambda bid=bid: bench.exchange.set_price(SYMBOL, bid, bid))  # type: ignore[misc]
    for _ in range(50):
        bench.run(2)
        levels += [stop.stop_price for stop in _resting(bench) if stop.stop_price is not None]
    assert levels == sorted(levels)
    assert len(set(levels)) >= 3
    moved = [order for order in bench.orders() if order.kind is Kind.MOVE]
    assert all(order.replaces for order in moved)
    assert bench.exchange.naked() <= timedelta(seconds=3)
    assert safety(bench) == []


def test_a_cancel_that_is_asked_for_again_and_again_keeps_no_stop_away() -> None:
    """A stop that an exit ended and did not replace is put back, also while an entry's cancel is never confirmed."""
    bench = _holding(Bench())
    bench.looking = False
    bench.exchange.refuses_term, bench.exchange.entry_fill, bench.exchange.cancel_lost = True, 40, 100

    def begun_anew(second: int) -> None:
        """Let an exit be begun on which nobody goes on."""
        (held,), entry = bench.positions(), bench.orders()[0]
        now = bench.kernel.now()
        made = replace(
            entry, intent_id=f"X{second}", kind=Kind.EXIT, side=Side.SELL, state=State.NEW, live=True, rev=0,
            created_at=now, updated_at=now, reserved=Decimal(0), broker_order_id=None, filled=0, average_price=None,
        )  # fmt: skip
        pending = replace(held, pending_exit=PendingExit(exit_id=made.intent_id, first_at=now))
        begin(bench.desks[PLACEMENT], made, put(f"positions/{SYMBOL}", pending), cause="exit: target")

    for second in range(70, 200, 10):
        bench.at(second, partial(begun_anew, second))
    bench.at(71, lambda: bench.exchange.end(_resting(bench)[0].order_id, BrokerStatus.CANCELLED))
    bench.run(200)
    assert bench.orders()[0].state is State.CANCEL_REQ
    assert bench.exchange.naked() < timedelta(seconds=60)


def test_a_stop_that_the_owner_cancels_is_put_back() -> None:
    """A stop that vanishes at the broker is replaced within the next minute."""
    bench = _holding(Bench())
    bench.at(10, lambda: bench.exchange.end(502, BrokerStatus.CANCELLED))
    bench.run(90)
    assert [stop.quantity for stop in _resting(bench)] == [99]
    assert bench.exchange.naked() <= timedelta(seconds=62)
    assert safety(bench) == []


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_cancel_is_asked_for_again(lost: int) -> None:
    """A cancel that never arrived is asked for again until the list shows the end, and the stop then moves."""
    bench = _holding(Bench())
    bench.exchange.cancel_lost = lost
    bench.at(20, lambda: bench.exchange.set_price(SYMBOL, "101.10", "101.12"))
    bench.run(110)
    assert [stop.stop_price for stop in _resting(bench)] == [Decimal("100.49")]
    assert len(bench.exchange.cancels) == lost + 1
    assert bench.exchange.naked() <= timedelta(seconds=5)
    assert safety(bench) == []


def test_an_entry_that_does_not_fill_is_cancelled_even_when_the_cancel_is_lost() -> None:
    """An entry that rests too long is cancelled, and its cash is free within a minute though a cancel was lost."""
    bench = _holding(Bench())
    bench.exchange.refuses_term, bench.exchange.entry_fill, bench.exchange.cancel_lost = True, 0, 1
    bench.run(75)
    entry = bench.orders()[0]
    assert (entry.state, entry.reserved) == (State.CANCELLED, Decimal(0))
    assert wrongs(bench, naked_at_most=0) == []


def test_a_halt_cancels_entries_and_keeps_stops() -> None:
    """HALTED cancels what of an entry still works at the next poll, and leaves the stop over what it filled."""
    bench = _holding(Bench())
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 40
    began, asked = bench.kernel.now(), list[datetime]()
    bench.exchange.in_cancel = lambda _: asked.append(bench.kernel.now())
    bench.at(6, lambda: control.tighten(bench.desks[PLACEMENT], TradingState.HALTED, reason="the owner"))
    bench.run(15)
    assert asked[0] - began - timedelta(seconds=6) <= settle.LOOK_EVERY + timedelta(seconds=1)
    assert bench.orders()[0].state is State.CANCELLED
    assert [stop.quantity for stop in _resting(bench)] == [40]
    assert safety(bench) == []


@pytest.mark.parametrize("gap", ["98.90", "98.50", "95.00"])
def test_shares_whose_stop_the_broker_refuses_are_sold(gap: str) -> None:
    """When the market falls through the level before the stop rests, the shares are sold within 45 seconds."""
    bench = Bench()
    bench.at(1, lambda: bench.send(bench.signal()))
    bench.exchange.refuses_late_stops = True
    gapped = Fault(how="deed", deed=lambda: bench.exchange.set_price(SYMBOL, gap, gap))
    bench.gate.faults[calls().index("place") + 2] = gapped
    bench.run(120)
    assert any(order.state is State.REJECTED for order in bench.orders())
    assert bench.exchange.shares[SYMBOL] == 0
    assert bench.exchange.naked() <= timedelta(seconds=45)
    assert safety(bench) == []


def test_a_refused_stop_is_asked_for_again() -> None:
    """A stop that is refused because the shares are not booked yet rests at the next poll."""
    bench = _holding(Bench())
    bench.exchange.scripts += [Script(how="reject", price_type=PriceType.STOP, code="1037") for _ in range(2)]
    bench.run(20)
    assert [stop.quantity for stop in _resting(bench)] == [99]
    assert bench.exchange.naked() <= timedelta(seconds=10)


def test_one_impossible_order_does_not_keep_another_from_its_stop() -> None:
    """A fill that the book cannot take in one symbol leaves the other symbol's shares protected in time."""
    bench = Bench()
    bench.exchange.set_price("MSFT", "99.99", "100.01")
    bench.exchange.refuses_term, bench.exchange.entry_fill = True, 0
    bench.send(bench.signal())
    bench.at(4, lambda: setattr(bench.exchange, "entry_fill", None))
    bench.at(5, lambda: bench.send(bench.signal(2, symbol="MSFT")))
    bench.run(12)
    (stop,) = bench.exchange.live("MSFT", Side.SELL)
    strange = position(symbol=SYMBOL, position_id="OTHER", opened_at=bench.kernel.now())
    bench.store.commit([create(f"positions/{SYMBOL}", strange)])
    bench.exchange.book[501] = replace(bench.exchange.book[501], filled=1, average_price=Decimal("100.01"))
    bench.exchange.end(stop.order_id, BrokerStatus.CANCELLED)
    bench.run(10)
    assert bench.journal.named("invariant_broken")
    assert [stop.quantity for stop in bench.exchange.live("MSFT", Side.SELL)] == [99]


def test_a_frozen_move_does_not_double_the_stop() -> None:
    """A stop's move that freezes after the old stop was cancelled places nothing where another stop rests by now."""
    births = [k for k, name in enumerate(calls(), 1) if name == "get positions"]
    for k in births:
        bench = life({k: Fault(how="freeze", seconds=40)})
        assert safety(bench) == []


def test_clocks_that_differ_do_not_sell_twice() -> None:
    """A settlement whose clock is five seconds ahead gives an exit back and no share is ever offered twice."""
    ahead = (SETTLEMENT, timedelta(seconds=5))
    for k in sorted(one for one in firsts(skewed=ahead) if one >= 150):
        bench = Bench(faults={k: Fault(how="freeze", seconds=56)}, variant=Variant(clock_skew=dict([ahead])))
        script(bench)
        bench.run_until_quiet()
        assert safety(bench) == [], k
