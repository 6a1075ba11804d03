"""Signals and an exit at once in real processes: the exit first, and nothing waits beyond its life."""

from collections.abc import Callable

import pytest

from tests.benchmarks.burst import burst

SPEED = 3.0
"""At five times its pace a busy machine let the exit's call run out of time."""


@pytest.mark.waits(40)
@pytest.mark.parametrize("cloud", ["local", pytest.param("emulators", marks=pytest.mark.long)])
def test_an_exit_is_served_before_the_signals_that_wait(cloud: str, available: Callable[[str], None]) -> None:
    """Of twenty signals with an exit at most the one at work goes before it, and none is late."""
    available(cloud)
    found = burst(cloud, signals=20, speed=SPEED)
    assert len(found.overtook) <= 1, found
    assert found.beside == ()
    assert found.exit.outcome == "FILLED"
    assert [one for one in found.signals if not one.in_its_life] == []
    assert sum(1 for one in found.signals if "SIGNAL_STALE" not in one.outcome) > 1
