"""An exit that freezes after it took the stop away: the shares lie behind a sell again in time, whatever the price.

The exit works behind a turnstile, as in the function, and the scan decides it anew each twenty seconds while the price
moves: neither may push the moment away in which the stop is put back.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache

import pytest

from shared.domain.base.values import Side
from shared.domain.orders.orders import Kind, State
from shared.domain.telling.messages import EnterPosition, ExitPosition
from shared.door import TURN_LASTS, Turnstile
from shared.usecases.base.trading import TradingDesk
from shared.usecases.placing.enter import enter
from shared.usecases.placing.leave import leave
from tests.usecases.bench import SYMBOL, Bench, Variant
from tests.usecases.gate import Fault
from tests.usecases.lives import script
from tests.usecases.proofs import safety, wrongs

FOR_EVER = timedelta(hours=12)
NAKED_AT_MOST_S = 100
"""The longest time without a sell over held shares after one freeze of any length."""
MOVES = ("102.10", "102.30", "102.15", "102.25")


def _behind(lasts: timedelta) -> Variant:
    """Put placement behind a turnstile of which a turn lasts so long."""
    stiles: list[Turnstile] = []

    def stile(desk: TradingDesk) -> Turnstile:
        if not stiles:
            stiles.append(Turnstile(desk.clock, places=16, lasts=lasts))
        return stiles[0]

    def leave_in_turn(desk: TradingDesk, message: ExitPosition) -> None:
        with stile(desk).turn(is_exit=True):
            leave(desk, message)

    def enter_in_turn(desk: TradingDesk, message: EnterPosition, *, ahead: int) -> None:
        with stile(desk).turn(is_exit=False):
            enter(desk, message, ahead=ahead)

    return Variant(leave=leave_in_turn, enter=enter_in_turn)


def _life(faults: Mapping[int, Fault] | None = None, *, lasts: timedelta = TURN_LASTS, seed: int = 0) -> Bench:
    """Live once behind a turnstile, with a price that moves each seven seconds once the target is reached."""
    bench = Bench(faults=faults, seed=seed, variant=_behind(lasts))
    script(bench)
    for n in range(60):
        price = MOVES[n % len(MOVES)]
        bench.at(82 + 7 * n, lambda price=price: bench.exchange.set_price(SYMBOL, price, price))  # type: ignore[misc]
    bench.run_until_quiet()
    return bench


@cache
def _exit_calls(seed: int = 0) -> tuple[tuple[int, str], ...]:
    """Number and name the calls from the exit's decision to its sell, and a few after it."""
    names = _life(seed=seed).gate.names
    decided = max(k for k, name in enumerate(names, 1) if name == "publish exits")
    placed = max(k for k, name in enumerate(names, 1) if name == "place")
    return tuple((k, names[k - 1]) for k in range(decided, placed + 8))


def _approved() -> int:
    """Number the call that approves an exit, whose stop is gone by then."""
    return next(k for k, name in _exit_calls() if name == "commit Update:orders+Create:audit+Check:positions")


def _worst(faults: list[Fault], *, lasts: timedelta, seed: int = 0, every: int = 1) -> list[str]:
    found: list[str] = []
    for fault in faults:
        for k, name in _exit_calls(seed)[::every]:
            bench = _life({k: fault}, lasts=lasts, seed=seed)
            where = f"{fault.how} {fault.seconds} at call {k} ({name}), seed {seed}"
            found += [f"{where}: {text}" for text in wrongs(bench, naked_at_most=NAKED_AT_MOST_S)]
    return found


def test_the_calls_of_an_exit_are_struck() -> None:
    """The sweeps of this file strike an exit's decision, birth, cancel, approval, preview and place."""
    names = [name for _, name in _exit_calls()]
    born, approved = "commit Create:orders+Create:audit+Update:positions", "commit Update:orders+Create:audit+Check"
    for name in ("get watches", born, "orders", "cancel", f"{approved}:positions", "preview", "place"):
        assert name in names


def test_a_frozen_exit_leaves_no_shares_bare() -> None:
    """An exit that freezes for 400 s at any of its calls leaves shares bare for 100 s at most, and loses no message."""
    assert _worst([Fault(how="freeze", seconds=400)], lasts=TURN_LASTS) == []


def test_the_bound_does_not_rest_on_the_turnstile() -> None:
    """The same holds where the frozen one keeps its turn, and no later decision comes through: the stop is put back."""
    assert _worst([Fault(how="freeze", seconds=150)], lasts=FOR_EVER, every=3) == []


@pytest.mark.parametrize("seconds", [20, 45, 60, 75, 95, 130])
def test_an_exit_that_wakes_up_sells_nothing_twice(seconds: float) -> None:
    """However long it froze, about when its turn is lost or its stop put back, what wakes up offers no share twice."""
    assert _worst([Fault(how="freeze", seconds=seconds)], lasts=TURN_LASTS, every=4) == []


def test_who_waits_behind_a_frozen_exit_is_served() -> None:
    """The position is sold by a later decision while the first one is still frozen, within a minute of the freeze."""
    bench = Bench(faults={_approved(): Fault(how="freeze", seconds=600)}, variant=_behind(TURN_LASTS))
    script(bench)
    bench.run(75 + 60)
    assert bench.exchange.shares[SYMBOL] == 0
    bench.run_until_quiet()
    assert [order.state for order in bench.orders() if order.kind is Kind.EXIT] == [State.VOIDED, State.FILLED]
    assert wrongs(bench, naked_at_most=60) == []


def test_the_stop_that_is_put_back_ends_the_exit() -> None:
    """With a scan that decides nothing more the stop is put back in time, and its commit has taken the exit away."""
    bench = Bench(faults={_approved(): Fault(how="freeze", seconds=90)}, variant=_behind(FOR_EVER))
    script(bench)
    bench.run(80)
    bench.looking = False
    bench.run(80)
    (position,) = bench.positions()
    assert position.pending_exit is None
    assert [stop.quantity for stop in bench.exchange.live(SYMBOL, Side.SELL)] == [position.quantity]
    bench.run(60)
    assert bench.exchange.naked() <= timedelta(seconds=60)
    assert [order.state for order in bench.orders() if order.kind is Kind.EXIT] == [State.VOIDED]
    assert safety(bench) == []


@pytest.mark.long
@pytest.mark.parametrize("seconds", [10, 20, 35, 45, 55, 65, 80, 100, 200, 1200])
@pytest.mark.parametrize("seed", range(8))
def test_other_interleavings_and_lengths_leave_no_shares_bare(seconds: float, seed: int) -> None:
    """The same holds for every call of an exit, ten lengths of the freeze, and other orders of the calls."""
    assert _worst([Fault(how="freeze", seconds=seconds)], lasts=TURN_LASTS, seed=seed) == []


@pytest.mark.long
@pytest.mark.parametrize("seconds", [45, 80, 200])
@pytest.mark.parametrize("seed", range(4))
def test_other_interleavings_do_not_rest_on_the_turnstile(seconds: float, seed: int) -> None:
    """The same holds where the frozen one keeps its turn for ever."""
    assert _worst([Fault(how="freeze", seconds=seconds)], lasts=FOR_EVER, seed=seed, every=2) == []
