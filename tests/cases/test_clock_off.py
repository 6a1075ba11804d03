"""A clock that is off from the broker's, over a whole short day: told, then no entries, then a halt; never a stop."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from infra.simulated_day.machine import Machine
from shared.domain.orders.orders import Kind, State
from tests.cases.short_day import Played, as_every_day, play
from tests.simulated_day.made import at

LONG = partial(pytest.param, marks=pytest.mark.long)
BEGINS, AFTER_THE_FILL = at(12, 11), at(12, 28)


def off(seconds: float) -> Callable[[Machine], None]:
    """Let E*TRADE say in each answer that it is so much later than our clock says."""
    return lambda machine: machine.simulator.misdate(timedelta(seconds=seconds))


def entries(day: Played) -> list[tuple[State, tuple[str, ...]]]:
    """Give the end of each entry, with its codes."""
    return [(order.state, order.codes) for order in day.result.book.orders if order.kind is Kind.ENTRY]


@pytest.mark.parametrize("seconds", [LONG(-1), 1])
def test_a_second_is_nothing(market: Path, tmp_path: Path, seconds: int) -> None:
    """A clock that is a second off is within what the header can say: the day is as every day, and nobody is told."""
    day = play(market, tmp_path, deeds=((BEGINS, off(seconds)),))
    as_every_day(day)
    assert day.of("clock_off") == []


@pytest.mark.parametrize("seconds", [-3.5, LONG(3.5)])
def test_some_seconds_are_told(market: Path, tmp_path: Path, seconds: float) -> None:
    """A clock that is some seconds off is told once, with the remedy, and stops nothing."""
    day = play(market, tmp_path, deeds=((BEGINS, off(seconds)),))
    as_every_day(day)
    (told,) = day.of("clock_off", "time server", "behind" if seconds > 0 else "ahead of")
    assert "from 5 s on nothing is bought" in told.text


@pytest.mark.parametrize("seconds", [-10, 10])
def test_ten_seconds_stop_entries(market: Path, tmp_path: Path, seconds: int) -> None:
    """A clock that is ten seconds off enters nothing: the order says why, and the owner is told once."""
    day = play(market, tmp_path, deeds=((BEGINS, off(seconds)),))
    assert day.result.summary.violations == ()
    assert day.result.ledger.fills == ()
    found = entries(day)
    assert found
    assert all(state is State.DENIED and "CLOCK_SKEW" in codes for state, codes in found)
    assert all("Our clock is" in order.note for order in day.result.book.orders)
    (told,) = day.of("clock_off")
    assert "nothing is bought until it is right" in told.text
    assert day.of("trading_halted") == []


@pytest.mark.parametrize("seconds", [LONG(-90), 90])
def test_a_minute_halts(market: Path, tmp_path: Path, seconds: int) -> None:
    """A clock that is a minute off and more halts trading before anything is entered."""
    day = play(market, tmp_path, deeds=((BEGINS, off(seconds)),))
    assert day.result.summary.violations == ()
    assert day.result.ledger.fills == ()
    assert day.of("trading_halted", "the clock is off")
    assert len(day.of("clock_off", "trading is halted")) == 1


@pytest.mark.parametrize("seconds", [-90, LONG(90)])
def test_what_is_held_is_sold_by_whatever_clock(market: Path, tmp_path: Path, seconds: int) -> None:
    """A clock that goes wrong while shares are held keeps neither their stop nor their sale back."""
    day = play(market, tmp_path, deeds=((AFTER_THE_FILL, off(seconds)),))
    as_every_day(day)
    assert day.of("trading_halted", "the clock is off")
