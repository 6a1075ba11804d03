"""Leases: who waits for another worker learns whether that one lives, died, or left."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from infra.one_machine.clock import KernelClock, SeededChance
from infra.one_machine.kernel import Kernel
from infra.one_machine.memory_store import MemoryStore
from shared.gcp.journal import CloudJournal
from shared.gcp.no_bus import NoBus
from shared.usecases.base import leases
from shared.usecases.base.desk import Desk, Held

START = datetime(2013, 10, 7, 14, 0, tzinfo=UTC)
LASTS = timedelta(seconds=20)


@pytest.mark.parametrize(
    ("deed", "lives"),
    [
        (lambda desk, mine: leases.extend(desk, mine, until=desk.clock.now() + LASTS), True),
        (leases.give_back, False),
        (lambda *_: None, False),
    ],
    ids=["extends", "gives back", "dies"],
)
def test_only_who_extends_a_lease_lives(deed: Callable[[Desk, Held[leases.Lease]], object], lives: bool) -> None:
    """A holder that extends is at work; one that gave back or died left the work to whoever waits."""
    kernel = Kernel(start=START, seed=1)
    journal = CloudJournal("order_settlement", project="one", output=StringIO())
    desk = Desk(
        actor="order_settlement", clock=KernelClock(kernel), chance=SeededChance(seed=1, name="x"), store=MemoryStore(),
        bus=NoBus(), journal=journal,
    )  # fmt: skip
    found: list[bool] = []

    def work() -> None:
        mine = leases.take(desk, "leases/settle", lasts=LASTS)
        assert mine is not None
        kernel.spawn(lambda: found.append(leases.outlives(desk, "leases/settle")), name="waits")
        desk.clock.sleep_until(START + timedelta(seconds=5))
        deed(desk, mine)

    kernel.spawn(work, name="holds")
    kernel.run(START + timedelta(minutes=1))
    assert found == [lives]
