"""A clock that the broker's answers prove wrong: told once, beyond a minute a halt; a wrong clock buys nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.control.control import TradingState
from shared.domain.orders.orders import State
from shared.domain.telling.barred import ClockOff
from shared.usecases.base import outbox
from shared.usecases.base.trading import TradingDesk
from shared.usecases.control import control
from shared.usecases.control.clock_off import ClockWatch
from shared.usecases.placing.enter import enter
from tests.usecases.bench import Bench, Variant
from tests.usecases.post import SETTLEMENT

Heard = Callable[[], timedelta | None]
LOOKS = 5


def off(seconds: float) -> Heard:
    """Give what the broker's answers prove."""
    return lambda: timedelta(seconds=seconds)


def deaf() -> timedelta | None:
    """Seeded mistake: no answer's Date is compared with the clock, as it once was."""
    return None


def _watched(heard: Heard) -> tuple[TradingState, int]:
    """Look at the clock each minute, and give the trading state and how many notices there are of the clock."""
    bench = Bench()
    desk = replace(bench.desks[SETTLEMENT], store=bench.store, clock_ahead=heard)
    watch = ClockWatch(desk)
    for _ in range(LOOKS):
        watch.look()
    told = [outbox.unpack(str(row.data["body"]).encode()) for row in bench.store.query("outbox")]
    return control.current(desk).value.state, sum(isinstance(one, ClockOff) for one in told)


@pytest.mark.parametrize(
    ("seconds", "state", "told"),
    [
        (1, TradingState.ACTIVE, 0), (3.5, TradingState.ACTIVE, 1), (-10, TradingState.ACTIVE, 1),
        (60, TradingState.HALTED, 1), (-90, TradingState.HALTED, 1),
    ],
)  # fmt: skip
def test_a_minute_halts_and_less_is_told_once(seconds: float, state: TradingState, told: int) -> None:
    """However often it is seen, a wrong clock is told once, either way it is off; from a minute on it halts."""
    assert _watched(off(seconds)) == (state, told)


def _entered(heard: Heard) -> tuple[list[State], int]:
    """Send a signal to a placement that heard so, and give how its orders stand and what reached the broker."""

    def by_that_clock(desk: TradingDesk, *given: object, **more: object) -> None:
        enter(replace(desk, clock_ahead=heard), *given, **more)  # type: ignore[arg-type]

    bench = Bench(variant=Variant(enter=by_that_clock))
    bench.send(bench.signal())
    bench.run(20)
    entries = [order for order in bench.orders() if order.signal_id is not None]
    assert all("CLOCK_SKEW" in order.codes for order in entries if order.state is State.DENIED)
    return [order.state for order in entries], bench.exchange.posts.total()


@pytest.mark.parametrize("seconds", [5, -5, 90])
def test_a_wrong_clock_buys_nothing(seconds: float) -> None:
    """By a clock that is five seconds off, either way, an entry is denied by name and nothing is sent."""
    assert _entered(off(seconds)) == ([State.DENIED], 0)


def test_who_compares_no_clock_is_caught() -> None:
    """A function that does not listen halts nothing, tells nobody and buys by whatever clock it has."""
    assert _watched(deaf) == (TradingState.ACTIVE, 0)
    states, sent = _entered(deaf)
    assert (State.DENIED in states, sent > 0) == (False, True)
