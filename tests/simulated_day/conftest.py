"""The whole days that several tests look at: each is played once for all processes of a run, and nobody changes it."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.simulated_day.result import DayResult
from infra.simulated_day.run import run_day
from infra.simulated_day.summary import VARYING
from tests.once import once
from tests.simulated_day.made import market_file
from tests.simulated_day.seeded import SEED

Recorded = Callable[..., DayResult]
RSS_MB = 512
"""What a day alone in its process may take."""
_RESULT = "result.pickle"


def kept(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Give the figures that are the same in each run."""
    return {name: value for name, value in figures.items() if name not in VARYING}


@pytest.fixture(scope="session")
def recorded(market_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Give a recorded day by its name, under the demonstration's configuration or another one."""

    def give(name: str, config: str = "demo") -> DayResult:
        market = market_data / f"{name}.csv.gz"
        return _played(tmp_path_factory, f"{name}-{config}", lambda: market, config)

    return give


@pytest.fixture(scope="session")
def half_day(tmp_path_factory: pytest.TempPathFactory) -> DayResult:
    """Give the made half-day from its first schedule to its last."""
    return _played(tmp_path_factory, "half-day", lambda: market_file(tmp_path_factory.mktemp("market")), "demo")


def _played(factory: pytest.TempPathFactory, name: str, market: Callable[[], Path], config: str) -> DayResult:
    """Give a day that the first process which asks for it plays, as `strategy day` does."""

    def make(folder: Path) -> None:
        result = run_day(
            market_spec=str(market()), config=config, seed=SEED, speed="max", state=None, on_progress=lambda _: None,
            runs=folder,
        )  # fmt: skip
        (folder / _RESULT).write_bytes(pickle.dumps(result))

    folder = once(factory, name, make)
    result: DayResult = pickle.loads((folder / _RESULT).read_bytes())  # noqa: S301 - written above
    return replace(result, folder=folder / result.folder.name)
