"""The account's turns over every store, in real time: instances that compete keep the limit together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from shared.domain.broker.turns import INTERVAL, Purpose
from shared.etrade.turns import AccountTurns
from shared.gcp.chance import SystemChance
from shared.gcp.clock import SystemClock
from shared.ports import Store
from tests.etrade.world import KeptLines

INSTANCES = 3
PATIENCE = timedelta(minutes=5)
"""Longer than any machine needs: a call gives up late, so that this test tells of the distance alone."""


def test_instances_that_compete_keep_the_limit_together(store: Store) -> None:
    """Three instances that want turns at once get them all, and no three calls leave within a second and its guard."""
    clock = SystemClock()

    def work(number: int) -> list[datetime]:
        turns = AccountTurns(store=store, clock=clock, chance=SystemChance(), journal=KeptLines())
        left = []
        for _ in range(2):
            turn = turns.take("orders", list(Purpose)[number], within=PATIENCE)
            assert turn is not None
            turns.sent("orders", turn)
            left.append(turn.at)
        return left

    with ThreadPoolExecutor(INSTANCES) as pool:
        left = sorted(at for found in pool.map(work, range(INSTANCES)) for at in found)
    assert len(left) == 2 * INSTANCES
    assert all(third - first >= INTERVAL for first, third in zip(left, left[2:], strict=False))
