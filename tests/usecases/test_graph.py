"""The order path as it is deployed, with turnstile, limits, scan minutes and three settlements, broken in every moment.

The bound is what the README states: after one crash or freeze of any length nothing is held for longer than
`NAKED_AT_MOST_S` without a live sell at the broker, whatever the prices do meanwhile.
"""

from collections.abc import Iterator

import pytest

from shared.domain.orders import Kind, State
from tests.usecases.gate import Fault
from tests.usecases.graph_lives import SCRIPTS, Point, life, points, sweep, target
from tests.usecases.proofs import wrongs

KILLED = Fault(how="kill")
STALLED = Fault(how="stall", seconds=400)


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_undisturbed_life_is_never_naked_for_long_and_never_too_fast(name: str) -> None:
    """Two positions are entered, protected and left in turn, uncovered for six seconds at most, without a throttle."""
    graph = life(SCRIPTS[name])
    assert wrongs(graph, naked_at_most=6) == []
    assert graph.throttled == []
    filled = [order.kind for order in graph.orders() if order.state is State.FILLED]
    assert filled[:2] == [Kind.ENTRY, Kind.ENTRY]
    assert len(filled) == 4


@pytest.mark.parametrize(("process", "fault"), [("settle", KILLED), ("settle", STALLED), ("place", KILLED)])
def test_a_process_that_is_lost_while_shares_are_naked_leaves_them_covered_soon(process: str, fault: Fault) -> None:
    """Whatever call it was lost in, another one puts a sell over the shares again, and the day ends as it should."""
    wrong = sweep(target, fault, naked_moments(process))
    assert wrong == [], "\n".join(wrong[:20])


def naked_moments(process: str) -> Iterator[Point]:
    """Give the calls of a process that are made while some shares have no sell over them."""
    return (point for point in points(target) if point.naked and point.name.startswith(process))
