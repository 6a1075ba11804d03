"""Far more signals than the broker's limits let through, each brought several times, in real processes."""

from collections.abc import Callable

import pytest

from shared.domain.orders.orders import State
from tests.benchmarks.flood import flood, wrongs

OLD_S = 55
"""With this age most of a flood's signals die while they wait, and the test need not."""
FRESH = 3
"""So many have their whole life before them: a busy machine must not decide whether any is judged."""


def test_every_signal_of_a_small_flood_is_decided_once() -> None:
    """Sixty ageing signals, each brought three times, are decided once each, within the limits, none is given up."""
    outcome = flood("local", signals=60, copies=3, fresh=FRESH, age_s=OLD_S)
    assert wrongs(outcome, 60) == []
    assert {State.VOIDED} < {one.state for one in outcome.orders}, outcome.histogram


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("cloud", ["local", "emulators"])
def test_every_signal_of_a_flood_is_decided_once(cloud: str, available: Callable[[str], None]) -> None:
    """A thousand signals, each brought three times, are decided once each, within the limits, and none is given up."""
    available(cloud)
    outcome = flood(cloud, signals=1_000, copies=3)
    assert wrongs(outcome, 1_000) == []
    assert len(outcome.posts) > 1, outcome.histogram
