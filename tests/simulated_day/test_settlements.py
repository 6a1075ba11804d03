"""A day with three settlement instances: together they keep the account's limits, however their lease moves."""

from itertools import pairwise
from pathlib import Path

import pytest

from infra.simulated_day.result import DayResult
from infra.simulated_day.run import run_day
from tests.simulated_day.crowd import INSTANCES, SYMBOLS, market_file, three_settlements
from tests.simulated_day.seeded import FEWER_LOOKS, SEED

pytestmark = pytest.mark.days


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a made market of several symbols, written once."""
    return market_file(tmp_path_factory.mktemp("market"))


def play(market: Path, runs: Path, lease_went_to: list[int], *, apart: bool = False) -> DayResult:
    """Run the last hour of the half-day."""
    return run_day(
        market_spec=str(market), config="demo", seed=SEED, speed="max", state=None, on_progress=lambda _: None,
        runs=runs, environ=FEWER_LOOKS, around=three_settlements(lease_went_to, apart=apart),
    )  # fmt: skip


def test_a_day_with_three_settlements_is_never_throttled(market: Path, tmp_path: Path) -> None:
    """While the lease moves between three instances every symbol is entered, protected and left, without a throttle."""
    lease_went_to: list[int] = []
    result = play(market, tmp_path, lease_went_to)
    assert result.summary.violations == ()
    assert result.ledger.throttled == 0
    assert len(result.ledger.fills) == 2 * len(SYMBOLS)
    assert set(lease_went_to) == set(range(INSTANCES))
    assert sum(1 for one, other in pairwise(lease_went_to) if one != other) > 30


def test_limits_of_each_instance_would_throttle(market: Path, tmp_path: Path) -> None:
    """Where each instance keeps limits of its own, as they once did, the same day has throttle answers."""
    assert play(market, tmp_path, [], apart=True).ledger.throttled > 0
