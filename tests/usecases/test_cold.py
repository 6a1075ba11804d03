"""A scan that starts cold decides exactly as one that never died.

What an instance saw of a minute in which it dies is lost with it; that is not decided otherwise, it was not seen. So
the instances here die between two minutes: after the one has handed over, and before the next begins.
"""

from collections.abc import Callable
from random import Random

import pytest

from shared.usecases.scanning.scan_memory import ScanMemory
from tests.usecases.shifts import Shifts

MINUTES, KILLS = 390, 50


def played(minutes: int, memory: Callable[[int], ScanMemory], *, symbols: int) -> Shifts:
    """Scan the first minutes of a day, each by the memory that is given for it."""
    shifts = Shifts(symbols=symbols)
    for minute in range(minutes):
        shifts.tick(minute, memory(minute), late_s=0.02)
        shifts.run(minute + 0.5)
    shifts.run(minutes)
    return shifts


def warm() -> Callable[[int], ScanMemory]:
    """Give one memory for all minutes: it reads the store's books once, before the first."""
    one = ScanMemory()
    return lambda _: one


def killed(minutes: set[int]) -> Callable[[int], ScanMemory]:
    """Give a new memory at each of these minutes."""
    memories = [ScanMemory()]

    def memory(minute: int) -> ScanMemory:
        if minute in minutes:
            memories.append(ScanMemory())
        return memories[-1]

    return memory


def test_cold_minutes_decide_as_warm_ones() -> None:
    """Forty minutes with a new instance each leave signals, receipts, books and sights to the byte as a warm one's."""
    expected = played(40, warm(), symbols=3)
    found = played(40, killed(set(range(40))), symbols=3)
    assert found.left() == expected.left()
    assert found.store.query("signals")


@pytest.mark.days
@pytest.mark.timeout(600)
def test_a_day_with_fifty_kills_decides_as_a_warm_one() -> None:
    """A whole day with an instance killed at each of 50 minutes leaves to the byte what one warm instance leaves."""
    deaths = set(Random("deaths").sample(range(1, MINUTES), KILLS))
    expected = played(MINUTES, warm(), symbols=4)
    found = played(MINUTES, killed(deaths), symbols=4)
    assert found.left() == expected.left()
    assert len(found.store.query("signals")) > 1


def test_an_instance_that_forgets_would_be_found() -> None:
    """The same comparison finds an instance that begins a minute with nothing."""

    class Forgetful(ScanMemory):
        def recall(self, *given: object) -> None:
            super().recall(*given)  # type: ignore[arg-type]
            self.watches = {}

    def memory(minute: int) -> ScanMemory:
        return Forgetful() if minute == 20 else one

    one = ScanMemory()
    assert played(25, memory, symbols=3).left() != played(25, warm(), symbols=3).left()
